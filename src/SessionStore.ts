/**
 * The store of the sessions. An app chooses one by providing its layer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { FileConfig } from "./internal/config/model.js"
import { anyStore, configured, type ServerOf, serverStore } from "./internal/layers/configured.js"
import type {
  CookieConfigOptions,
  CookieOptions,
  DevelopmentOptions,
  MemoryOptions,
  ServerOptions
} from "./internal/layers/stores.js"
import * as stores from "./internal/layers/stores.js"
import { SessionStore } from "./internal/store/contract.js"
import type { SessionConfigOptions } from "./internal/store/options.js"
import type { Revocation } from "./internal/store/revocation.js"
import type { SessionList, Sessions } from "./internal/store/subjectContract.js"
import type { SessionBackend, SubjectIndex } from "./SessionBackend.js"
import type { SessionConfigError, SessionStoreError } from "./SessionError.js"

export type {
  CookieConfigOptions,
  CookieOptions,
  DevelopmentOptions,
  MemoryOptions,
  ServerOptions
} from "./internal/layers/stores.js"
export {
  type Base,
  type Empty,
  type Found,
  type Loaded,
  type Modified,
  type Save,
  type Saved,
  SessionStore,
  type SessionStoreService
} from "./internal/store/contract.js"

// ── layers ──

/**
 * Keeps each session in its cookie, sealed with AES-256-GCM. Nothing is kept on the server.
 *
 * It suits small data, because the cookie's name and value may have at most 4096 bytes together. The server cannot revoke
 * such a session (see {@link layerCookieRevocable}), and an older seal can be read again until it expires. So counters,
 * one-time tokens and balances do not belong here. Parallel requests of one browser overwrite each other's changes. A session ends 30 days after its creation
 * unless `absoluteExpiry` says otherwise.
 *
 * The layer fails with `SessionConfigError` when the options are wrong.
 *
 * @example
 * ```ts
 * import { KeyRing, SessionStore } from "effect-session"
 * import { Config, Effect, Layer } from "effect"
 *
 * const SessionsLive = Layer.unwrapEffect(Effect.gen(function*() {
 *   const keys = yield* Effect.flatMap(Config.redacted("SESSION_SECRET"), KeyRing.derive)
 *   return SessionStore.layerCookie({ keys, expiry: "1 hour" })
 * }))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerCookie: (options: CookieOptions) => Layer.Layer<SessionStore, SessionConfigError> = stores.cookie

/**
 * Provides the store of {@link layerCookie} with a key from the environment, or from any other `ConfigProvider`.
 *
 * - `secret`: the name of the variable that holds a random secret of at least 32 bytes, such as the output of
 *   `openssl rand -base64 32`. The key is derived from it, as by `KeyRing.derive`.
 * - `options`: the options of the cookie and of the session. While a key is being replaced, `previousSecrets` names the variables
 *   of older secrets.
 *
 * The layer fails with `SessionConfigError` when a secret is missing, too short or a template that nothing expanded, and when
 * the options are wrong. It reports all mistakes at once.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 *
 * const SessionsLive = SessionStore.layerCookieConfig("SESSION_SECRET", { expiry: "1 hour" })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerCookieConfig: (
  secret: string,
  options?: CookieConfigOptions
) => Layer.Layer<SessionStore, SessionConfigError> = stores.cookieConfig

/**
 * {@link layerCookie} with sessions that the server can end. Nobody signs in with a cookie of such a session after it was
 * flushed, renewed or revoked. `RequestContext.bind` and `Sessions.revokeAll` need this layer or a server store.
 *
 * `Revocation` keeps which sessions are over, and nothing of the others. Each request that carries a session asks it once; a
 * request without one does not. If it fails, the operation fails with `SessionStoreError` (503): a session that
 * could not be checked is never accepted. `storeTimeout`, `cleanupInterval` and `renewGrace` hold as on a server store.
 *
 * An older seal of a session that lives can still be read again. Sessions of {@link layerCookie} open, but those of signed-in
 * users do not open there.
 *
 * The layer fails with `SessionConfigError` when the options are wrong.
 *
 * @example
 * ```ts
 * import { KeyRing, SessionStore } from "effect-session"
 * import * as RevocationRedis from "effect-session/Revocation/Redis"
 * import { Config, Effect, Layer } from "effect"
 *
 * const SessionsLive = Layer.unwrapEffect(Effect.gen(function*() {
 *   const keys = yield* Effect.flatMap(Config.redacted("SESSION_SECRET"), KeyRing.derive)
 *   return SessionStore.layerCookieRevocable({ keys, expiry: "1 hour" })
 * })).pipe(Layer.provide(RevocationRedis.layer({ redis: { host: "127.0.0.1" } })))
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerCookieRevocable: (
  options: CookieOptions
) => Layer.Layer<SessionStore | Sessions, SessionConfigError, Revocation> = stores.cookieRevocable

/**
 * Provides the store of {@link layerCookieRevocable} with a key from the environment, as {@link layerCookieConfig} does.
 *
 * The layer fails with `SessionConfigError` when a secret or an option is wrong. It reports all mistakes at once.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import * as RevocationSql from "effect-session/Revocation/Sql"
 * import { PgClient } from "@effect/sql-pg"
 * import { Config, Layer } from "effect"
 *
 * const SessionsLive = SessionStore.layerCookieRevocableConfig("SESSION_SECRET", { expiry: "1 hour" }).pipe(
 *   Layer.provide(RevocationSql.layer()),
 *   Layer.provide(PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") }))
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerCookieRevocableConfig: (
  secret: string,
  options?: CookieConfigOptions
) => Layer.Layer<SessionStore | Sessions, SessionConfigError, Revocation> = stores.cookieRevocableConfig

/**
 * Keeps the sessions in a `SessionBackend`. The cookie holds a random token, and the backend holds a record under the
 * token's hash.
 *
 * The layer fails with `SessionConfigError` when the options are wrong.
 *
 * @example
 * ```ts
 * import { SessionBackend, SessionStore } from "effect-session"
 * import { Layer } from "effect"
 *
 * declare const MyBackend: Layer.Layer<SessionBackend.SessionBackend>
 *
 * const SessionsLive = SessionStore.layerBackend({ expiry: "2 hours" }).pipe(Layer.provide(MyBackend))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackend: (
  options?: SessionConfigOptions
) => Layer.Layer<SessionStore, SessionConfigError, SessionBackend> = stores.backend

/**
 * {@link layerBackend} for a backend that has an index of each subject's sessions. It also provides `Sessions` and
 * `SessionList`, and `RequestContext.bind` keeps a subject within `subjectBound`.
 *
 * The layer fails with `SessionConfigError` when the options are wrong.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackendIndexed: (
  options?: ServerOptions
) => Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError, SessionBackend | SubjectIndex> =
  stores.backendIndexed

/**
 * Keeps the sessions in the memory of this process. It suits development, tests, and an app that runs as one process and
 * may forget its sessions when it restarts.
 *
 * The store is bounded by the number and by the size of its sessions. When it is full it evicts anonymous sessions first,
 * and the sessions of signed-in users (`RequestContext.bind`) only when no other is left.
 *
 * The layer fails with `SessionConfigError` when the options are wrong.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 *
 * const SessionsLive = SessionStore.layerMemory({ secure: false, expiry: "1 hour", maxSessions: 50_000 })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: (
  options?: MemoryOptions
) => Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError> = stores.memory

/**
 * Provides the store of {@link layerMemory} for your own machine. Its cookie travels over plain HTTP, so that
 * `http://localhost` works in every browser.
 *
 * The layer fails with `SessionConfigError` under `NODE_ENV=production`, and when the options are wrong.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 *
 * const SessionsLive = process.env.NODE_ENV === "production"
 *   ? SessionStore.layerCookieConfig("SESSION_SECRET")
 *   : SessionStore.layerDevelopment()
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerDevelopment: (
  options?: DevelopmentOptions
) => Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError> = stores.development

/**
 * What `Tower` in a configuration stands for: a function from the configured options to the layer of a store, or the
 * layer of a backend.
 *
 * @since 0.1.0
 * @category models
 */
