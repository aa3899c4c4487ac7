/** What only some stores of revocations do, and what the cookie store does without one. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger } from "effect"
import { KeyRing, Revocation, SessionError, SessionStore } from "effect-session"
import * as RevocationRedis from "effect-session/Revocation/Redis"
import * as RevocationSql from "effect-session/Revocation/Sql"
import * as random from "../../src/internal/codec/random.js"
import { failureOf } from "../../src/internal/contract/fixtures.js"
import * as memory from "../../src/internal/memory/revocation.js"
import { ownPrefix, plainClient } from "../redis/kit.js"
import { describeWith, redis } from "../services.js"
import { databases } from "../sql/databases.js"
import { client } from "../sql/place.js"
import { collectLogs } from "../support/collectLogs.js"

const hour = 60 * 60 * 1000
const denial = (at: number, expiresAt = at + hour): Revocation.Denial => ({ at, survivor: undefined, expiresAt })

describe("in memory", () => {
  it.effect("V6: when the memory is full only expired entries make room, and a revocation fails instead of dropping another", () =>
    Effect.gen(function*() {
      const revocation = memory.make(3)
      const ids = Array.from({ length: 4 }, random.sid)
      yield* revocation.deny(ids[0], denial(0, 2 * hour), 0)
      yield* revocation.deny(ids[1], denial(0, 5 * hour), 0)
      yield* revocation.denyOlder(ids[2], denial(0, 5 * hour), 0)
      for (const refused of [revocation.deny(ids[3], denial(0), 0), revocation.denyOlder(ids[3], denial(0), 0)]) {
        expect(failureOf(yield* Effect.exit(refused))).toBeInstanceOf(SessionError.SessionStoreError)
      }
      // What is there already can change.
      yield* revocation.denyOlder(ids[2], denial(1, 5 * hour), 1)
      expect((yield* revocation.check(ids, 1)).size).toBe(3)
      expect(yield* revocation.deny(ids[3], denial(3 * hour, 9 * hour), 3 * hour)).toBeUndefined()
      expect([...(yield* revocation.check(ids, 3 * hour)).keys()]).toEqual([ids[1], ids[2], ids[3]])
    }))

  it.effect("V6: a clock that jumps back and forth makes the memory forget nothing that lives", () =>
    Effect.gen(function*() {
      const revocation = memory.make(1000)
      const now = 1000 * hour
      const ids = Array.from({ length: 100 }, random.sid)
      for (const [at, id] of ids.entries()) yield* revocation.deny(id, denial(now, now + at * hour), now - at * hour)
      let left = 100
      for (const [at, removed] of [[0, 0], [-50, 0], [10, 10], [5, 0], [50, 40], [200, 50]]) {
        expect(yield* revocation.removeExpired(now + at * hour, 1000), String(at)).toBe(removed)
        left -= removed
        expect((yield* revocation.check(ids, 0)).size).toBe(left)
      }
    }))

  it.effect("V6: maxEntries that is not a whole number of at least 1 is a mistake at start-up", () =>
    Effect.gen(function*() {
      for (const maxEntries of [0, -1, 1.5, NaN, Infinity, "many"]) {
        const layer = Revocation.layerMemory({ maxEntries: maxEntries as number })
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer)))
        expect(failureOf(exit)).toMatchObject({ mistakes: [{ path: "maxEntries" }] })
      }
    }))

  it.effect("V3: renewEvery is refused at start-up, with what to do instead", () =>
    Effect.gen(function*() {
      const keys = yield* KeyRing.generate
      const options = { keys, renewEvery: "1 hour" } as const
      const layer = Layer.provide(SessionStore.layerCookieRevocable(options), Revocation.layerMemory())
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer)))
      expect(failureOf(exit)).toMatchObject({
        _tag: "SessionConfigError",
        mistakes: [{ path: "renewEvery", message: expect.stringContaining("call RequestContext.renew") }]
      })
      expect(Exit.isSuccess(yield* Effect.exit(Effect.scoped(Layer.build(SessionStore.layerCookie(options)))))).toBe(
        true
      )
    }))

  it("V6: in production a warning says what a restart forgets", async () => {
    for (const [environment, warnings] of [["production", 1], ["development", 0]] as const) {
      const before = process.env.NODE_ENV
      process.env.NODE_ENV = environment
      const lines: Array<string> = []
      try {
        await Effect.runPromise(
          Effect.scoped(Effect.provide(Layer.build(Revocation.layerMemory()), collectLogs(lines)))
        )
      } finally {
        process.env.NODE_ENV = before
      }
      expect(lines).toHaveLength(warnings)
      for (const line of lines) expect(line).toMatch(/^WARN .*revocations are kept in memory: after a restart/)
    }
  })
})

describeWith(redis, "Redis", () => {
  it.scoped("V7: an entry that cannot be read is a failure, and not a session that lives", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const raw = yield* plainClient
      const context = yield* Layer.build(RevocationRedis.layer({ redis: { url: redis.url }, prefix }))
      const revocation = Context.get(context, Revocation.Revocation)
      const now = Date.now()
      const id = random.sid()
      for (const spoilt of ["", "nothing", "1 2", "a b -", "1 b -"]) {
        yield* Effect.promise(() => raw.set(`${prefix}${id}`, spoilt))
        expect(failureOf(yield* Effect.exit(revocation.check([id], now)))).toMatchObject({ operation: "check" })
        expect(failureOf(yield* Effect.exit(revocation.deny(id, denial(now), now)))).toMatchObject({
          operation: "deny"
        })
      }
      yield* Effect.promise(() => raw.del(`${prefix}${id}`).then(() => raw.hset(`${prefix}${id}`, "a", "b")))
      expect(Exit.isFailure(yield* Effect.exit(revocation.check([id], now)))).toBe(true)
    }))

  it.scoped("V6: Redis removes entries by itself, an hour after they have expired and not before", () =>
    Effect.gen(function*() {
      const prefix = yield* ownPrefix
      const raw = yield* plainClient
      const context = yield* Layer.build(RevocationRedis.layerClient({ client: raw, prefix }))
      const revocation = Context.get(context, Revocation.Revocation)
      const now = Date.now()
      const [id, subject] = [random.sid(), random.token()]
      yield* revocation.deny(id, denial(now), now)
      yield* revocation.denyOlder(subject, denial(now, now + 9 * hour), now)
      yield* revocation.denyOlder(subject, denial(now), now)
      for (const [name, millis] of [[id, 2 * hour], [subject, 10 * hour]] as const) {
        const left = yield* Effect.promise(() => raw.pttl(`${prefix}${name}`))
        expect(left).toBeGreaterThan(millis - 30_000)
        expect(left).toBeLessThanOrEqual(millis)
      }
    }))
})

for (const database of databases) {
  database.describe(() => {
    const place = Effect.acquireRelease(database.create, database.drop)

    it.scoped("V6: the table is created once, by many instances at once too, and a name that is none is a mistake", () =>
      Effect.gen(function*() {
        const context = yield* Layer.build(client(yield* place))
        const creating = Effect.provide(RevocationSql.createTable({ table: "Revoked" }), context)
        yield* Effect.all(Array.from({ length: 4 }, () => creating), { concurrency: "unbounded" })
        yield* creating
        const layer = Layer.provide(RevocationSql.layer({ table: "Revoked" }), Layer.succeedContext(context))
        const revocation = Context.get(yield* Layer.build(layer), Revocation.Revocation)
        const id = random.sid()
        yield* revocation.deny(id, denial(1), 1)
        expect((yield* revocation.check([id], 1)).size).toBe(1)
        for (const table of ["", "a b", "a.b.c", "a;"]) {
          const exit = yield* Effect.exit(Effect.provide(RevocationSql.createTable({ table }), context))
          expect(failureOf(exit)).toMatchObject({ _tag: "SessionConfigError", mistakes: [{ path: "table" }] })
        }
      }))

    it.scoped("V7: without its table the store is a failure, and not a session that lives", () =>
      Effect.gen(function*() {
        const layer = Layer.provide(RevocationSql.layer(), client(yield* place))
        const revocation = Context.get(yield* Layer.build(layer), Revocation.Revocation)
        const exit = yield* Effect.exit(revocation.check([random.sid()], 1))
        expect(failureOf(exit)).toMatchObject({ _tag: "SessionStoreError", operation: "check" })
      }))
  })
}

describe("the cookie store", () => {
  const keys = Effect.runSync(KeyRing.generate)
  const quiet = Logger.remove(Logger.defaultLogger)
  const storeOf = <E>(layer: Layer.Layer<SessionStore.SessionStore, E>) =>
    Effect.map(Layer.build(Layer.provide(layer, quiet)), Context.get(SessionStore.SessionStore))
  const revocable = Layer.provide(SessionStore.layerCookieRevocable({ keys }), Revocation.layerMemory())
  const save = (owner: SessionStore.Save["owner"]): SessionStore.Save => ({
    base: undefined,
    patch: { clear: false, set: new Map([["a", "1"]]), remove: new Set(), expiry: undefined, maxBytes: Infinity },
    renew: false,
    ifVersion: undefined,
    owner
  })
  const ada = { subject: "ada", authenticatedAt: 5, userAgent: undefined, address: undefined }

  it.scoped("V1: sessions from before revocation open with it; those of a subject open with it alone", () =>
    Effect.gen(function*() {
      const [plain, checked] = [yield* storeOf(SessionStore.layerCookie({ keys })), yield* storeOf(revocable)]
      const saved = (store: SessionStore.SessionStoreService, owner: SessionStore.Save["owner"]) =>
        Effect.map(store.save(save(owner), 5), (saved) => saved._tag === "Saved" ? saved.token : "")
      const [old, anonymous, owned] = [
        yield* saved(plain, undefined),
        yield* saved(checked, undefined),
        yield* saved(checked, ada)
      ]
      for (const token of [old, anonymous]) {
        for (const store of [plain, checked]) expect(yield* store.load([token], 6)).toMatchObject({ _tag: "Found" })
      }
      expect(yield* checked.load([owned], 6)).toMatchObject({ session: { owner: ada, data: new Map([["a", "1"]]) } })
      const refused = yield* plain.load([owned], 6)
      expect(refused).toMatchObject({ _tag: "Empty", reason: "Corrupt" })
      expect(refused).toMatchObject({ warning: expect.stringMatching(/cannot tell whether it was revoked/) })
    }))

  it.scoped("V1: the subject counts into the size of the cookie, exactly, before anything is sealed", () =>
    Effect.gen(function*() {
      const store = yield* storeOf(revocable)
      for (const subject of ["ada", "é🍪\ud800\"", "x".repeat(300)]) {
        const owner = { ...ada, subject }
        const weight = (data: string) => store.weigh("a", data)
        let size = 4096
        while (store.tooLarge(weight("x".repeat(size)), owner) !== undefined) size--
        const fits = (length: number) => {
          const one = save(owner)
          return Effect.exit(
            store.save({ ...one, patch: { ...one.patch, set: new Map([["a", "x".repeat(length)]]) } }, 5)
          )
        }
        expect((yield* fits(size))._tag).toBe("Success")
        const refused = yield* fits(size + 1)
        expect(failureOf(refused)).toEqual(store.tooLarge(weight("x".repeat(size + 1)), owner))
      }
    }))

  it.scoped("V5: ping is one check, which fails with the store", () =>
    Effect.gen(function*() {
      const asked: Array<ReadonlyArray<string>> = []
      const revocation = { ...memory.make(1) }
      const over = (service: Revocation.RevocationService) =>
        storeOf(
          Layer.provide(SessionStore.layerCookieRevocable({ keys }), Layer.succeed(Revocation.Revocation, service))
        )
      const store = yield* over({
        ...revocation,
        check: (names, now) => {
          asked.push(names)
          return revocation.check(names, now)
        }
      })
      yield* store.ping
      expect(asked).toHaveLength(1)
      const fail = () => Effect.fail(SessionError.SessionStoreError.of("check", "Unavailable"))
      const down = yield* over({ ...revocation, check: fail })
      expect(Exit.isFailure(yield* Effect.exit(down.ping))).toBe(true)
    }))
})
