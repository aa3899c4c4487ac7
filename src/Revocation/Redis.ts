/**
 * Revocations of cookie sessions in Redis or Valkey, through `ioredis` (an optional peer dependency:
 * `npm i "ioredis@^5.6.0"`).
 *
 * Each entry is one key with a text of at most 60 bytes, which Redis removes by itself. A check reads one key for an anonymous
 * session, and two for one of a subject, in one round trip. It works on a single server, behind Sentinel and on a Cluster,
 * from Redis 6.2 and Valkey 7.2 on.
 *
 * Redis must not lose entries: a session that was ended would be alive again. Set `maxmemory-policy noeviction`, and switch
 * persistence on (`appendonly yes`).
 *
 * @since 1.0.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import type { RedisClient } from "../internal/redis/client.js"
import { Commands } from "../internal/redis/commands.js"
import { connect, type RedisSettings } from "../internal/redis/connection.js"
import * as redisRevocation from "../internal/redis/revocation.js"
import { Revocation } from "../Revocation.js"
import type { SessionConfigError } from "../SessionError.js"

export type { RedisClient } from "../internal/redis/client.js"
export type { RedisSettings } from "../internal/redis/connection.js"

/**
 * The names of the keys in Redis.
 *
 * - `prefix`: what every key begins with, by default `session-revoked:`. Apps that share a Redis need a prefix each.
 *
 * @since 1.0.0
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
 * @since 1.0.0
 * @category models
 */
export interface Options extends PrefixOptions {
  readonly redis?: RedisSettings | undefined
}

/**
 * Options of a layer that is given its client.
 *
 * - `client`: a `Redis` or a `Cluster` of `ioredis`, of which `SessionStore/Redis` says with which options to make it; or a client
 *   of `redis` (node-redis) by `NodeRedis.fromNodeRedis`.
 *
 * @since 1.0.0
 * @category models
 */
export interface OptionsWithClient extends PrefixOptions {
  readonly client: RedisClient
}

const defaultPrefix = "session-revoked:"

/**
 * Keeps the revocations in Redis, with a client of its own that is closed with the layer's scope.
 *
 * The layer waits up to five seconds for the first connection. An app also starts while Redis cannot be reached, and its
 * session operations fail with `SessionStoreError` until it can.
 *
 * Fails with `SessionConfigError` when `redis.url` is not a URL of Redis.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import { layer } from "effect-session/Revocation/Redis"
 * import { Layer } from "effect"
 *
 * const SessionsLive = SessionStore.layerCookieRevocableConfig("SESSION_SECRET", { expiry: "2 hours" }).pipe(
 *   Layer.provide(layer({ redis: { host: "127.0.0.1", port: 6379 }, prefix: "shop-revoked:" }))
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Revocation, SessionConfigError> =>
  Layer.scoped(
    Revocation,
    Effect.map(
      connect(options.redis ?? {}),
      ({ client, watch }) => redisRevocation.make(new Commands(client, watch), options.prefix ?? defaultPrefix)
    )
  )

/**
 * The same as {@link layer}, with its options from `Config`.
 *
 * @example
 * ```ts
 * import { layerConfig } from "effect-session/Revocation/Redis"
 * import { Config } from "effect"
 *
 * const RevocationLive = layerConfig({ redis: { url: Config.redacted("REDIS_URL") } })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<Revocation, SessionConfigError | ConfigError> => Layer.unwrapEffect(Effect.map(unwrap(config), layer))

/**
 * Keeps the revocations in Redis, over a client that the app makes and closes. A client that reads from replicas may let a
 * session pass that was ended a moment ago.
 *
 * @example
 * ```ts
 * import { layerClient } from "effect-session/Revocation/Redis"
 * import { Redis } from "ioredis"
 *
 * const client = new Redis({
 *   enableOfflineQueue: false,
 *   maxRetriesPerRequest: 0,
 *   autoResendUnfulfilledCommands: false
 * })
 *
 * const RevocationLive = layerClient({ client })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerClient = (options: OptionsWithClient): Layer.Layer<Revocation> =>
  Layer.sync(
    Revocation,
    () => redisRevocation.make(new Commands(options.client, undefined), options.prefix ?? defaultPrefix)
  )
