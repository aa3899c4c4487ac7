/**
 * The stores that several processes can share, by what a process is told: which one, and where.
 */
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Layer, Redacted } from "effect"
import type { Sessions, SessionStore } from "effect-session"
import * as Redis from "effect-session/SessionStore/Redis"
import * as Sql from "effect-session/SessionStore/Sql"

export type Name = "redis" | "postgres" | "mysql" | "sqlite"

const defaults: SessionStore.ServerOptions = { secure: false, cleanupInterval: Infinity, storeTimeout: "60 seconds" }

/** `place` is a key prefix, a table, or a file: one for each test; `url` is the server's. */
export const storeAt = (
  name: Name,
  place: string,
  url: string,
  given: SessionStore.ServerOptions = {}
): Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown> => {
  const options = { ...defaults, ...given }
  const table = (layer: Layer.Layer<never, unknown, never> | Layer.Layer<unknown, unknown, never>, named: string) =>
    Sql.layer({ ...options, table: named }).pipe(
      Layer.provide(Layer.effectDiscard(Sql.createTable({ table: named }))),
      Layer.provide(layer as ReturnType<typeof SqliteClient.layer>)
    )
  switch (name) {
    case "redis":
      return Redis.layer({ ...options, prefix: `${place}:`, redis: { url } })
    case "postgres":
      return table(PgClient.layer({ url: Redacted.make(url) }), place)
    case "mysql":
      return table(MysqlClient.layer({ url: Redacted.make(url) }), place)
    case "sqlite":
      return table(SqliteClient.layer({ filename: place }), "sessions")
  }
}