export type Server<E = never, R = never> = ServerOf<SessionStore, SessionBackend, SessionConfigOptions, E, R>

/**
 * The same as {@link Server} for an app that lists, bounds or revokes the sessions of its subjects: the store or the
 * backend must have an index of them.
 *
 * @since 0.2.0
 * @category models
 */
export type IndexedServer<E = never, R = never> = ServerOf<
  SessionStore | Sessions | SessionList,
  SessionBackend | SubjectIndex,
  ServerOptions,
  E,
  R
>

/**
 * Provides the store that the configuration names: `Cookie`, `Memory`, or, for `Tower`, the `server` that the app gives.
 *
 * - `server`: the store or backend that `Tower` stands for. Without it, an app whose configuration says `Tower` does not start.
 * - `from`: where the configuration comes from. The default is `SessionConfig.fromFile()`, which reads
 *   `config/<environment>.yaml`; `SessionConfig.fromConfig` reads environment variables.
 * - `options`: options in code, such as `commitWhen`, which no file can hold. If both set the same option, the configuration
 *   wins.
 *
 * The layer fails with `SessionConfigError` when the configuration or the options are wrong. An app that uses
 * `RequestContext.bind` or `Sessions` needs {@link layerConfigServer}, because a session in a cookie cannot be revoked.
 *
 * @example
 * ```ts
 * import { SessionConfig, SessionStore } from "effect-session"
 *
 * // config/<environment>.yaml
 * const SessionsLive = SessionStore.layerConfig({ server: (options) => SessionStore.layerMemory(options) })
 *
 * // SESSION_STORE, SESSION_EXPIRY, …
 * const FromEnvironment = SessionStore.layerConfig({
 *   from: SessionConfig.fromConfig,
 *   options: { commitWhen: (status) => status < 400 }
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = <E = never, R = never, E2 = never, R2 = never>(
  options: {
    readonly server?: Server<E, R> | undefined
    readonly from?: Effect.Effect<FileConfig, SessionConfigError | E2, R2> | undefined
    readonly options?: SessionConfigOptions | undefined
  } = {}
): Layer.Layer<SessionStore, SessionConfigError | E | E2, R | R2> => configured(anyStore, options)

/**
 * {@link layerConfig} for an app that needs `Sessions` or `RequestContext.bind`. The configuration may say `Memory` or
 * `Tower`.
 *
 * - `server`: what `Tower` stands for: a function from the options to a store that also provides `Sessions`, or the layer
 *   of a backend and its index.
 * - `from`: as in {@link layerConfig}.
 * - `options`: as in {@link layerConfig}, and also `subjectBound`, for `Memory` and for the `server`.
 *
 * The layer fails with `SessionConfigError` when the configuration or the options are wrong, and when the configuration
 * says `Cookie`, which keeps nothing on the server that could be listed or revoked.
 *
 * @example
 * ```ts
 * import { SessionConfig, SessionStore } from "effect-session"
 * import * as RedisStore from "effect-session/SessionStore/Redis"
 *
 * const SessionsLive = SessionStore.layerConfigServer({
 *   from: SessionConfig.fromConfig,
 *   options: { subjectBound: { max: 5, whenFull: "evict-oldest" } },
 *   server: RedisStore.layerBackend()
 * })
 * ```
 *
 * @since 0.2.0
 * @category layers
 */
