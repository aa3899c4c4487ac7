/** Clients, prefixes and adapters for the tests of the Redis adapter. */
import {
  SessionBackend,
  type SessionBackendService,
  SubjectIndex,
  type SubjectIndexService
} from "effect-session/SessionBackend"
import * as Store from "effect-session/SessionStore/Redis"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Redis } from "ioredis"
import { randomBytes } from "node:crypto"
import { redis } from "../services.js"

export * from "./records.js"

/** Every key below a prefix. */
export const keysOf = async (client: Redis, prefix: string): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  let cursor = "0"
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", `${prefix}*`, "COUNT", 1000)
    cursor = next
    for (const key of keys) found.push(key)
  } while (cursor !== "0")
  return found
}

/** A prefix of the test's own on the machine's Redis; what is below it goes with the scope. */
export const ownPrefix = Effect.acquireRelease(
  Effect.sync(() => `effect-session-test:${randomBytes(8).toString("hex")}:`),
  (prefix) =>
    Effect.promise(async () => {
      const client = new Redis(redis.url)
      const keys = await keysOf(client, prefix)
      for (let i = 0; i < keys.length; i += 1000) await client.unlink(keys.slice(i, i + 1000))
      client.disconnect()
    })
)

/** A plain client on the machine's Redis, to look and to meddle with. */
export const plainClient = Effect.acquireRelease(
  Effect.sync(() => new Redis(redis.url)),
  (client) => Effect.sync(() => client.disconnect())
)

export interface Adapter {
  readonly backend: SessionBackendService
  readonly index: SubjectIndexService
}

const take = (context: Context.Context<SessionBackend | SubjectIndex>): Adapter => ({
  backend: Context.get(context, SessionBackend),
  index: Context.get(context, SubjectIndex)
})

export const adapter = (options: Store.BackendOptions) => Effect.map(Layer.build(Store.layerBackend(options)), take)

export const adapterOver = (client: Store.RedisClient, prefix: string) =>
  Effect.map(Layer.build(Store.layerBackendClient({ client, prefix })), take)

/** The adapter on the machine's Redis, under a prefix of its own, with a plain client beside it. */
export const own = Effect.gen(function*() {
  const prefix = yield* ownPrefix
  const client = yield* plainClient
  return { prefix, client, ...(yield* adapter({ redis: { url: redis.url }, prefix })) }
})

export interface Call {
  readonly command: string
  readonly args: ReadonlyArray<string>
}

/**
 * A client that notes every command, and may keep one back, fail it before the server saw it, or lose its reply:
 * `before` and `after` see the command.
 */
export const watched = (
  client: Redis,
  calls: Array<Call>,
  hooks: {
    readonly before?: (call: Call) => Promise<unknown> | undefined
    readonly after?: (call: Call) => Promise<unknown> | undefined
  } = {}
): Store.RedisClient => {
  const pass = async (command: string, args: ReadonlyArray<string>, send: () => Promise<unknown>) => {
    const call = { command, args }
    calls.push(call)
    await hooks.before?.(call)
    const reply = await send()
    await hooks.after?.(call)
    return reply
  }
  return {
    call: (command, args) => pass(command, args, () => client.call(command, args)),
    callBuffer: (command, args) => pass(command, args, () => client.callBuffer(command, args)),
    hgetallBuffer: (key) => pass("hgetall", [key], () => client.hgetallBuffer(key)),
    evalsha: (sha, keys, ...args) => pass("EVALSHA", [sha, keys, ...args], () => client.evalsha(sha, keys, ...args))
  }
}
