/** Where a client finds its database; for the tests, and for processes that they start. */
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"

export type Place = { readonly dialect: "pg" | "mysql"; readonly url: string } | {
  readonly dialect: "sqlite"
  readonly filename: string
}

/** The driver does not wait by itself for a file that another process has locked. */
const patient = Layer.tap((context) =>
  Effect.provide(Effect.flatMap(SqlClient, (sql) => sql`PRAGMA busy_timeout = 5000`), context)
)

export const client = (place: Place, maxConnections = 10): Layer.Layer<SqlClient> => {
  switch (place.dialect) {
    case "pg":
      return Layer.orDie(PgClient.layer({ url: Redacted.make(place.url), maxConnections }))
    case "mysql":
      return Layer.orDie(MysqlClient.layer({ url: Redacted.make(place.url), maxConnections }))
    case "sqlite":
      return Layer.orDie(patient(SqliteClient.layer({ filename: place.filename }) as Layer.Layer<SqlClient>))
  }
}