export const layerConfigServer = <E = never, R = never, E2 = never, R2 = never>(
  options: {
    readonly server?: IndexedServer<E, R> | undefined
    readonly from?: Effect.Effect<FileConfig, SessionConfigError | E2, R2> | undefined
    readonly options?: ServerOptions | undefined
  } = {}
): Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError | E | E2, R | R2> =>
  configured(serverStore, options)

// ── readiness ──

/**
 * Checks that the store can be reached, for the health endpoint of an app.
 *
 * A server store makes one cheap call to its backend, within `storeTimeout`. The memory store and the cookie store are always
 * ready. The check needs no request and no session.
 *
 * The effect fails with `SessionStoreError` when the backend fails or does not answer in time. The failure is logged and
 * counted as any other failure of the store is.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServerResponse } from "@effect/platform"
 * import { SessionStore } from "effect-session"
 * import { Effect } from "effect"
 *
 * const router = HttpRouter.empty.pipe(
 *   HttpRouter.get(
 *     "/health",
 *     SessionStore.ping.pipe(
 *       Effect.as(HttpServerResponse.empty()),
 *       Effect.catchTag("SessionStoreError", () => HttpServerResponse.empty({ status: 503 }))
 *     )
 *   )
 * )
 * ```
 *
 * @since 1.0.0
 * @category operations
 */
export const ping: Effect.Effect<void, SessionStoreError, SessionStore> = Effect.flatMap(
  SessionStore,
  (store) => store.ping
)

/**
 * How many sessions live, for a page of the operator. The gauge `effect_session_alive{cookie}` shows the number from then on.
 *
 * `None` where the store cannot count: the cookie store keeps no list, and Redis and `KeyValueStore` would have to read all keys.
 * SQL needs one query, which reads an index of all live sessions: poll it by the minute. The memory store knows the number,
 * and shows it in the gauge by itself after each clean-up; sessions that have expired since the last one are still in it.
 *
 * The effect fails with `SessionStoreError` when the backend fails or does not answer in time.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import { Effect, Schedule } from "effect"
 *
 * // beside the app, where the store is SQL
 * const poll = Effect.repeat(Effect.ignore(SessionStore.count), Schedule.spaced("1 minute"))
 * ```
 *
 * @since 1.0.0
 * @category operations
 */
export const count: Effect.Effect<Option.Option<number>, SessionStoreError, SessionStore> = Effect.flatMap(
  SessionStore,
  (store) => store.count
)
