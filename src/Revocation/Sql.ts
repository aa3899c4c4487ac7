/**
 * Revocations of cookie sessions in a table of PostgreSQL, MySQL/MariaDB or SQLite, through the `SqlClient` that the app
 * already has. A check is one statement.
 *
 * @since 1.0.0
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { fromEither } from "../internal/edition/done.js"
import { badMigration } from "../internal/edition/migration.js"
import * as Create from "../internal/sql/create.js"
import * as Executor from "../internal/sql/executor.js"
import * as sqlRevocation from "../internal/sql/revocation.js"
import * as RevocationTable from "../internal/sql/revocationTable.js"
import { type Dialect, parseName } from "../internal/sql/table.js"
import { Revocation } from "../Revocation.js"
import { SessionConfigError } from "../SessionError.js"

/**
 * The table that holds the revocations.
 *
 * - `table`: its name, by default `effect_session_revocations`. A name is a letter or `_`, then letters, digits and `_`, at
 *   most 55 characters, and may follow a schema and a dot (`app.revocations`). It is quoted, and therefore keeps its case.
 *
 * @since 1.0.0
 * @category models
 */
export interface TableOptions {
  readonly table?: string | undefined
}

const resolveTable = (
  client: SqlClient.SqlClient,
  options: TableOptions | undefined
): Either.Either<{ readonly dialect: Dialect; readonly table: RevocationTable.Table }, SessionConfigError> => {
  const dialect = Create.dialectOf(client)
  if (dialect === undefined) {
    return Either.left(
      new SessionConfigError({
        mistakes: [{ path: "", message: "the SqlClient must be one for PostgreSQL, MySQL/MariaDB or SQLite" }]
      })
    )
  }
  const name = parseName(options?.table ?? RevocationTable.defaultName)
  return "message" in name
    ? Either.left(new SessionConfigError({ mistakes: [name] }))
    : Either.right({ dialect, table: RevocationTable.make(dialect, name.schema, name.name) })
}

/**
 * Creates the table and its index, unless they exist. Any number of instances may run it at once.
 *
 * Where the table exists it only looks at the database's catalogue, so that a role that may only read and write rows can run
 * it at every start. A schema in the name must exist.
 *
 * Errors: `SessionConfigError` when `table` is not a valid name, or when the client is one for another database; `SqlError`
 * when the database fails.
 *
 * @example
 * ```ts
 * import { createTable } from "effect-session/Revocation/Sql"
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { Effect } from "effect"
 *
 * const program = createTable().pipe(Effect.provide(SqliteClient.layer({ filename: "app.db" })))
 * ```
 *
 * @since 1.0.0
 * @category migrations
 */
export const createTable = (
  options?: TableOptions
): Effect.Effect<void, SessionConfigError | SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (client) =>
      Effect.flatMap(fromEither(resolveTable(client, options)), ({ table }) => Create.create(client, table.parts))
  )

/**
 * A loader for the `Migrator` of `@effect/sql` that creates the table.
 *
 * A migrator tells migrations apart by their numbers. Record this one in a table of its own, as in the example, or call
 * {@link createTable} from one of your own migrations.
 *
 * Errors: a `MigrationError` when `table` is not a valid name.
 *
 * @example
 * ```ts
 * import { loader } from "effect-session/Revocation/Sql"
 * import { PgMigrator } from "@effect/sql-pg"
 *
 * const migrate = PgMigrator.run({ loader: loader(), table: "effect_session_revocation_migrations" })
 * ```
 *
 * @since 1.0.0
 * @category migrations
 */
export const loader = (options?: TableOptions): Migrator.Loader => {
  const name = parseName(options?.table ?? RevocationTable.defaultName)
  return "message" in name
    ? Effect.fail(badMigration(`table: ${name.message}`))
    : Migrator.fromRecord({ "1_effect_session_revocation": createTable(options) })
}

/**
 * Keeps the revocations in the database of the app's `SqlClient`. The table must exist: see {@link createTable} and
 * {@link loader}. Every instance of the app removes expired rows in the background (`cleanupInterval` of the session store).
 *
 * Inside `sql.withTransaction` a revocation does not take part in the app's transaction, and stays when that is rolled back.
 * On SQLite, which has one connection only, it takes part.
 *
 * Errors: `SessionConfigError` when `table` is not a valid name, or when the client is one for another database.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import { layer } from "effect-session/Revocation/Sql"
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { Layer } from "effect"
 *
 * const SessionsLive = SessionStore.layerCookieRevocableConfig("SESSION_SECRET").pipe(
 *   Layer.provide(layer()),
 *   Layer.provide(SqliteClient.layer({ filename: "app.db" }))
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (
  options?: TableOptions
): Layer.Layer<Revocation, SessionConfigError, SqlClient.SqlClient> =>
  Layer.effect(
    Revocation,
    Effect.flatMap(SqlClient.SqlClient, (client) =>
      Effect.flatMap(fromEither(resolveTable(client, options)), ({ dialect, table }) =>
        Effect.map(Executor.make(dialect, client), (executor) =>
          sqlRevocation.make(executor, table.statements))))
  )
