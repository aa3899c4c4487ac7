/**
 * What the Redis store needs of a client, and the settings of a client that it opens itself.
 */
import type * as Redacted from "effect/Redacted"
import type { RedisOptions } from "ioredis"

/**
 * Where Redis is: a `url` (`redis://…`, `rediss://…`), the options of `ioredis` (`host`, `port`, `path`, `tls`, `sentinels`, …),
 * or both. The default is `localhost:6379`.
 *
 * Some options of `ioredis` cannot be set, because they decide whether a command may wait for a connection or be sent twice. A
 * write could then be applied long after its request was answered with a failure, or be applied twice.
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
 * A client that the app has made: a `Redis` or a `Cluster` of `ioredis`.
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
