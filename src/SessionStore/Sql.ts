/**
 * Sessions in a table of PostgreSQL, MySQL/MariaDB or SQLite, through the `SqlClient` that the app already has.
 *
 * @since 0.1.0
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import * as Backend from "../internal/sql/backend.js"
import * as Executor from "../internal/sql/executor.js"
import * as Failure from "../internal/sql/failure.js"
import * as Statements from "../internal/sql/statements.js"
import * as Table from "../internal/sql/table.js"
import { SessionBackend, SubjectIndex } from "../SessionBackend.js"
import { SessionConfigError } from "../SessionError.js"
import type { Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

/**
 * Which table.
 *
 * - `table`: default `effect_sessions`; a letter or `_`, then letters, digits and `_`, at most 55 characters, with at most
 *   one schema and a dot in front (`app.sessions`). It is quoted, hence kept in its case. PostgreSQL and MySQL have a
 *   second, small table beside it, `<table>_locks`.
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
  const dialect = client.onDialectOrElse({
    pg: (): Table.Dialect | undefined => "pg",
    mysql: (): Table.Dialect | undefined => "mysql",
    sqlite: (): Table.Dialect | undefined => "sqlite",
    orElse: () => undefined
  })
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

/** PostgreSQL's answer to two `CREATE … IF NOT EXISTS` at once: unique violation, duplicate table, duplicate object. */
const createRaces: ReadonlySet<string | number> = new Set(["23505", "42P07", "42710"])

const lostRace = (error: SqlError): boolean => {
  const { codes, contended } = Failure.describe(Cause.fail(error))
  return contended || codes.some((code) => createRaces.has(code))
}

/**
 * Creates the table, its indexes and its second table where they do not exist; any number of instances may do so at once.
 * Where they exist it only looks: a database role that may do no more than read and write rows can run it at every start.
 *
 * A schema in the name must exist. Errors: `SessionConfigError` for a name that is none, or a client for another database.
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
      Effect.flatMap(resolveTable(client, options), ({ table }) =>
        Effect.forEach(
          table.parts,
          ({ create, isThere }) =>
            Effect.flatMap(
              isThere === undefined
                ? Effect.succeed(false)
                : Effect.map(client.unsafe(isThere), (rows) => rows.length > 0),
              (there) =>
                there ? Effect.void : Effect.retry(client.unsafe(create), {
                  times: 8,
                  while: (error) => lostRace(error) ? Effect.as(Failure.backoff(1), true) : false
                })
            ),
          { discard: true }
        ))
  )

/**
 * The tables as a loader for `Migrator` of `@effect/sql`.
 *
 * Migrations are told apart by their number: give these a table of their own to be recorded in, or call
 * {@link createTable} from a migration of yours.
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
    ? Effect.fail(new Migrator.MigrationError({ reason: "bad-state", message: `table: ${name.message}` }))
    : Migrator.fromRecord({ "1_effect_session": createTable(options) })
}

/**
 * The adapter alone: what {@link layer} puts a store on. The table must exist.
 *
 * A statement that the database gave up in favour of another one (deadlock, serialization failure, SQLite's busy) is
 * repeated; one that failed otherwise is a `SessionStoreError`, whose detail holds the driver's messages and codes without
 * what was quoted in them.
 *
 * Inside `sql.withTransaction`, reading a session takes part in the app's transaction, writing it does not: what was
 * committed, modified or flushed stays when the transaction is rolled back. SQLite has one connection only: there writes
 * take part too.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackend = (
  options?: TableOptions
): Layer.Layer<SessionBackend | SubjectIndex, SessionConfigError, SqlClient.SqlClient> =>
  Layer.effectContext(
    Effect.flatMap(SqlClient.SqlClient, (client) =>
      Effect.flatMap(resolveTable(client, options), ({ dialect, table }) =>
        Effect.map(Executor.make(dialect, client), (executor) => {
          const { backend, index } = Backend.make(executor, Statements.make(dialect, table))
          return Context.make(SessionBackend, backend).pipe(Context.add(SubjectIndex, index))
        })))
  )

/**
 * Options of a store in a table.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SessionStore.ServerOptions, TableOptions {}

/**
 * A store in the database of the app's `SqlClient`, with the sessions of a subject. The table must exist: see
 * {@link createTable} and {@link loader}.
 *
 * Fails with `SessionConfigError` at start-up. Every instance of the app cleans up expired rows, in small steps that do
 * not wait for each other.
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
): Layer.Layer<SessionStore.SessionStore | Sessions, SessionConfigError, SqlClient.SqlClient> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * {@link layer}, with its options from `Config`.
 *
 * `SessionConfig.duration` takes a number of seconds or a duration with its unit; `Config.duration` takes the latter only.
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
): Layer.Layer<SessionStore.SessionStore | Sessions, SessionConfigError | ConfigError, SqlClient.SqlClient> =>
  Layer.unwrapEffect(Effect.map(unwrap(config), layer))
