import { expect, it } from "@effect/vitest"
import { SessionStore } from "effect-session"
import type { SessionStoreError } from "effect-session/SessionError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { Redis } from "ioredis"
import { setTimeout as sleep } from "node:timers/promises"
import * as Util from "node:util"
import { describeWith } from "../services.js"
import {
  type Adapter,
  data,
  ioredis,
  isThere,
  newId,
  nodeRedis,
  now,
  owned,
  patch,
  session,
  stored,
  times
} from "./kit.js"
import { redisServer, scoped, type Server } from "./server.js"

const secret = "a-value-of-the-session"

/** Every function of the adapter once, with a value in it. */
const everyCall = ({ backend, index }: Adapter): ReadonlyArray<Effect.Effect<unknown, SessionStoreError>> => [
  backend.find(newId(), now),
  backend.insert(newId(), session({ data: data({ secret }) }), now),
  backend.update(newId(), patch({ secret }), now),
  backend.update(newId(), patch({ secret }, { expiry: times() }), now),
  backend.remove(newId(), undefined, now),
  index.insert(newId(), owned(secret, { data: data({ secret }) }), now, { max: 3, whenFull: "evict-oldest" }),
  index.list(secret, now),
  index.forget(secret, newId())
]

/** Expects all calls to fail typed and soon, with a detail that says what happened and holds no value. */
const expectUnavailable = (adapter: Adapter, detail: RegExp, which: ReadonlyArray<number> = [0, 1, 2, 3, 4, 5, 6, 7]) =>
  Effect.gen(function*() {
    const calls = everyCall(adapter)
    for (const i of which) {
      const error = yield* Effect.flip(Effect.timeout(calls[i], "3 seconds"))
      expect(error).toMatchObject({ _tag: "SessionStoreError", reason: "Unavailable" })
      expect(String((error as SessionStoreError).detail)).toMatch(detail)
      expect(Util.inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
    }
  })

/** Waits until the adapter answers again, by trying as requests would. */
const untilBack = ({ backend }: Adapter) =>
  Effect.retry(backend.find(newId(), now), {
    schedule: undefined,
    times: 200,
    while: () => Effect.as(Effect.sleep(25), true)
  })

for (const { adapterAt, clustered, library, offline, store, watchful } of [ioredis, nodeRedis]) {
  describeWith(redisServer, `Redis through ${library}: a server of its own`, () => {
    it.scopedLive("S8: scripts that the server has lost are sent again while other calls are in progress", () =>
      Effect.gen(function*() {
        const server = yield* scoped()
        const { backend, index } = yield* adapterAt(server)
        const id = newId()
        const flush = Effect.promise(() => server.admin((client) => client.script("FLUSH")))
        yield* flush
        expect(yield* backend.insert(id, session({ owner: owned("ada").owner }), now)).toBe(true)
        yield* flush
        expect(yield* backend.update(id, patch({ a: "1" }), now, 1)).toMatchObject({ version: 2 })
        yield* flush
        expect(yield* backend.update(id, patch({ b: "1" }, { expiry: times() }), now, 2)).toMatchObject({ version: 3 })
        yield* flush
        expect(yield* index.insert(newId(), owned("ada"), now, { max: 1, whenFull: "evict-oldest" })).toBe("Inserted")
        const again = backend.update(newId(), patch({}), now) // one effect, run twice
        for (let i = 0; i < 2; i++) {
          yield* flush
          expect(yield* again).toEqual({ _tag: "Missing" })
        }
        yield* flush
        expect(yield* backend.remove(id, 3, now)).toBe("missing") // evicted: the refresh had entered it in the index
        const busy = newId()
        yield* backend.insert(busy, session(), now)
        yield* Effect.all([
          Effect.forEach(Array.from({ length: 200 }), () => backend.update(busy, patch({ a: "1" }), now), {
            concurrency: 20
          }),
          Effect.forEach(Array.from({ length: 20 }), () => flush)
        ], { concurrency: 2 })
        expect((yield* stored(backend, busy)).version).toBe(201)
      }))

    it.scopedLive("P7: the server sees one command for each call of the backend, and no other commands of the connection", () =>
      Effect.gen(function*() {
        const server = yield* scoped()
        const { backend } = yield* adapterAt(server)
        const id = newId()
        yield* backend.insert(id, session(), now)
        yield* backend.update(id, patch({}), now)
        yield* backend.remove(id, undefined, now)
        const seen: Array<string> = []
        const monitor = yield* Effect.acquireRelease(
          Effect.promise(() => server.admin((client) => client.monitor())),
          (client) => Effect.sync(() => client.disconnect())
        )
        monitor.on("monitor", (_: string, [command]: Array<string>, source: string) => {
          if (source !== "lua") seen.push(command.toUpperCase())
        })
        yield* backend.insert(id, session(), now)
        yield* backend.find(id, now)
        yield* backend.update(id, patch({ a: "1" }), now)
        yield* backend.remove(id, undefined, now)
        yield* Effect.promise(() => server.admin((client) => client.echo("end")))
        yield* Effect.promise(async () => {
          while (!seen.includes("ECHO")) await sleep(5)
        })
        const ours = seen.filter((command) =>
          ["HGETALL", "EVALSHA", "EVAL", "SCRIPT", "GET", "DEL", "PEXPIRE"].includes(command)
        )
        expect(ours).toEqual(["EVALSHA", "HGETALL", "EVALSHA", "EVALSHA"])
      }))

    it.scopedLive("P9: an update of one key costs the server and the network the same, whether the session has 1 key or 1,000", () =>
      Effect.gen(function*() {
        const server = yield* scoped()
        const { backend } = yield* adapterAt(server)
        const admin = yield* Effect.acquireRelease(
          Effect.sync(() => new Redis(server.port, "127.0.0.1")),
          (client) => Effect.sync(() => client.disconnect())
        )
        const costOf = (size: number) =>
          Effect.gen(function*() {
            const id = newId()
            const many = new Map(Array.from({ length: size }, (_, i) => [`key ${i}`, JSON.stringify("x".repeat(100))]))
            yield* backend.insert(id, session({ data: new Map([["count", "1"], ...many]) }), now)
            yield* backend.update(id, patch({ count: "1" }), now)
            const bytes = async () => {
              const info = await admin.info("stats")
              return ["input", "output"].map((way) =>
                Number(new RegExp(`total_net_${way}_bytes:(\\d+)`).exec(info)![1])
              )
            }
            const idle = yield* Effect.promise(async () => {
              const before = await bytes()
              const after = await bytes()
              return after.map((n, i) => n - before[i])
            })
            yield* Effect.promise(() => admin.config("RESETSTAT"))
            const before = yield* Effect.promise(bytes)
            yield* backend.update(id, patch({ count: "2" }), now)
            const after = yield* Effect.promise(bytes)
            const info = yield* Effect.promise(() => admin.info("commandstats"))
            const calls = ["evalsha", "hmget", "hset", "hgetall", "hkeys", "hvals", "hscan", "del", "hdel"].map((
              name
            ) => `${name} ${new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0}`)
            const [input, output] = after.map((n, i) => n - before[i] - idle[i])
            return { calls, input, output }
          })
        yield* costOf(1)
        const small = yield* costOf(1)
        const large = yield* costOf(1_000)
        expect(small.calls).toEqual([
          "evalsha 1",
          "hmget 1",
          "hset 1",
          "hgetall 0",
          "hkeys 0",
          "hvals 0",
          "hscan 0",
          "del 0",
          "hdel 0"
        ])
        expect(large.calls).toEqual(small.calls)
        // the size itself has more digits, and INFO's own numbers as well
        expect(Math.abs(large.input - small.input)).toBeLessThan(16)
        expect(Math.abs(large.output - small.output)).toBeLessThan(16)
      }))

    it.scopedLive("M5: when Redis is out of memory, read-only, without a password or forbids commands, calls fail typed and without values, and they succeed again afterwards", () =>
      Effect.gen(function*() {
        const server = yield* scoped()
        const layer = yield* adapterAt({ port: server.port, name: "ours" })
        const connection = Effect.promise(async () =>
          /id=(\d+) .*name=ours /.exec(String(await server.admin((client) => client.client("LIST"))))?.[1]
        )
        const set = (name: string, value: string) =>
          Effect.promise(() => server.admin((client) => client.config("SET", name, value)))
        const id = newId()
        yield* layer.backend.insert(id, session(), now)
        yield* untilBack(layer)

        yield* set("maxmemory", "1")
        yield* expectUnavailable(layer, /^OOM/, [1])
        const full = yield* Effect.flip(layer.backend.update(id, patch({ secret }), now))
        expect(full.detail).toMatch(/^OOM/)
        expect(yield* stored(layer.backend, id)).toEqual({ ...session(), version: 1 })
        // what makes room is possible
        expect(yield* layer.backend.remove(id, undefined, now)).toBe("removed")
        yield* set("maxmemory", "0")

        const replicaOf = (host: string, port: string) =>
          Effect.promise(() => server.admin((client) => client.call("REPLICAOF", [host, port])))
        const before = yield* connection
        yield* replicaOf("127.0.0.1", "1")
        const readOnly = yield* Effect.flip(layer.backend.insert(newId(), session({ data: data({ secret }) }), now))
        expect(readOnly.detail).toMatch(/^READONLY/)
        // who has become a replica keeps its connections: only a new one may find the new primary
        yield* untilBack(layer)
        expect(yield* connection).not.toBe(before)
        yield* replicaOf("NO", "ONE")
        yield* untilBack(layer)
        expect(yield* layer.backend.insert(id, session(), now)).toBe(true)

        // A server that names what was refused: the name is not told, and neither are the arguments.
        yield* Effect.promise(() =>
          server.admin((client) => client.call("ACL", ["SETUSER", "default", "-evalsha", "-eval", "-hgetall"]))
        )
        yield* expectUnavailable(layer, /^NOPERM/, [0, 1, 2, 3, 4, 5, 6])
        yield* Effect.promise(() => server.admin((client) => client.call("ACL", ["SETUSER", "default", "+@all"])))
        yield* untilBack(layer)

        yield* Effect.promise(() =>
          server.admin((client) => client.call("ACL", ["SETUSER", "default", ">hunter2", "resetpass", ">hunter2"]))
        )
        yield* Effect.promise(() =>
          server.admin((client) => client.client("KILL", "TYPE", "normal"), { password: "hunter2" })
        ).pipe(Effect.ignore)
        yield* Effect.sleep(300)
        yield* expectUnavailable(layer, /./)
        const right = yield* adapterAt({ port: server.port, password: "hunter2" })
        expect(yield* isThere(right.backend, id)).toBe(true)
      }))

    it.scopedLive("M5: an app starts while Redis is down; its calls fail typed and at once, it warns once, and it recovers when Redis is up", () =>
      Effect.gen(function*() {
        const server = yield* scoped()
        yield* Effect.promise(() => server.kill())
        const logs: Array<string> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void logs.push(String(message)))
        )
        const started = Date.now()
        const layer = yield* adapterAt(server).pipe(Effect.provide(logger))
        expect(Date.now() - started).toBeLessThan(4_000)
        yield* expectUnavailable(layer, offline)
        yield* Effect.sleep(500)
        expect(logs.filter((line) => line.includes("lost its connection"))).toHaveLength(1)
        yield* Effect.promise(() => server.start())
        yield* untilBack(layer)
        expect(yield* layer.backend.insert(newId(), session(), now)).toBe(true)
        expect(logs.filter((line) => line.includes("connected to Redis again"))).toHaveLength(1)
      }))

    it.scopedLive(
      "M5: when Redis is killed under load, every call returns, every acknowledged write survives, and nothing is written late",
      () =>
        Effect.gen(function*() {
          const server = yield* scoped("--appendonly", "yes", "--appendfsync", "always")
          const context = yield* Layer.build(
            store(server, { expiry: "1 hour", storeTimeout: "2 seconds", cleanupInterval: Infinity })
          )
          const layer = yield* adapterAt(server)
          yield* Effect.gen(function*() {
            const store = yield* SessionStore.SessionStore
            const create = store.save({
              base: undefined,
              patch: patch({ counter: "0" }, { expiry: times({ createdAt: now, refreshedAt: now }) }),
              renew: false,
              ifVersion: undefined,
              owner: undefined
            }, now)
            const write = (token: string, key: string) =>
              Effect.either(store.save({
                base: { token, session: undefined },
                patch: patch({ [key]: "1" }),
                renew: false,
                ifVersion: undefined,
                owner: undefined
              }, now))
            for (let round = 0; round < 3; round++) {
              const saved = yield* create
              if (saved._tag !== "Saved") return yield* Effect.dieMessage(saved._tag)
              const { id, token } = saved
              const acknowledged: Array<string> = []
              const whileDown: Array<string> = []
              let failures = 0
              let down = false
              let up = false
              let slowest = 0
              const user = (name: number) =>
                Effect.gen(function*() {
                  for (let i = 0; !up; i++) {
                    const key = `${name}-${i}`
                    const from = performance.now()
                    const wasDown = down
                    const result = yield* write(token, key)
                    slowest = Math.max(slowest, performance.now() - from)
                    if (Either.isRight(result)) {
                      expect(result.right._tag).toBe("Saved")
                      acknowledged.push(key)
                      yield* Effect.sleep(4) // all keys of two seconds have to fit the session
                    } else {
                      expect(result.left._tag).toBe("SessionStoreError")
                      failures++
                      if (wasDown && down) whileDown.push(key)
                      yield* Effect.sleep(5)
                    }
                  }
                })
              const users = yield* Effect.fork(
                Effect.forEach(Array.from({ length: 16 }, (_, i) => i), user, { concurrency: 16 })
              )
              yield* Effect.sleep(150)
              yield* Effect.promise(() => server.kill())
              yield* Effect.sleep(100)
              down = true
              yield* Effect.sleep(100)
              down = false
              yield* Effect.promise(() => server.start())
              yield* untilBack(layer)
              yield* Effect.sleep(1_500)
              up = true
              yield* Fiber.join(users)
              expect(slowest).toBeLessThan(2_500)
              expect(failures).toBeGreaterThan(0)
              expect(whileDown.length).toBeGreaterThan(0)
              const record = yield* stored(layer.backend, id)
              for (const key of acknowledged) expect([key, record.data.has(key)]).toEqual([key, true])
              for (const key of whileDown) expect([key, record.data.has(key)]).toEqual([key, false])
              expect(acknowledged.length).toBeGreaterThan(50)
            }
          }).pipe(Effect.provide(context))
        }),
      60_000
    )

    it.scopedLive(
      "M5: the connection to a server that hangs is dropped, and a write that was refused is not written later",
      () =>
        Effect.gen(function*() {
          const server = yield* scoped()
          const { backend } = yield* watchful(server, 300)
          // The connections that the server has taken, of which the question itself is one.
          const taken = Effect.promise(async () =>
            Number(
              /total_connections_received:(\d+)/.exec(await server.admin((client) => client.info("stats")))![1]
            )
          )
          const id = newId()
          yield* backend.insert(id, session({ data: data({}) }), now)
          const before = yield* taken
          yield* Effect.sleep(1_000) // silence without anything under way is no hanging
          expect(yield* taken).toBe(before + 1)
          yield* Effect.sync(() => server.signal("SIGSTOP"))
          const inFlight = yield* Effect.fork(Effect.either(backend.update(id, patch({ sent: "1" }), now)))
          const answer = yield* Effect.timeout(Fiber.join(inFlight), "5 seconds")
          expect(Either.isLeft(answer)).toBe(true)
          for (let i = 0; i < 10; i++) {
            const refused = yield* Effect.either(
              Effect.timeout(backend.update(id, patch({ [`late ${i}`]: "1" }), now), "3 seconds")
            )
            expect(Either.isLeft(refused)).toBe(true)
            yield* Effect.sleep(50)
          }
          yield* Effect.sync(() => server.signal("SIGCONT"))
          yield* untilBack({ backend } as Adapter)
          yield* Effect.sleep(300)
          const record = yield* stored(backend, id)
          expect([...record.data.keys()].filter((key) => key.startsWith("late"))).toEqual([])
          // nor does it keep the app from ending
          const started = Date.now()
          yield* Effect.scoped(Effect.gen(function*() {
            const { backend } = yield* watchful(server, 60_000)
            yield* Effect.sync(() => server.signal("SIGSTOP"))
            yield* Effect.fork(backend.find(id, now))
            yield* Effect.sleep(50)
          }))
          expect(Date.now() - started).toBeLessThan(3_000)
          // Its connection is gone: the server sees none but the two that are still in use.
          yield* Effect.sync(() => server.signal("SIGCONT"))
          yield* untilBack({ backend } as Adapter)
          yield* Effect.promise(async () => {
            const clients = () => server.admin((client) => client.client("LIST"))
            while (String(await clients()).trim().split("\n").length > 2) await sleep(20)
          })
        }),
      60_000
    )

    it.scopedLive(
      "S8: every script touches one key, so it runs on a cluster whichever node has the key",
      () =>
        Effect.gen(function*() {
          const options = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"]
          const [first, second] = yield* Effect.all([scoped(...options), scoped(...options)], { concurrency: 2 })
          const ask = (server: Server, ...args: ReadonlyArray<string>) =>
            Effect.promise(() => server.admin((client) => client.call("CLUSTER", [...args])))
          const slots = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))
          yield* ask(first, "ADDSLOTS", ...slots(0, 8192))
          yield* ask(second, "ADDSLOTS", ...slots(8192, 16384))
          yield* ask(first, "MEET", "127.0.0.1", String(second.port))
          yield* Effect.promise(async () => {
            for (const server of [first, second]) {
              while (
                !/cluster_state:ok[^]*cluster_slots_ok:16384/.test(
                  String(await server.admin((client) => client.cluster("INFO")))
                )
              ) await sleep(50)
            }
          })
          const { backend, index } = yield* clustered(first)
          for (let i = 0; i < 20; i++) {
            const subject = `ada ${i}`
            const ids = Array.from({ length: 4 }, newId)
            for (const [j, id] of ids.entries()) {
              expect(
                yield* index.insert(id, owned(subject, times({ createdAt: now + j })), now, {
                  max: 3,
                  whenFull: "evict-oldest"
                })
              ).toBe("Inserted")
            }
            expect((yield* index.list(subject, now)).map(({ id }) => id)).toEqual(ids.slice(1))
            expect(yield* isThere(backend, ids[0])).toBe(false)
            expect(yield* backend.update(ids[1], patch({ a: "1" }, { expiry: times() }), now, 1)).toMatchObject({
              version: 2
            })
            expect(yield* backend.remove(ids[1], 2, now)).toBe("removed")
          }
          const sizes = yield* Effect.forEach(
            [first, second],
            (server) => Effect.promise(() => server.admin((client) => client.dbsize()))
          )
          expect(Math.min(...sizes)).toBeGreaterThan(10) // both nodes had work
        }),
      60_000
    )
  })
}
