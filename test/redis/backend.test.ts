import { expect, it } from "@effect/vitest"
import { SessionStore } from "effect-session"
import type { Patch, StoredSession } from "effect-session/SessionBackend"
import type { SessionStoreError } from "effect-session/SessionError"
import * as NodeStore from "effect-session/SessionStore/NodeRedis"
import * as Store from "effect-session/SessionStore/Redis"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Redis } from "ioredis"
import { createHash } from "node:crypto"
import * as Util from "node:util"
import { createClientPool } from "redis"
import { applyPatch, totalBytes } from "../../src/internal/codec/packedData.js"
import { describeWith, redis } from "../services.js"
import {
  adapter,
  adapterOver,
  type Call,
  data,
  describeEach,
  hour,
  isThere,
  keysOf,
  newId,
  nodeClient,
  now,
  owned,
  ownPrefix,
  patch,
  plainClient,
  session,
  stored,
  times,
  watched
} from "./kit.js"

const bytesOf = (state: string | null): number => Number(state?.split(" ")[2])

describeEach("records", ({ own }) => {
  it.scopedLive("S8: times, version and owner are returned exactly, for large, fractional and negative numbers and on both sides of 2^53", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      const odd = [
        times({ createdAt: 0, refreshedAt: -1, idleMillis: 0.5, expiresAt: Number.MAX_SAFE_INTEGER }),
        times({ expiresAt: now + 0.25, persistent: false, own: true }),
        times({ expiresAt: 1e21, idleMillis: 1e300, createdAt: 195663819934207150000 })
      ]
      for (const expiry of odd) {
        const id = newId()
        const record = session({ ...expiry, owner: owned("ada").owner })
        expect(yield* backend.insert(id, record, now)).toBe(true)
        expect(yield* stored(backend, id)).toEqual({ ...record, version: 1 })
        const updated = yield* backend.update(id, patch({}), now)
        expect(updated).toEqual({ _tag: "Updated", version: 2, expiry })
      }
      // a version with as many digits as a number holds; Lua by itself prints 9.007199254741e+15
      const id = newId()
      yield* backend.insert(id, session(), now)
      const version = Number.MAX_SAFE_INTEGER - 1
      const state = yield* Effect.promise(() => client.hget(prefix + id, "s"))
      yield* Effect.promise(() => client.hset(prefix + id, "s", state!.replace("1 1 ", `1 ${version} `)))
      expect(yield* backend.update(id, patch({}), now, version - 1)).toEqual({ _tag: "Conflict" })
      expect(yield* backend.update(id, patch({}), now, version)).toMatchObject({ version: version + 1 })
      expect((yield* stored(backend, id)).version).toBe(version + 1)
    }))

  it.scopedLive("C8: keys that look like the library's own fields are ordinary keys", () =>
    Effect.gen(function*() {
      const { backend } = yield* own
      const id = newId()
      const keys = [
        "s",
        "o",
        "a",
        "d",
        "d:",
        "d:s",
        "",
        "__proto__",
        "constructor",
        "\0",
        "é",
        "e\u0301",
        "ß\u{1F600}",
        "\r\n"
      ]
      const entries = new Map(keys.map((key, i) => [key, JSON.stringify(`${i} ${key}`)]))
      yield* backend.insert(id, session({ data: entries, owner: owned("ada").owner }), now)
      expect(yield* stored(backend, id)).toMatchObject({ data: entries, version: 1, owner: { subject: "ada" } })
      const other = newId()
      yield* backend.insert(other, session({ data: new Map() }), now)
      yield* backend.update(other, patch({}, { set: entries }), now)
      expect((yield* stored(backend, other)).data).toEqual(entries)
      yield* backend.update(other, patch({}, { remove: new Set(keys) }), now)
      expect(yield* stored(backend, other)).toMatchObject({ data: new Map(), version: 3 })
    }))

  it.scopedLive("S1: subject, user agent and address are returned exactly, including lone surrogates", () =>
    Effect.gen(function*() {
      const { backend, index } = yield* own
      for (const text of ["", "null", "\ud800", "\udc00", "\u0000\n\"'", "läufer 漢\u{1F600}"]) {
        const owner = { subject: text, authenticatedAt: 5, userAgent: text, address: text }
        const id = newId()
        expect(yield* index.insert(id, { ...session(), owner }, now, undefined)).toBe("Inserted")
        expect((yield* stored(backend, id)).owner).toEqual(owner)
        expect((yield* index.list(text, now)).map((entry) => entry.id)).toEqual([id])
      }
    }))

  it.scopedLive("S7: the stored size stays correct through every kind of update, and the limit holds to the byte", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      const key = FastCheck.constantFrom("", "a", "é", "漢\u{1F600}", "long".repeat(40))
      const text = FastCheck.constantFrom("", "1", "\"ö\"", JSON.stringify("x".repeat(300)))
      const change = FastCheck.record({
        clear: FastCheck.boolean(),
        set: FastCheck.array(FastCheck.tuple(key, text), { maxLength: 4 }),
        remove: FastCheck.array(key, { maxLength: 3 })
      })
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(change, { maxLength: 6 }), async (changes) => {
            const id = newId()
            let expected: ReadonlyMap<string, string> = data({ a: "1" })
            await Effect.runPromise(backend.insert(id, session({ data: expected }), now))
            let version = 1
            for (const { clear, remove, set } of changes) {
              const next: Patch = {
                clear,
                set: new Map(set),
                remove: new Set(remove.filter((name) => !set.some(([other]) => other === name))),
                expiry: undefined,
                maxBytes: 0
              }
              const after = applyPatch(expected, next)
              const size = totalBytes(after)
              const grows = size > totalBytes(expected)
              if (grows) {
                const refused = await Effect.runPromise(backend.update(id, { ...next, maxBytes: size - 1 }, now))
                expect(refused).toEqual({ _tag: "TooLarge", size })
              }
              const done = await Effect.runPromise(backend.update(id, { ...next, maxBytes: grows ? size : 0 }, now))
              expect(done).toMatchObject({ _tag: "Updated", version: ++version })
              expected = after
              const record = await Effect.runPromise(stored(backend, id))
              expect(record.data).toEqual(expected)
              expect(bytesOf(await client.hget(prefix + id, "s"))).toBe(size)
            }
          }),
          { numRuns: 60 }
        )
      )
    }))

  it.scopedLive("S3: a commit of more fields than Lua's stack can hold is still one step", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      const id = newId()
      const many = new Map(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, String(i)]))
      const limit = { maxBytes: Number.POSITIVE_INFINITY }
      yield* backend.insert(id, session({ data: many }), now)
      expect((yield* stored(backend, id)).data).toEqual(many)
      const doubled = new Map([...many.keys()].map((name) => [name, "\"twice\""]))
      expect(yield* backend.update(id, patch({}, { set: doubled, ...limit }), now, 1)).toMatchObject({ version: 2 })
      expect((yield* stored(backend, id)).data).toEqual(doubled)
      const remove = new Set([...many.keys()].slice(1))
      expect(yield* backend.update(id, patch({ more: "1" }, { remove, ...limit }), now)).toMatchObject({ version: 3 })
      expect((yield* stored(backend, id)).data).toEqual(data({ k0: "\"twice\"", more: "1" }))
      expect(yield* backend.update(id, patch({}, { clear: true, set: many, ...limit }), now)).toMatchObject({
        version: 4
      })
      expect((yield* stored(backend, id)).data).toEqual(many)
      yield* backend.update(id, patch({}, { set: doubled, ...limit }), now)
      yield* backend.update(id, patch({}, { remove, ...limit }), now)
      expect(bytesOf(yield* Effect.promise(() => client.hget(prefix + id, "s")))).toBe(
        totalBytes(data({ k0: "\"twice\"" }))
      )
      expect(yield* backend.update(id, patch({}, { set: doubled, maxBytes: 9 }), now)).toMatchObject({
        _tag: "TooLarge"
      })
    }))

  it.scopedLive("C4: clear keeps the record, its owner and its time to live", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      const id = newId()
      const record = session({ owner: { ...owned("ada").owner, userAgent: "Browser/1" } })
      yield* backend.insert(id, record, now)
      const before = yield* Effect.promise(() => client.pttl(prefix + id))
      expect(yield* backend.update(id, patch({}, { clear: true }), now)).toMatchObject({ version: 2 })
      expect(yield* stored(backend, id)).toEqual({ ...record, data: new Map(), version: 2 })
      const after = yield* Effect.promise(() => client.pttl(prefix + id))
      expect(after).toBeGreaterThan(before - 10_000)
      expect(after).toBeLessThanOrEqual(before)
    }))

  it.scopedLive("S8: stores with two prefixes on one Redis do not see each other's sessions", () =>
    Effect.gen(function*() {
      const first = yield* own
      const second = yield* adapterOver(first.client, `${first.prefix}two:`)
      const id = newId()
      yield* first.index.insert(id, owned("ada", { data: data({ app: "1" }) }), now, undefined)
      expect(yield* isThere(second.backend, id)).toBe(false)
      expect(yield* second.index.list("ada", now)).toEqual([])
      expect(yield* second.index.insert(id, owned("ada", { data: data({ app: "2" }) }), now, undefined)).toBe(
        "Inserted"
      )
      expect(yield* first.backend.remove(id, undefined, now)).toBe("removed")
      expect((yield* stored(second.backend, id)).data).toEqual(data({ app: "2" }))
      for (const key of yield* Effect.promise(() => keysOf(first.client, ""))) {
        if (key.includes(id)) expect(key).toBe(`${first.prefix}two:${id}`)
      }
    }))
})

