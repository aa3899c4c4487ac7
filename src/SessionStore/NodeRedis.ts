/**
 * Sessions in Redis or Valkey, through `redis` (node-redis, an optional peer dependency: `npm i "redis@^5.12.0"`, or version 6).
 *
 * It is the same store as `effect-session/SessionStore/Redis`, which uses `ioredis`: same records, same scripts, same promises.
 * Processes with either client may share a Redis. What that module says about the configuration of Redis applies here, too.
 *
 * @since 1.0.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import type { RedisClient } from "../internal/redis/client.js"
import { connect, type NodeRedisSettings } from "../internal/redis/nodeConnection.js"
import * as internal from "../internal/redis/nodeRedis.js"
import { services } from "../internal/redis/services.js"
import type { SessionBackend, SubjectIndex } from "../SessionBackend.js"
import type { SessionConfigError } from "../SessionError.js"
import type { SessionList, Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

export type { RedisClient } from "../internal/redis/client.js"
export type { NodeRedisSettings } from "../internal/redis/nodeConnection.js"
export type { NodeRedisClient, NodeRedisCluster } from "../internal/redis/nodeRedis.js"

/**
 * Options of a layer that makes its own client.
 *
 * - `redis`: where Redis is, by default at `localhost:6379`.
 * - `prefix`: what every key begins with, by default `session:`. Apps that share a Redis need a prefix each.
 *
 * @since 1.0.0
 * @category models
 */
export interface BackendOptions {
  readonly redis?: NodeRedisSettings | undefined
  readonly prefix?: string | undefined
}

/**
 * Options of a layer that is given its client.
 *
 * - `client`: what {@link fromNodeRedis} or {@link fromNodeRedisCluster} returns.
 * - `prefix`: what every key begins with, by default `session:`.
 *
 * @since 1.0.0
 * @category models
 */
export interface ClientOptions {
  readonly client: RedisClient
  readonly prefix?: string | undefined
}

/**
 * A client or a pool that the app has made, for {@link layerClient}.
 *
 * Make it with `disableOfflineQueue: true`, connect it, and listen to its event `error`. Without that option a command waits for
 * a connection, so that a write may be applied after its request was answered with a failure.
 *
 * @since 1.0.0
 * @category clients
 */
export const fromNodeRedis: (client: internal.NodeRedisClient) => RedisClient = internal.fromClient

/**
 * A cluster that the app has made, for {@link layerClient}.
 *
 * Make it with `defaults: { disableOfflineQueue: true }`, connect it, and listen to its event `error`. Every command goes to the
 * primary of its key, also with `useReplicas`.
 *
 * @since 1.0.0
 * @category clients
 */
export const fromNodeRedisCluster: (cluster: internal.NodeRedisCluster) => RedisClient = internal.fromCluster

/**
 * The adapter alone, with a client of its own that is closed with the layer's scope.
 *
 * The layer waits up to five seconds for the first connection. An app also starts while Redis cannot be reached. Calls fail with
 * `SessionStoreError` until it can. A connection that has given no answer for five seconds, although commands wait for one, is
 * replaced.
 *
 * Fails with `SessionConfigError` when `redis.url` is not a URL of Redis.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerBackend = (
  options?: BackendOptions
): Layer.Layer<SessionBackend | SubjectIndex, SessionConfigError> =>
  Layer.scopedContext(
    Effect.map(connect(options?.redis ?? {}), ({ client, watch }) => services(client, watch, options?.prefix))
  )

/**
 * The adapter alone, over a client that the app makes, connects and closes.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerBackendClient = (options: ClientOptions): Layer.Layer<SessionBackend | SubjectIndex> =>
  Layer.succeedContext(services(options.client, undefined, options.prefix))

/**
 * Options of a store with a client of its own.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options extends SessionStore.ServerOptions, BackendOptions {}

/**
 * Options of a store over a client that the app has made.
 *
 * @since 1.0.0
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
 * import { layer } from "effect-session/SessionStore/NodeRedis"
 *
 * const SessionsLive = layer({ redis: { url: "redis://127.0.0.1:6379" }, prefix: "shop:", expiry: "2 hours" })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * The same as {@link layer}, with its options from `Config`.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { layerConfig } from "effect-session/SessionStore/NodeRedis"
 * import { Config } from "effect"
 *
 * const SessionsLive = layerConfig({
 *   redis: { url: Config.redacted("REDIS_URL") },
 *   expiry: SessionConfig.duration("SESSION_EXPIRY")
 * })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError | ConfigError> =>
  Layer.unwrapEffect(Effect.map(unwrap(config), layer))

/**
 * A store over a client that the app has made, and with the sessions of a subject.
 *
 * Fails with `SessionConfigError` at start-up when an option is wrong.
 *
 * @example
 * ```ts
 * import { fromNodeRedis, layerClient } from "effect-session/SessionStore/NodeRedis"
 * import { Effect, Layer } from "effect"
 * import { createClient } from "redis"
 *
 * const SessionsLive = Layer.unwrapScoped(Effect.gen(function*() {
 *   const client = createClient({ url: "redis://127.0.0.1:6379", disableOfflineQueue: true })
 *   client.on("error", () => {})
 *   yield* Effect.acquireRelease(Effect.promise(() => client.connect()), () => Effect.promise(() => client.close()))
 *   return layerClient({ client: fromNodeRedis(client), expiry: "2 hours" })
 * }))
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerClient = (
  options: OptionsWithClient
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackendClient(options))
