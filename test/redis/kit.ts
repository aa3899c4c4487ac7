/** Clients, prefixes and adapters for the tests of the Redis adapter. */
import {
  SessionBackend,
  type SessionBackendService,
  SubjectIndex,
  type SubjectIndexService
} from "effect-session/SessionBackend"
import type { ServerOptions } from "effect-session/SessionStore"
import * as NodeStore from "effect-session/SessionStore/NodeRedis"
import * as Store from "effect-session/SessionStore/Redis"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Cluster, Redis } from "ioredis"
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { createClient, createCluster } from "redis"
import { connect } from "../../src/internal/redis/connection.js"
import * as NodeConnection from "../../src/internal/redis/nodeConnection.js"
import { services } from "../../src/internal/redis/services.js"
import { describeWith, redis } from "../services.js"

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

export const take = (context: Context.Context<SessionBackend | SubjectIndex>): Adapter => ({
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

/** Where a server is, for each of the libraries. */
export interface Place {
  readonly port: number
  readonly password?: string
  /** by which CLIENT LIST names the connection */
  readonly name?: string
}

/** A client library that the store works with. */
export interface Library {
  readonly library: string
  /** the adapter with a client of its own */
  readonly adapterAt: (place: Place, prefix?: string) => ReturnType<typeof adapter>
  /** as `own`, over this library */
  readonly own: typeof own
  /** What a call fails with while there is no connection. */
  readonly offline: RegExp
  readonly store: (place: Place, options: ServerOptions) => ReturnType<typeof Store.layer>
  /** The adapter over a connection that counts as hanging after so many milliseconds without an answer. */
  readonly watchful: (place: Place, silence: number) => Effect.Effect<Adapter, unknown, Scope.Scope>
  /** The adapter over a cluster, of which one node is known. */
  readonly clustered: (place: Place) => Effect.Effect<Adapter, never, Scope.Scope>
}

export const ioredis: Library = {
  library: "ioredis",
  adapterAt: ({ name, password, port }, prefix) =>
    adapter({
      redis: {
        host: "127.0.0.1",
        port,
        ...(password === undefined ? undefined : { password }),
        ...(name === undefined ? undefined : { connectionName: name })
      },
      prefix
    }),
  own,
  offline: /writ|closed/,
  store: ({ port }, options) => Store.layer({ redis: { host: "127.0.0.1", port }, ...options }),
  watchful: ({ port }, silence) =>
    Effect.map(connect({ host: "127.0.0.1", port }, silence), ({ client, watch }) => take(services(client, watch))),
  clustered: ({ port }) =>
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.promise(async () => {
          const cluster = new Cluster([{ host: "127.0.0.1", port }], {
            enableOfflineQueue: false,
            retryDelayOnFailover: 0,
            redisOptions: { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }
          })
          while (cluster.status !== "ready") await sleep(10)
          return cluster
        }),
        (cluster) => Effect.sync(() => cluster.disconnect())
      ),
      (client) => adapterOver(client, "session:")
    )
}

export const nodeRedis: Library = {
  library: "node-redis",
  adapterAt: ({ name, password, port }, prefix) =>
    Effect.map(
      Layer.build(NodeStore.layerBackend({
        redis: {
          socket: { host: "127.0.0.1", port },
          ...(password === undefined ? undefined : { password }),
          ...(name === undefined ? undefined : { name })
        },
        prefix
      })),
      take
    ),
  own: Effect.gen(function*() {
    const prefix = yield* ownPrefix
    const client = yield* plainClient
    const layer = NodeStore.layerBackend({ redis: { url: redis.url }, prefix })
    return { prefix, client, ...take(yield* Layer.build(layer)) }
  }),
  offline: /offline|closed/,
  store: ({ port }, options) => NodeStore.layer({ redis: { socket: { host: "127.0.0.1", port } }, ...options }),
  watchful: ({ port }, silence) =>
    Effect.map(
      NodeConnection.connect({ socket: { host: "127.0.0.1", port } }, silence),
      ({ client, watch }) => take(services(client, watch))
    ),
  clustered: ({ port }) =>
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.promise(async () => {
          const cluster = createCluster({
            rootNodes: [{ socket: { host: "127.0.0.1", port } }],
            defaults: { disableOfflineQueue: true },
            useReplicas: true
          })
          cluster.on("error", () => {})
          await cluster.connect()
          return cluster
        }),
        (cluster) => Effect.promise(() => cluster.close())
      ),
      (cluster) => adapterOver(NodeStore.fromNodeRedisCluster(cluster), "session:")
    )
}

/** A connected client of node-redis, as an app makes it; `resp` is the version of the protocol. */
export const nodeClient = (resp: 2 | 3) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = createClient({ url: redis.url, disableOfflineQueue: true, RESP: resp })
      client.on("error", () => {})
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

/** The tests over the machine's Redis, once with each library. */
export const describeEach = (title: string, body: (library: Library) => void): void => {
  for (const each of [ioredis, nodeRedis]) {
    describeWith(redis, `Redis through ${each.library}: ${title}`, () => body(each))
  }
}

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