describeEach("time", ({ own }) => {
  it.scopedLive("S4: in every function the given time decides, and Redis's own clock and TTL do not", () =>
    Effect.gen(function*() {
      const { backend, index } = yield* own
      // ended long ago by Redis's clock, and not before the year 5138 by the caller's: both live by the time that is given
      for (const at of [1_000, 1e14]) {
        const [id, other] = [newId(), newId()]
        const record = owned(`ada ${at}`, times({ createdAt: at, refreshedAt: at, expiresAt: at + 1_000 }))
        yield* index.insert(id, record, at, undefined)
        yield* backend.insert(other, record, at)
        yield* Effect.sleep(20)
        const last = at + 999
        const over = at + 1_000
        expect(yield* isThere(backend, id, last)).toBe(true)
        expect(yield* backend.update(id, patch({ a: "1" }), last)).toMatchObject({ _tag: "Updated" })
        expect(yield* backend.insert(id, record, last)).toBe(false)
        expect(yield* index.list(`ada ${at}`, last)).toHaveLength(1)
        expect(yield* isThere(backend, id, over)).toBe(false)
        expect(yield* backend.update(id, patch({ a: "1" }), over)).toEqual({ _tag: "Missing" })
        expect(yield* index.list(`ada ${at}`, over)).toEqual([])
        expect(yield* backend.remove(other, undefined, over)).toBe("missing")
        const next = session({ ...times({ expiresAt: over + hour }), data: data({ next: "1" }) })
        expect(yield* backend.insert(id, next, over)).toBe(true)
        expect(yield* stored(backend, id, over)).toEqual({ ...next, version: 1 })
        expect(yield* backend.removeExpired(over, 100)).toBe(0)
      }
    }))

  it.scopedLive("S4: Redis removes a session by itself, never before its end, and leaves room for a clock that is set back", () =>
    Effect.gen(function*() {
      const { backend, client, index, prefix } = yield* own
      const left = (id: string) => Effect.promise(() => client.pttl(prefix + id))
      const id = newId()
      yield* backend.insert(id, session(times({ expiresAt: now + 1_000 })), now)
      expect(yield* left(id)).toBeGreaterThan(30 * 60_000)
      expect(yield* left(id)).toBeLessThan(3 * hour)
      yield* backend.update(id, patch({ a: "1" }), now)
      expect(yield* left(id)).toBeGreaterThan(30 * 60_000)
      yield* backend.update(id, patch({}, { expiry: times({ expiresAt: now + 400 * 24 * hour }) }), now)
      expect(yield* left(id)).toBeGreaterThan(400 * 24 * hour)
      yield* backend.update(id, patch({}, { clear: true, expiry: times({ expiresAt: now + hour }) }), now)
      expect(yield* left(id)).toBeLessThan(3 * hour)
      // what is over at once, or never over, is a number that Redis takes as well
      for (const expiresAt of [now - hour, Number.MAX_SAFE_INTEGER, 1e300]) {
        const odd = newId()
        expect(yield* index.insert(odd, owned("odd", times({ expiresAt })), now, undefined)).toBe("Inserted")
        expect(yield* left(odd)).toBeGreaterThan(0)
        expect(yield* isThere(backend, odd)).toBe(expiresAt > now)
      }
      for (const key of yield* Effect.promise(() => keysOf(client, prefix))) {
        expect(yield* Effect.promise(() => client.pttl(key))).toBeGreaterThan(0)
      }
    }))
})

