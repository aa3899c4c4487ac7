/**
 * Sessions in Redis or Valkey, through `ioredis` (an optional peer dependency: `npm i "ioredis@^5.6.0"`). With `redis`
 * (node-redis) take `effect-session/SessionStore/NodeRedis`, which is the same store.
 *
 * Each session is one hash, and each atomic step is one Lua script on one key. Therefore the store runs on a single server,
 * behind Sentinel and on a Cluster, from Redis 6.2 and Valkey 7.2 on. The stored time and Effect's clock decide when a session
 * is over. Redis removes it by itself an hour later, so that a clock that is wrong by less than an hour ends no session early.
 *
 * Configure Redis so that it does not lose sessions that you want to keep. Set `maxmemory-policy noeviction`, because any other
 * policy signs users out when memory runs short, and switch persistence on (`appendonly yes`).
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import type { RedisClient } from "../internal/redis/client.js"
import { connect, type RedisSettings } from "../internal/redis/connection.js"
import { services } from "../internal/redis/services.js"
import type { SessionBackend, SubjectIndex } from "../SessionBackend.js"
import type { SessionConfigError } from "../SessionError.js"
import type { SessionList, Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

export type { RedisClient } from "../internal/redis/client.js"
export type { RedisSettings } from "../internal/redis/connection.js"

/**
 * The names of the keys in Redis.
 *
 * - `prefix`: what every key begins with, by default `session:`. Apps that share a Redis need a prefix each.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrefixOptions {
  readonly prefix?: string | undefined
}

/**
 * Options of a layer that makes its own client.
 *
 * - `redis`: where Redis is, by default at `localhost:6379`.
 *
 * @since 0.1.0
 * @category models
 */
export interface BackendOptions extends PrefixOptions {
  readonly redis?: RedisSettings | undefined
}

/**
 * Options of a layer that is given its client.
 *
 * - `client`: a `Redis` or a `Cluster` of `ioredis`, see {@link layerBackendClient}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientOptions extends PrefixOptions {
  readonly client: RedisClient
}

/**
 * The adapter alone, with a client of its own that is closed with the layer's scope.
 *
 * The layer waits up to five seconds for the first connection. An app also starts while Redis cannot be reached. Calls fail with
 * `SessionStoreError` until it can.
 *
 * Fails with `SessionConfigError` when `redis.url` is not a URL of Redis.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackend = (
  options?: BackendOptions
): Layer.Layer<SessionBackend | SubjectIndex, SessionConfigError> =>
  Layer.scopedContext(
    Effect.map(connect(options?.redis ?? {}), ({ client, watch }) => services(client, watch, options?.prefix))
  )

/**
 * The adapter alone, over a client that the app makes and closes.
 *
 * Make a `Redis` with `enableOfflineQueue: false`, `maxRetriesPerRequest: 0` and `autoResendUnfulfilledCommands: false`. Make a
 * `Cluster` with `enableOfflineQueue: false` and `retryDelayOnFailover: 0`, and without `scaleReads`. With the defaults of
 * `ioredis` a command waits for a connection, and it is sent again after the connection was lost, so that a write may be applied
 * twice, or after its request was answered with a failure. And a replica may still return a session that was ended.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackendClient = (options: ClientOptions): Layer.Layer<SessionBackend | SubjectIndex> =>
  Layer.succeedContext(services(options.client, undefined, options.prefix))

/**
 * Options of a store with a client of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SessionStore.ServerOptions, BackendOptions {}

/**
 * Options of a store over a client that the app has made.
 *
 * @since 0.1.0
 * @category models
 */
export interface OptionsWithClient extends SessionStore.ServerOptions, ClientOptions {}

/**
 * A store in Redis with a client of its own, and with the sessions of a subject. See {@link layerBackend} for the client.
 *
 * Fails with `SessionConfigError` at start-up when an option is wrong.
 *
 * @example
 * ```ts
 * import { layer } from "effect-session/SessionStore/Redis"
 *
 * const SessionsLive = layer({ redis: { host: "127.0.0.1", port: 6379 }, prefix: "shop:", expiry: "2 hours" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * The same as {@link layer}, with its options from `Config`.
 *
 * `SessionConfig.duration` accepts a number of seconds or a duration with its unit, as `SessionConfig.fromConfig` does.
 * `Config.duration` accepts only a duration with its unit.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { layerConfig } from "effect-session/SessionStore/Redis"
 * import { Config } from "effect"
 *
 * const SessionsLive = layerConfig({
 *   redis: { url: Config.redacted("REDIS_URL") },
 *   expiry: SessionConfig.duration("SESSION_EXPIRY")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError | ConfigError> =>
  Layer.unwrapEffect(Effect.map(unwrap(config), layer))

/**
 * A store over a client that the app has made, and with the sessions of a subject. See {@link layerBackendClient} for how to make
 * the client.
 *
 * Fails with `SessionConfigError` at start-up when an option is wrong.
 *
 * @example
 * ```ts
 * import { layerClient } from "effect-session/SessionStore/Redis"
 * import { Cluster } from "ioredis"
 *
 * const client = new Cluster([{ host: "10.0.0.1", port: 6379 }], {
 *   enableOfflineQueue: false,
 *   retryDelayOnFailover: 0
 * })
 *
 * const SessionsLive = layerClient({ client, expiry: "2 hours" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (
  options: OptionsWithClient
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackendClient(options))
