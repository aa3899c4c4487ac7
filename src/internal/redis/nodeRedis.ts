/**
 * The clients of `redis` (node-redis) in the form that the store's commands use. Nothing of that package is imported here.
 */
import type { RedisClient } from "./client.js"

/** The first byte of a reply in Redis's protocol, by which node-redis names the types of replies. */
const [text, bulk, verbatim, map] = ["+", "$", "=", "%"].map((byte) => byte.charCodeAt(0))

/** A client may be set to decode replies into anything. Every command therefore says what it wants. */
const texts = { typeMapping: { [text]: String, [bulk]: String, [verbatim]: String, [map]: Array } }
const buffers = { typeMapping: { [text]: Buffer, [bulk]: Buffer, [verbatim]: Buffer, [map]: Array } }

/** What a command says of its reply. It is part of the options that node-redis takes with a command. */
interface ReplyOptions {
  readonly typeMapping?: object | undefined
}

type Send = (args: ReadonlyArray<string>, options: ReplyOptions) => Promise<unknown>

const over = (send: Send): RedisClient => ({
  call: (command, args) => send([command, ...args], texts),
  callBuffer: (command, args) => send([command, ...args], buffers),
  hgetallBuffer: (key) => send(["HGETALL", key], buffers),
  evalsha: (sha, keys, ...rest) => send(["EVALSHA", sha, keys, ...rest], texts)
})

/**
 * A client or a pool of node-redis, as `createClient` and `createClientPool` make them.
 *
 * @since 1.0.0
 * @category models
 */
export interface NodeRedisClient {
  sendCommand(args: Array<string>, options?: ReplyOptions): Promise<unknown>
}

export const fromClient = (client: NodeRedisClient): RedisClient =>
  over((args, options) => client.sendCommand(args as Array<string>, options)) // `over` gives each command a list of its own

/**
 * A cluster of node-redis, as `createCluster` makes it.
 *
 * @since 1.0.0
 * @category models
 */
export interface NodeRedisCluster {
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: Array<string>,
    options?: ReplyOptions
  ): Promise<unknown>
}

/** Every command goes to the primary of its key: a replica may still have a session that was ended. */
export const fromCluster = (cluster: NodeRedisCluster): RedisClient =>
  over((args, options) => cluster.sendCommand(keyOf(args), false, args as Array<string>, options))

/** A script's key stands behind its name and the number of keys. */
const keyOf = (args: ReadonlyArray<string>): string => args[0].startsWith("EVAL") ? args[3] : args[1]