describeEach("records that cannot be read", ({ own }) => {
  const good = "1 1 9 1800003600123 1800000000118 1800000000120 3600000 10"

  const damages: ReadonlyArray<readonly [name: string, damage: (client: Redis, key: string) => Promise<unknown>]> = [
    ["a string", (client, key) => client.set(key, "text")],
    ["a list", (client, key) => client.rpush(key, "s", good)],
    ["no state", (client, key) => client.hset(key, "d:user", "1")],
    ...[
      "",
      "x",
      "1",
      "1 1 9",
      good.slice(0, -1),
      `${good} 1`,
      good.replace("10", "20"),
      good.replace("1800003600123", "soon"),
      good.replace("1800003600123", "nan"),
      good.replace("1800003600123", "inf"),
      good.replace("1800003600123", ""),
      good.replace("1800000000118", "soon"),
      good.replace("1 1 9", "1 0 9"),
      good.replace("1 1 9", "1 -1 9"),
      good.replace("1 1 9", "1 x 9"),
      good.replace("1 1 9", "01 1 9"),
      `-${good}`,
      "0 1"
    ].map((state): (typeof damages)[number] => [
      `the state ${JSON.stringify(state)}`,
      (client, key) => client.hset(key, "s", state, "d:user", "1")
    ]),
    ["a subject that is not JSON", (client, key) => client.hset(key, "s", good, "o", "ada", "a", "[1,null,null]")],
    ["a subject without its facts", (client, key) => client.hset(key, "s", good, "o", "\"ada\"")],
    ["facts without a subject", (client, key) => client.hset(key, "s", good, "a", "[1,null,null]")],
    ["facts that are not a list", (client, key) => client.hset(key, "s", good, "o", "\"ada\"", "a", "{}")],
    ["facts of other types", (client, key) => client.hset(key, "s", good, "o", "\"ada\"", "a", "[\"1\",null,null]")]
  ]

  it.scopedLive("S6: a record with any kind of damage is returned as Corrupt; it is never thrown, never overwritten, and can be removed", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      for (const [name, damage] of damages) {
        const id = newId()
        yield* Effect.promise(() => damage(client, prefix + id))
        const found = Option.getOrThrow(yield* backend.find(id, now))
        expect({ name, found }).toMatchObject({ name, found: { _tag: "Corrupt", newerFormat: false } })
        expect("detail" in found && found.detail).not.toContain("ada")
        expect({ name, inserted: yield* backend.insert(id, session(), now) }).toEqual({ name, inserted: false })
        if (!name.includes("facts") && !name.includes("subject")) {
          const before = yield* Effect.promise(() => client.dump(prefix + id))
          const updated = yield* backend.update(id, patch({ b: "1" }), now)
          expect({ name, updated }).toEqual({ name, updated: { _tag: "Missing" } })
          expect(yield* Effect.promise(() => client.dump(prefix + id))).toEqual(before)
        }
        expect(Option.getOrThrow(yield* backend.find(id, now))).toMatchObject({ _tag: "Corrupt" })
        expect({ name, removed: yield* backend.remove(id, undefined, now) }).toEqual({ name, removed: "removed" })
        expect(yield* isThere(backend, id)).toBe(false)
      }
    }))

  it.scopedLive("S6: a value that is not a record at all is missing to an update, and cannot be removed at a version", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      for (const [, damage] of damages.slice(0, 7)) {
        const id = newId()
        yield* Effect.promise(() => damage(client, prefix + id))
        for (const change of [patch({ a: "1" }), patch({}, { clear: true }), patch({}, { expiry: times() })]) {
          expect(yield* backend.update(id, change, now)).toEqual({ _tag: "Missing" })
          expect(yield* backend.update(id, change, now, 1)).toEqual({ _tag: "Missing" })
        }
        expect(yield* backend.remove(id, 1, now)).toBe("conflict")
        expect(yield* Effect.promise(() => client.exists(prefix + id))).toBe(1)
      }
    }))

  it.scopedLive("S6: a record of a newer format is reported as such and left untouched", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* own
      for (const state of [`2${good.slice(1)}`, "17 something else", "2 "]) {
        const id = newId()
        yield* Effect.promise(() => client.hset(prefix + id, "s", state, "d:user", "1"))
        const before = yield* Effect.promise(() => client.dump(prefix + id))
        expect(yield* backend.find(id, now)).toMatchObject({ value: { _tag: "Corrupt", newerFormat: true } })
        expect(yield* backend.insert(id, session(), now)).toBe(false)
        expect(yield* backend.update(id, patch({ a: "1" }), now)).toEqual({ _tag: "Missing" })
        expect(yield* Effect.promise(() => client.dump(prefix + id))).toEqual(before)
      }
      // a field that a later version adds to this format
      const id = newId()
      yield* backend.insert(id, session(), now)
      yield* Effect.promise(() => client.hset(prefix + id, "z", "1", "zz", "1"))
      expect(yield* stored(backend, id)).toEqual({ ...session(), version: 1 })
    }))
})

