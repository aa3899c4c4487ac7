/**
 * Sessions in a table of PostgreSQL, MySQL/MariaDB or SQLite, through the `SqlClient` that the app already has.
 *
 * @since 0.1.0
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import { fromEither } from "../internal/edition/done.js"
import { badMigration } from "../internal/edition/migration.js"
import * as Backend from "../internal/sql/backend.js"
import * as Create from "../internal/sql/create.js"
import * as Executor from "../internal/sql/executor.js"
import * as Statements from "../internal/sql/statements.js"
import * as Index from "../internal/sql/subjectIndex.js"
import * as Table from "../internal/sql/table.js"
import { SessionBackend, SubjectIndex } from "../SessionBackend.js"
import { SessionConfigError } from "../SessionError.js"
import type { SessionList, Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

/**
 * The table that holds the sessions.
 *
 * - `table`: its name, by default `effect_sessions`. A name is a letter or `_`, then letters, digits and `_`, at most 55
 *   characters, and may follow a schema and a dot (`app.sessions`). It is quoted, and therefore keeps its case. PostgreSQL
 *   and MySQL have a second, small table beside it, named `<table>_locks`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TableOptions {
  readonly table?: string | undefined
}

const resolveTable = (
  client: SqlClient.SqlClient,
  options: TableOptions | undefined
): Either.Either<{ readonly dialect: Table.Dialect; readonly table: Table.Table }, SessionConfigError> => {
  const dialect = Create.dialectOf(client)
  if (dialect === undefined) {
    return Either.left(
      new SessionConfigError({
        mistakes: [{ path: "", message: "the SqlClient must be one for PostgreSQL, MySQL/MariaDB or SQLite" }]
      })
    )
  }
  const name = Table.parseName(options?.table ?? Table.defaultName)
  return "message" in name
    ? Either.left(new SessionConfigError({ mistakes: [name] }))
    : Either.right({ dialect, table: Table.make(dialect, name.schema, name.name) })
}

/**
 * Creates the table, its indexes and its second table, unless they exist. Any number of instances may run it at once.
 *
 * Where the tables exist it only looks at the database's catalogue, so that a role that may only read and write rows can run
 * it at every start. A schema in the name must exist.
 *
 * Errors: `SessionConfigError` when `table` is not a valid name, or when the client is one for another database; `SqlError`
 * when the database fails.
 *
 * @example
 * ```ts
 * import { createTable } from "effect-session/SessionStore/Sql"
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { Effect } from "effect"
 *
 * const program = createTable().pipe(Effect.provide(SqliteClient.layer({ filename: "sessions.db" })))
 * ```
 *
 * @since 0.1.0
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
 * A loader for the `Migrator` of `@effect/sql` that creates the tables.
 *
 * A migrator tells migrations apart by their numbers. Record these in a table of their own, as in the example, or call
 * {@link createTable} from one of your own migrations.
 *
 * Errors: a `MigrationError` when `table` is not a valid name.
 *
 * @example
 * ```ts
 * import { loader } from "effect-session/SessionStore/Sql"
 * import { PgMigrator } from "@effect/sql-pg"
 *
 * const migrate = PgMigrator.run({ loader: loader(), table: "effect_session_migrations" })
 * ```
 *
 * @since 0.1.0
 * @category migrations
 */
export const loader = (options?: TableOptions): Migrator.Loader => {
  const name = Table.parseName(options?.table ?? Table.defaultName)
  return "message" in name
    ? Effect.fail(badMigration(`table: ${name.message}`))
    : Migrator.fromRecord({ "1_effect_session": createTable(options) })
}

/**
 * The backend and the index without a store, for `SessionStore.layerBackend` and `SessionStore.layerBackendIndexed`. The
 * table must exist.
 *
 * A statement that the database gave up in favour of another one (a deadlock, a serialization failure, a busy SQLite file) is
 * repeated. A statement that fails otherwise is a `SessionStoreError`, whose `detail` holds the driver's messages and codes
 * without what was quoted in them.
 *
 * Inside `sql.withTransaction`, reads of the session take part in the app's transaction, and writes do not: what was
 * committed, modified or flushed stays when the transaction is rolled back. On SQLite, which has one connection only, writes
 * take part, too.
 *
 * Errors: `SessionConfigError` when `table` is not a valid name, or when the client is one for another database.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import { layerBackend } from "effect-session/SessionStore/Sql"
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { Layer } from "effect"
 *
 * const SessionsLive = SessionStore.layerBackendIndexed({ expiry: "2 hours" }).pipe(
 *   Layer.provide(layerBackend({ table: "sessions" })),
 *   Layer.provide(SqliteClient.layer({ filename: "sessions.db" }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackend = (
  options?: TableOptions
): Layer.Layer<SessionBackend | SubjectIndex, SessionConfigError, SqlClient.SqlClient> =>
  Layer.effectContext(
    Effect.flatMap(SqlClient.SqlClient, (client) =>
      Effect.flatMap(fromEither(resolveTable(client, options)), ({ dialect, table }) =>
        Effect.map(Executor.make(dialect, client), (executor) => {
          const statements = Statements.make(dialect, table)
          return Context.make(SessionBackend, Backend.make(executor, statements)).pipe(
            Context.add(SubjectIndex, Index.make(executor, statements))
          )
        })))
  )

/**
 * The options of a store in a table.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SessionStore.ServerOptions, TableOptions {}

/**
 * A store in the database of the app's `SqlClient`, with the sessions of a subject. The table must exist: see
 * {@link createTable} and {@link loader}.
 *
 * Every instance of the app removes expired rows in the background, in small steps. Instances do not wait for each other.
 *
 * Errors: `SessionConfigError` at start-up, with every mistake in the options.
 *
 * @example
 * ```ts
 * import { layer } from "effect-session/SessionStore/Sql"
 * import { PgClient } from "@effect/sql-pg"
 * import { Config, Layer } from "effect"
 *
 * const SessionsLive = layer({ expiry: "2 hours", table: "app.sessions" }).pipe(
 *   Layer.provide(PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError, SqlClient.SqlClient> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * {@link layer} with its options from `Config`.
 *
 * `SessionConfig.duration` reads a number of seconds, or a duration with its unit. `Config.duration` reads the latter only.
 *
 * Errors: those of {@link layer}, and `ConfigError` when a value is missing or invalid.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { layerConfig } from "effect-session/SessionStore/Sql"
 * import { Config } from "effect"
 *
 * const SessionsLive = layerConfig({
 *   table: Config.string("SESSION_TABLE"),
 *   expiry: SessionConfig.duration("SESSION_EXPIRY")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<
  SessionStore.SessionStore | Sessions | SessionList,
  SessionConfigError | ConfigError,
  SqlClient.SqlClient
> => Layer.unwrapEffect(Effect.map(unwrap(config), layer))
