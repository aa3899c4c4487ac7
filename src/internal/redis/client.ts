/**
 * What the Redis store needs of a client, and the settings of one that it opens itself.
 */
import type * as Redacted from "effect/Redacted"
import type { RedisOptions } from "ioredis"

/**
 * Where Redis is: `url` (`redis://…`, `rediss://…`), or the options of `ioredis` (`host`, `port`, `path`, `tls`,
 * `sentinels`, …), or both. Without any, `localhost:6379`.
 *
 * Some options of `ioredis` cannot be set. They decide whether a command may wait for a connection or be sent twice: a
 * write would then be applied long after its request was told that it failed, or be applied again.
 *
 * @since 0.1.0
 * @category models
 */
export interface RedisSettings extends
  Omit<
    RedisOptions,
    | "autoResendUnfulfilledCommands"
    | "enableOfflineQueue"
    | "lazyConnect"
    | "maxRetriesPerRequest"
    | "monitor"
    | "password"
    | "readOnly"
    | "stringNumbers"
  >
{
  readonly url?: string | Redacted.Redacted<string> | undefined
  readonly password?: string | Redacted.Redacted<string> | undefined
}

/**
 * A client that the app made: `Redis` or `Cluster` of `ioredis`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RedisClient {
  readonly call: (command: string, args: Array<string>) => Promise<unknown>
  readonly callBuffer: (command: string, args: Array<string>) => Promise<unknown>
  readonly hgetallBuffer: (key: string) => Promise<unknown>
  readonly evalsha: (sha: string, keys: string, ...keysAndArguments: Array<string>) => Promise<unknown>
  readonly options?: { readonly enableAutoPipelining?: boolean | undefined }
  readonly stream?: { readonly cork: () => void; readonly uncork: () => void } | undefined
}