describeWith(redis, "Redis: commands", () => {
  it.scopedLive("P7: find, insert, update and remove each send one command, and removeExpired sends none", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const calls: Array<Call> = []
      const { backend, index } = yield* adapterOver(watched(yield* plainClient, calls), prefix)
      const warm = newId()
      yield* backend.insert(warm, session(), now)
      yield* backend.update(warm, patch({}), now)
      yield* backend.remove(warm, undefined, now)
      const warmOwned = newId()
      yield* index.insert(warmOwned, owned("warm"), now, undefined)
      yield* backend.update(warmOwned, patch({}, { expiry: times() }), now)
      const taken = () => calls.splice(0).map((call) => call.command)
      taken()
      const id = newId()
      yield* backend.insert(id, session(), now)
      expect(taken()).toEqual(["EVALSHA"])
      yield* backend.find(id, now)
      expect(taken()).toEqual(["HGETALL"])
      for (const change of [patch({ a: "1" }), patch({}, { clear: true }), patch({}, { expiry: times() })]) {
        yield* backend.update(id, change, now)
        expect(taken()).toEqual(["EVALSHA"])
      }
      yield* backend.update(id, patch({}, { remove: new Set(["a"]) }), now, 1)
      expect(taken()).toEqual(["EVALSHA"])
      yield* backend.remove(id, undefined, now)
      expect(taken()).toEqual(["EVALSHA"])
      yield* backend.removeExpired(now, 100)
      expect(taken()).toEqual([])
      // with a subject: one to claim, one to insert, one to settle; a refresh keeps its index alive
      yield* index.insert(id, owned("ada"), now, { max: 5, whenFull: "evict-oldest" })
      expect(taken()).toEqual(["EVALSHA", "EVALSHA", "EVALSHA"])
      yield* backend.update(id, patch({ a: "1" }), now)
      expect(taken()).toEqual(["EVALSHA"])
      yield* backend.update(id, patch({}, { expiry: times() }), now)
      expect(taken()).toEqual(["EVALSHA", "EVALSHA"])
      yield* index.forget("ada", id)
      expect(taken()).toEqual(["HDEL"])
    }))

  it.scopedLive("P7: a request costs one command to read, two to read and write, one to write without reading", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const calls: Array<Call> = []
      const client = watched(yield* plainClient, calls)
      yield* Effect.gen(function*() {
        const store = yield* SessionStore.SessionStore
        const save = (token: string | undefined, loaded: StoredSession | undefined, change: Patch) =>
          store.save({
            base: token === undefined ? undefined : { token, session: loaded },
            patch: change,
            renew: false,
            ifVersion: undefined,
            owner: undefined
          }, now)
        const created = yield* save(
          undefined,
          undefined,
          patch({ a: "1" }, { expiry: times({ createdAt: now, refreshedAt: now }) })
        )
        if (created._tag !== "Saved") return yield* Effect.dieMessage(created._tag)
        yield* save(created.token, created.session, patch({ b: "1" }))
        calls.length = 0
        const loaded = yield* store.load([created.token], now)
        expect(calls.map((call) => call.command)).toEqual(["HGETALL"])
        if (loaded._tag !== "Found") return yield* Effect.dieMessage(loaded._tag)
        yield* save(created.token, loaded.session, patch({ b: "2" }))
        expect(calls.map((call) => call.command)).toEqual(["HGETALL", "EVALSHA"])
        calls.length = 0
        yield* save(created.token, undefined, patch({ b: "3" }))
        expect(calls.map((call) => call.command)).toEqual(["EVALSHA"])
      }).pipe(Effect.provide(Store.layerClient({ client, prefix, expiry: "1 hour", cleanupInterval: Infinity })))
    }))

  it.scopedLive("P7: the commands of all callbacks of one turn of the event loop leave in one write", () =>
    Effect.gen(function*() {
      const steps: Array<string> = []
      const answer = () => {
        steps.push("command")
        return Promise.resolve([])
      }
      const client: Store.RedisClient = {
        call: answer,
        callBuffer: answer,
        hgetallBuffer: answer,
        evalsha: answer,
        stream: { cork: () => void steps.push("cork"), uncork: () => void steps.push("uncork") }
      }
      const { backend } = yield* adapterOver(client, "")
      // Each of two sockets has a callback of its own, and so has each of two timers of one time.
      yield* Effect.promise(() =>
        new Promise<void>((resolve) => {
          const find = () => Effect.runFork(backend.find(newId(), now))
          setTimeout(find, 5)
          setTimeout(find, 5)
          setTimeout(resolve, 30)
        })
      )
      expect(steps).toEqual(["cork", "command", "command", "uncork"])
    }))

  it.scopedLive("S8: a client with auto-pipelining works, and so does one that returns objects, and each kind of client of node-redis", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const pipelining = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(redis.url, { enableAutoPipelining: true })),
        (client) => Effect.sync(() => client.disconnect())
      )
      const plain = yield* plainClient
      const newer = yield* nodeClient(3)
      const odd = newer.withTypeMapping({ 36: Buffer, 37: Map })
      const pool = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const pool = createClientPool({ url: redis.url })
          await pool.connect()
          return pool
        }),
        (pool) => Effect.promise(() => pool.close())
      )
      const objects: Store.RedisClient = {
        ...watched(plain, []),
        callBuffer: (_, [key]) => plain.hgetallBuffer(key)
      }
      const nodes = [yield* nodeClient(2), newer, odd, pool].map((client) => NodeStore.fromNodeRedis(client))
      for (const client of [pipelining, objects, ...nodes]) {
        const { backend, index } = yield* adapterOver(client, prefix)
        const id = newId()
        const entries = data({ "": "1", "__proto__x": "2", "é": "3" }).set("__proto__", "4")
        yield* index.insert(id, owned("ada", { data: entries }), now, { max: 1, whenFull: "evict-oldest" })
        expect((yield* stored(backend, id)).data).toEqual(entries)
        expect((yield* index.list("ada", now)).map((entry) => entry.id)).toEqual([id])
        expect(yield* isThere(backend, newId())).toBe(false)
        expect(yield* backend.remove(id, undefined, now)).toBe("removed")
      }
    }))

  it.scopedLive("S8: a client that throws or returns nonsense causes a typed failure, and never a defect or a hanging fiber", () =>
    Effect.gen(function*() {
      const refuse = () => {
        throw new Error("not today")
      }
      const nonsense = [null, undefined, 7, "", "Q", [1, 2]]
      const clients: Array<Store.RedisClient> = [
        { call: refuse, callBuffer: refuse, hgetallBuffer: refuse, evalsha: refuse },
        ...nonsense.map((reply) => {
          const answer = () => Promise.resolve(reply)
          return { call: answer, callBuffer: answer, hgetallBuffer: answer, evalsha: answer }
        }),
        ...[undefined, "text", new Error(""), new Error("NOSCRIPT No matching script.")].map((reason) => {
          const fail = () => Promise.reject(reason)
          return { call: fail, callBuffer: fail, hgetallBuffer: fail, evalsha: fail }
        })
      ]
      for (const client of clients) {
        const { backend, index } = yield* adapterOver(client, "")
        const id = newId()
        const all: ReadonlyArray<Effect.Effect<unknown, SessionStoreError>> = [
          backend.find(id, now),
          backend.update(id, patch({}), now),
          backend.update(id, patch({}, { expiry: times() }), now),
          backend.remove(id, undefined, now),
          backend.insert(id, session(), now),
          index.list("ada", now),
          index.insert(id, owned("ada"), now, undefined)
        ]
        for (const effect of all) {
          const exit = yield* Effect.exit(Effect.timeout(effect, "2 seconds"))
          if (Exit.isFailure(exit)) {
            expect(Cause.failureOption(exit.cause)).toMatchObject({
              value: { _tag: "SessionStoreError", reason: "Unavailable" }
            })
          }
        }
        const found = yield* Effect.exit(backend.update(id, patch({}), now))
        expect(Exit.isFailure(found)).toBe(true)
      }
    }))

  it.scopedLive("S8: an error's detail says what happened, and leaves out what the server or the client quotes from the command", () =>
    Effect.gen(function*() {
      const messages: ReadonlyArray<readonly [message: string, detail: string]> = [
        [
          "ERR unknown command `HGETALL`, with args beginning with: `secret`, ",
          "ERR unknown command"
        ],
        ["ERR unknown command 'HGETALL', with args beginning with: 'secret' ", "ERR unknown command"],
        ["ERR invalid \"secret\"", "ERR invalid"],
        [
          "Stream isn't writeable and enableOfflineQueue options is false",
          "Stream isn't writeable and enableOfflineQueue options is false"
        ],
        ["Connection is closed.", "Connection is closed."]
      ]
      for (const [message, detail] of messages) {
        const error = Object.assign(new Error(message), { command: { name: "hgetall", args: ["secret"] } })
        const fail = () => Promise.reject(error)
        const { backend } = yield* adapterOver({ call: fail, callBuffer: fail, hgetallBuffer: fail, evalsha: fail }, "")
        for (const call of [backend.find(newId(), now), backend.update(newId(), patch({}), now)]) {
          const failure = yield* Effect.flip<unknown, SessionStoreError, never>(call)
          expect(failure.detail).toBe(detail)
          expect(Util.inspect(failure, { depth: 9, showHidden: true })).not.toContain("secret")
        }
      }
      const unreachable = Object.assign(new Error(""), { code: "ECONNREFUSED" })
      const refuse = () => Promise.reject(unreachable)
      const { backend } = yield* adapterOver(
        { call: refuse, callBuffer: refuse, hgetallBuffer: refuse, evalsha: refuse },
        ""
      )
      expect((yield* Effect.flip(backend.find(newId(), now))).detail).toBe("ECONNREFUSED")
    }))
})

