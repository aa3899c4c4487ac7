/**
 * What the Redis store needs of a client.
 */

/**
 * A client of Redis: a `Redis` or a `Cluster` of `ioredis` as it is, or a client of `redis` (node-redis) by
 * `NodeRedis.fromNodeRedis`.
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