describeWith(redis, "Redis: layers", () => {
  it.scopedLive("S1: nobody can sign in with a dump of the store, because nothing in it is a token", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const client = yield* plainClient
      yield* Effect.gen(function*() {
        const store = yield* SessionStore.SessionStore
        const tokens: Array<string> = []
        for (const owner of [undefined, owned("ada").owner, owned("bob").owner]) {
          const saved = yield* store.save({
            base: undefined,
            patch: patch({ user: "\"x\"" }, { expiry: times() }),
            renew: false,
            ifVersion: undefined,
            owner
          }, now)
          if (saved._tag !== "Saved") return yield* Effect.dieMessage(saved._tag)
          tokens.push(saved.token)
          expect((yield* store.load([saved.token], now))._tag).toBe("Found")
        }
        const keys = yield* Effect.promise(() => keysOf(client, prefix))
        expect(keys).toHaveLength(5)
        let dump = keys.join("\n")
        for (const key of keys) {
          dump += yield* Effect.promise(async () =>
            [(await client.dumpBuffer(key))!.toString("latin1"), ...Object.entries(await client.hgetall(key)).flat()]
              .join("\n")
          )
        }
        for (const token of tokens) {
          expect(dump).not.toContain(token)
          expect(dump).not.toContain(Buffer.from(token, "base64url").toString("latin1"))
          expect(dump).not.toContain(Buffer.from(token, "base64url").toString("hex"))
          expect(dump).toContain(createHash("sha256").update(token).digest("base64url"))
        }
        const candidates = new Set<string>()
        for (const run of dump.match(/[A-Za-z0-9_-]{43,}/g) ?? []) {
          for (let i = 0; i + 43 <= run.length; i++) candidates.add(run.slice(i, i + 43))
        }
        expect(candidates.size).toBeGreaterThan(4)
        for (const candidate of candidates) {
          if (store.wellFormed(candidate)) expect((yield* store.load([candidate], now))._tag).toBe("Empty")
        }
      }).pipe(
        Effect.provide(Store.layer({ redis: { url: redis.url }, prefix, secure: false, cleanupInterval: Infinity }))
      )
    }))

  it.scopedLive("F2: layerConfig takes its options from Config, and the URL of Redis may be redacted", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const provider = ConfigProvider.fromMap(
        new Map([["REDIS_URL", redis.url], ["PREFIX", prefix], ["SESSION_EXPIRY", "90 minutes"]])
      )
      const layer = Store.layerConfig({
        redis: { url: Config.redacted("REDIS_URL") },
        prefix: Config.string("PREFIX"),
        expiry: Config.duration("SESSION_EXPIRY"),
        secure: Config.succeed(false)
      })
      const store = yield* SessionStore.SessionStore.pipe(
        Effect.provide(layer),
        Effect.withConfigProvider(provider)
      )
      expect(store.config).toMatchObject({ idleMillis: 90 * 60_000, name: "session", persistent: true })
      const missing = yield* Effect.exit(
        Effect.withConfigProvider(Effect.scoped(Layer.build(layer)), ConfigProvider.fromMap(new Map()))
      )
      expect(Exit.isFailure(missing) && String(Cause.squash(missing.cause))).toContain("REDIS_URL")
    }))

  it.scopedLive("F3: a mistake in the settings is reported at start-up with its path and without the password", () =>
    Effect.gen(function*() {
      for (const url of ["127.0.0.1:6379", "https://user:hunter2@example.org", "redis", "", "/hunter2"]) {
        const error = yield* Effect.flip(
          Effect.scoped(Layer.build(Store.layer({ redis: { url: Redacted.make(url) }, secure: false })))
        )
        expect(error).toMatchObject({ _tag: "SessionConfigError", mistakes: [{ path: "redis.url" }] })
        expect(Util.inspect(error, { depth: 9, showHidden: true })).not.toContain("hunter2")
      }
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(Store.layer({ subjectBound: { max: 0, whenFull: "refuse" } })))
      )
      expect(error._tag).toBe("SessionConfigError")
    }))

  it.scopedLive("M5: the layer closes the client that it made, and leaves alone the one that it was given", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const client = yield* plainClient
      const name = `test-${newId()}`
      const connected = Effect.promise(async () => String(await client.client("LIST")).includes(`name=${name}`))
      yield* Effect.scoped(Effect.gen(function*() {
        const { backend } = yield* adapter({ redis: { url: redis.url, connectionName: name }, prefix })
        yield* isThere(backend, newId())
        expect(yield* connected).toBe(true)
      }))
      expect(yield* connected).toBe(false)
      yield* Effect.scoped(Effect.flatMap(adapterOver(client, prefix), ({ backend }) => isThere(backend, newId())))
      expect(yield* Effect.promise(() => client.ping())).toBe("PONG")
    }))
})
