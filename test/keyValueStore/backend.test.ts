import * as NodeContext from "@effect/platform-node/NodeContext"
import { SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import {
  type Corrupt,
  type NewSession,
  type Owner,
  type Patch,
  SessionBackend,
  type StoredSession,
  SubjectIndex
} from "effect-session/SessionBackend"
import { SessionStore } from "effect-session/SessionStore"
import * as SessionStoreKeyValue from "effect-session/SessionStore/KeyValueStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Backend from "../../src/internal/keyValueStore/backend.js"
import { callsOf, idOf, Naive, step } from "../memory/naive.js"
import { broken, dyingAt, overMap } from "./stores.js"

const start = 1_700_000_000_000
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const session = (options?: {
  readonly data?: Record<string, string>
  readonly life?: number
  readonly owner?: string
  readonly createdAt?: number
}): NewSession => ({
  createdAt: options?.createdAt ?? start,
  refreshedAt: start,
  expiresAt: start + (options?.life ?? hour),
  idleMillis: hour,
  persistent: true,
  own: false,
  data: new Map(Object.entries(options?.data ?? { user: "\"ada\"" })),
  owner: options?.owner === undefined ? undefined : ownerOf(options.owner)
})

const ownerOf = (subject: string): Owner => ({
  subject,
  authenticatedAt: start,
  userAgent: "Läufer/1.0",
  address: undefined
})

const owned = (subject: string, options?: { readonly life?: number; readonly createdAt?: number }) => ({
  ...session(options),
  owner: ownerOf(subject)
})

const patchOf = (options: Partial<Patch>): Patch => ({
  clear: false,
  set: new Map(),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 262_144,
  ...options
})

const living = (life: number): Patch => {
  const { data: _data, owner: _owner, ...times } = session({ life })
  return patchOf({ expiry: times })
}

const setting = (key: string, text: string): Patch => patchOf({ set: new Map([[key, text]]) })

const over = (store: KeyValueStore.KeyValueStore, prefix = "session-") => Backend.make(store, prefix)

type Sessions = ReturnType<typeof over>

const find = (sessions: Sessions, name: string, now = start) =>
  Effect.map(sessions.backend.find(idOf(name), now), Option.getOrUndefined)

/** Everything that has to do with expired sessions is done, however many steps that takes. */
const sweepAll = (sessions: Sessions, now: number) =>
  Effect.gen(function*() {
    let removed = 0
    // A step may remove nothing because it moved entries: two of those in a row have nothing left to do.
    for (let idle = 0; idle < 3;) {
      const count = yield* sessions.backend.removeExpired(now, 100)
      removed += count
      idle = count === 0 ? idle + 1 : 0
    }
    return removed
  })

const keysLike = (values: Map<string, string>, pattern: RegExp) => [...values.keys()].filter((key) => pattern.test(key))

describe("KeyValueStore backend: any history", () => {
  it("S8: answers what a naive map answers", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.array(
          // which of many expired records go first is open: here all of them go
          step.map((one) => one.do === "removeExpired" ? { ...one, limit: 1000 } : one),
          { maxLength: 60, size: "max" }
        ),
        async (steps) => {
          const { store, values } = overMap()
          const sessions = over(store)
          for (const { expected, run } of callsOf(steps, new Naive())) {
            const answer = await Effect.runPromise(run(sessions.backend, sessions.index))
            expect(Option.isOption(answer) ? Option.getOrUndefined(answer) : answer).toEqual(expected)
          }
          await Effect.runPromise(sweepAll(sessions, start + 400 * day))
          expect([...values.keys()].filter((key) => !/^session-agenda-start-[ab]$/.test(key))).toEqual([])
        }
      ),
      { numRuns: 100 }
    ))
})

describe("KeyValueStore backend: in one process", () => {
  it.live("S3: 500 parallel updates of different keys lose nothing", () =>
    Effect.gen(function*() {
      const sessions = over(overMap().store)
      yield* sessions.backend.insert(idOf("a"), session({ data: {} }), start)
      yield* Effect.forEach(
        Array.from({ length: 500 }, (_, i) => i),
        (i) => sessions.backend.update(idOf("a"), setting(`key ${i}`, String(i)), start),
        { concurrency: "unbounded", discard: true }
      )
      const found = (yield* find(sessions, "a")) as StoredSession
      expect(found.version).toBe(501)
      expect(found.data.size).toBe(500)
    }))

  it.live("C9: 1,000 parallel increments by compare-and-set, through two layers over one store, lose none", () =>
    Effect.gen(function*() {
      const { store } = overMap()
      const layer = SessionStoreKeyValue.layerBackend().pipe(
        Layer.provide(Layer.succeed(KeyValueStore.KeyValueStore, store)),
        Layer.fresh
      )
      const one = yield* Effect.provide(SessionBackend, layer)
      const two = yield* Effect.provide(SessionBackend, layer)
      const id = idOf("a")
      yield* one.insert(id, session({ data: { count: "0" } }), start)
      let conflicts = 0
      const increment = (backend: typeof one): Effect.Effect<void, unknown> =>
        Effect.gen(function*() {
          for (;;) {
            const found = Option.getOrThrow(yield* backend.find(id, start)) as StoredSession
            const next = Number(found.data.get("count")) + 1
            const updated = yield* backend.update(id, setting("count", String(next)), start, found.version)
            if (updated._tag === "Updated") return
            conflicts++
          }
        })
      // in waves: a thousand at once would need half a million calls
      for (let wave = 0; wave < 50; wave++) {
        yield* Effect.forEach(
          Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? one : two),
          increment,
          { concurrency: "unbounded", discard: true }
        )
      }
      expect(Option.getOrThrow(yield* two.find(id, start))).toMatchObject({
        version: 1001,
        data: new Map([["count", "1000"]])
      })
      expect(conflicts).toBeGreaterThan(0)
    }))

  it.live("S8: of parallel inserts of one id exactly one wins, of parallel removes too", () =>
    Effect.gen(function*() {
      const { store } = overMap()
      const sessions = over(store)
      const parallel = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.all(Array.from({ length: 20 }, () => effect), { concurrency: "unbounded" })
      const inserted = yield* parallel(sessions.backend.insert(idOf("a"), session(), start))
      expect(inserted.filter((won) => won).length).toBe(1)
      const removed = yield* parallel(sessions.backend.remove(idOf("a"), undefined, start))
      expect(removed.filter((answer) => answer === "removed").length).toBe(1)
    }))

  it.live("S2: removing against parallel updates revives nothing", () =>
    Effect.gen(function*() {
      for (let round = 0; round < 100; round++) {
        const { store, values } = overMap()
        const sessions = over(store)
        yield* sessions.backend.insert(idOf("a"), session(), start)
        yield* Effect.all([
          ...Array.from({ length: 3 }, () => sessions.backend.update(idOf("a"), setting("k", "1"), start)),
          sessions.backend.remove(idOf("a"), undefined, start),
          ...Array.from({ length: 3 }, () => sessions.backend.update(idOf("a"), setting("k", "2"), start))
        ], { concurrency: "unbounded" })
        expect(keysLike(values, /record/)).toEqual([])
      }
    }))

  it.live("S6: a reader never sees a record that is being written", () =>
    Effect.gen(function*() {
      const sessions = over(overMap().store)
      yield* sessions.backend.insert(idOf("a"), session(), start)
      const write = sessions.backend.update(idOf("a"), setting("k", "1"), start)
      const answers = yield* Effect.all(
        Array.from({ length: 50 }, () => Effect.zipRight(Effect.fork(write), find(sessions, "a"))),
        { concurrency: "unbounded" }
      )
      expect(answers.every((answer) => answer !== undefined && !("_tag" in answer))).toBe(true)
    }))

  it.live("C7: interrupting a writer leaves a whole record and no lock", () =>
    Effect.gen(function*() {
      for (let yields = 0; yields < 12; yields++) {
        const sessions = over(overMap().store)
        yield* sessions.backend.insert(idOf("a"), session({ data: {} }), start)
        const writers = yield* Effect.forEach(
          ["x", "y", "z"],
          (key) => Effect.fork(sessions.backend.update(idOf("a"), setting(key, "1"), start))
        )
        for (let i = 0; i < yields; i++) yield* Effect.yieldNow()
        yield* Fiber.interruptAll(writers)
        const found = (yield* find(sessions, "a")) as StoredSession
        expect(found.version).toBe(found.data.size + 1)
        const after = yield* Effect.timeout(sessions.backend.update(idOf("a"), patchOf({}), start), "2 seconds")
        expect(after._tag).toBe("Updated")
      }
    }))

  it.live("C7: who waits behind a write that hangs can be interrupted, and the others go on", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const gate = yield* Deferred.make<void>()
      const slow = KeyValueStore.make({
        ...store,
        set: (key, value) =>
          Effect.zipRight(key.includes("record") ? Deferred.await(gate) : Effect.void, store.set(key, value))
      })
      const sessions = over(slow)
      yield* over(store).backend.insert(idOf("a"), session(), start)
      yield* over(store).backend.insert(idOf("b"), session(), start)
      const hanging = yield* Effect.fork(sessions.backend.update(idOf("a"), setting("k", "1"), start))
      yield* Effect.sleep(1)
      const behind = yield* Effect.timeoutOption(find(sessions, "a"), 20)
      expect(behind).toEqual(Option.none())
      expect(yield* find(sessions, "b")).toMatchObject({ version: 1 })
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(hanging)).toMatchObject({ _tag: "Updated" })
      expect(yield* find(sessions, "a")).toMatchObject({ version: 2 })
      expect(keysLike(values, /record/).length).toBe(2)
    }))

  it.live("S8: parallel sign-ins never leave more than the bound, over two layers", () =>
    Effect.gen(function*() {
      const { store } = overMap()
      for (const whenFull of ["evict-oldest", "refuse"] as const) {
        const sessions = over(store)
        const subject = `ada ${whenFull}`
        const answers = yield* Effect.forEach(
          Array.from({ length: 30 }, (_, i) => i),
          (i) =>
            sessions.index.insert(idOf(`${whenFull} ${i}`), owned(subject, { createdAt: start + i }), start, {
              max: 3,
              whenFull
            }),
          { concurrency: "unbounded" }
        )
        expect((yield* sessions.index.list(subject, start)).length).toBe(3)
        expect(answers.filter((answer) => answer === "Inserted").length).toBe(whenFull === "refuse" ? 3 : 30)
      }
    }))

  it.effect("S8: a store that fails is SessionStoreError with the operation and Unavailable, and works again after", () =>
    Effect.gen(function*() {
      const { store } = overMap()
      let down = false
      const flaky = KeyValueStore.make({
        ...store,
        get: (key) => down ? Effect.fail(broken) : store.get(key),
        set: (key, value) => down ? Effect.fail(broken) : store.set(key, value),
        has: (key) => down ? Effect.fail(broken) : store.has(key)
      })
      const sessions = over(flaky)
      yield* sessions.index.insert(idOf("a"), owned("ada"), start, undefined)
      down = true
      const failures: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["find", sessions.backend.find(idOf("a"), start)],
        ["insert", sessions.backend.insert(idOf("b"), session(), start)],
        ["update", sessions.backend.update(idOf("a"), patchOf({}), start)],
        ["remove", sessions.backend.remove(idOf("a"), undefined, start)],
        ["removeExpired", sessions.backend.removeExpired(start + day, 10)],
        ["insert", sessions.index.insert(idOf("b"), owned("ada"), start, undefined)],
        ["list", sessions.index.list("ada", start)],
        ["remove", sessions.index.forget("ada", idOf("a"))]
      ]
      for (const [operation, effect] of failures) {
        expect(yield* Effect.flip(effect)).toMatchObject({
          _tag: "SessionStoreError",
          operation,
          reason: "Unavailable",
          detail: broken
        })
      }
      down = false
      expect((yield* sessions.index.list("ada", start)).map(({ id }) => id)).toEqual([idOf("a")])
      expect(yield* sessions.backend.insert(idOf("b"), session(), start)).toBe(true)
      expect(yield* sweepAll(sessions, start + day)).toBe(2)
    }))

  it.effect("S8: an id that is none of 43 canonical characters of base64url finds nothing and cannot be inserted", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      for (const id of ["", "..", "a/../b", `${idOf("a").slice(0, 42)}B`, `${idOf("a")}=`]) {
        expect(yield* sessions.backend.find(id, start)).toEqual(Option.none())
        expect(yield* sessions.backend.update(id, patchOf({}), start)).toEqual({ _tag: "Missing" })
        expect(yield* sessions.backend.remove(id, undefined, start)).toBe("missing")
        expect(Exit.isFailure(yield* Effect.exit(sessions.backend.insert(id, session(), start)))).toBe(true)
      }
      expect(values.size).toBe(0)
    }))

  it.effect("C8: keys are safe as file names that do not tell a from A, and two prefixes share nothing", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const one = over(store, "one-")
      const two = over(store, "two-")
      yield* one.index.insert(idOf("a"), owned("Ada /\\:*?\"<>|\u0000\ud800"), start, undefined)
      yield* one.backend.insert(idOf("b"), session(), start)
      expect(yield* find(two, "a")).toBeUndefined()
      expect(yield* sweepAll(two, start + day)).toBe(0)
      expect([...values.keys()].filter((key) => !/^one-[a-z0-9-]+$/.test(key))).toEqual([])
    }))
})

describe("KeyValueStore backend: expiry", () => {
  it.effect("S4: refreshing a session writes nothing but its record, however often", () =>
    Effect.gen(function*() {
      const { count, store, values } = overMap()
      const sessions = over(store)
      yield* sessions.backend.insert(idOf("a"), session(), start)
      const keys = [...values.keys()].length
      const { sets } = count
      for (let i = 1; i <= 50; i++) yield* sessions.backend.update(idOf("a"), living(hour + i * minute), start)
      expect(count.sets - sets).toBe(50)
      expect(values.size).toBe(keys)
    }))

  it.effect("S4: a session that lives on moves to a later minute when it is due, and ends in the end", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.backend.insert(idOf("a"), session({ life: hour }), start)
      yield* sessions.backend.update(idOf("a"), living(40 * day), start)
      for (const at of [2 * hour, 30 * day, 40 * day - 1]) {
        expect(yield* sweepAll(sessions, start + at)).toBe(0)
        expect(yield* find(sessions, "a", start + at)).toMatchObject({ version: 2 })
        expect(keysLike(values, /agenda-\d+-\d+$/).length).toBe(1)
      }
      expect(yield* sweepAll(sessions, start + 40 * day)).toBe(1)
      expect(keysLike(values, /record|agenda-\d/)).toEqual([])
    }))

  it.effect("S4: a session whose time was shortened is removed at the earlier time, once", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.backend.insert(idOf("a"), session({ life: 10 * day }), start)
      for (const life of [day, hour, hour / 2, hour / 2 - 1]) {
        yield* sessions.backend.update(idOf("a"), living(life), start)
      }
      expect(yield* sweepAll(sessions, start + hour / 2 - 2)).toBe(0)
      expect(yield* sweepAll(sessions, start + hour / 2 - 1)).toBe(1)
      expect(keysLike(values, /record/)).toEqual([])
      expect(yield* sweepAll(sessions, start + 20 * day)).toBe(0)
      expect(keysLike(values, /agenda-\d/)).toEqual([])
    }))

  it.effect("S4: what was shortened and then lengthened has one entry that counts", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.backend.insert(idOf("a"), session({ life: 2 * hour }), start)
      yield* sessions.backend.update(idOf("a"), living(hour), start)
      yield* sessions.backend.update(idOf("a"), living(10 * day), start)
      expect(yield* sweepAll(sessions, start + 3 * hour)).toBe(0)
      expect(keysLike(values, /agenda-\d+-\d+$/).length).toBe(1)
      expect(yield* sweepAll(sessions, start + 10 * day)).toBe(1)
      expect(keysLike(values, /record|agenda-\d/)).toEqual([])
    }))

  it.effect("S4: at most limit are removed in a step, and a step that only moves entries has an end too", () =>
    Effect.gen(function*() {
      const { count, store } = overMap()
      const sessions = over(store)
      for (let i = 0; i < 180; i++) {
        yield* sessions.backend.insert(idOf(`${i}`), session({ life: hour + i }), start)
        if (i >= 30) yield* sessions.backend.update(idOf(`${i}`), living(day), start)
      }
      const steps: Array<number> = []
      for (let i = 0; i < 20; i++) {
        const { gets } = count
        steps.push(yield* sessions.backend.removeExpired(start + 2 * hour, 5))
        // at most four times the limit are looked at, each with its entry and its record
        expect(count.gets - gets).toBeLessThan(100)
      }
      expect(steps.reduce((sum, n) => sum + n)).toBe(30)
      expect(Math.max(...steps)).toBe(5)
    }))

  it.effect("S4: a step writes nothing where nothing is due", () =>
    Effect.gen(function*() {
      const { count, store } = overMap()
      const sessions = over(store)
      for (let i = 0; i < 10; i++) yield* sessions.backend.insert(idOf(`${i}`), session({ life: hour + i }), start)
      const { removes, sets } = count
      expect(yield* sessions.backend.removeExpired(start + hour - 1, 100)).toBe(0)
      expect(yield* sweepAll(sessions, start + hour)).toBe(1)
      expect([count.removes - removes, count.sets - sets]).toEqual([2, 1])
    }))

  it.effect("S4: a process that starts later finds what is due without asking for every minute", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      yield* over(store).backend.insert(idOf("a"), session({ life: hour }), start)
      yield* over(store).backend.insert(idOf("b"), session({ life: 300 * day }), start)
      const later = overMap(values)
      expect(yield* sweepAll(over(later.store), start + 365 * day)).toBe(2)
      expect(later.count.gets).toBeLessThan(4000) // of 525,600 minutes
      expect(keysLike(values, /record|agenda-\d/)).toEqual([])
      const muchLater = overMap(values)
      expect(yield* sweepAll(over(muchLater.store), start + 365 * day)).toBe(0)
      expect(muchLater.count.gets).toBeLessThan(20)
    }))

  it.effect("S4: a clean-up long after finds many entries of one minute, after a restart too", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      for (let i = 0; i < 100; i++) yield* over(store).backend.insert(idOf(`${i}`), session({ life: hour + i }), start)
      const restarted = overMap(values)
      const sessions = over(restarted.store)
      for (let i = 100; i < 130; i++) yield* sessions.backend.insert(idOf(`${i}`), session({ life: hour + i }), start)
      expect(restarted.count.gets).toBeLessThan(30 + 20) // a look for each id, and for the next number once
      expect(new Set(keysLike(values, /agenda-\d+-\d+$/).map((key) => Number(key.split("-").pop()))))
        .toEqual(new Set(Array.from({ length: 130 }, (_, i) => i)))
      expect(yield* sessions.backend.removeExpired(start + hour + 49, 1000)).toBe(50)
      expect(yield* sweepAll(over(overMap(values).store), start + day)).toBe(80)
      expect(keysLike(values, /record|agenda-\d/)).toEqual([])
    }))

  it.effect("S4: a session whose entry got lost comes back on the agenda with its next refresh", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.backend.insert(idOf("a"), session({ life: hour }), start)
      for (const key of keysLike(values, /agenda-\d+-\d+$/)) values.delete(key)
      yield* sessions.backend.update(idOf("a"), living(2 * hour), start)
      expect(yield* sweepAll(sessions, start + hour + 30 * minute)).toBe(0)
      yield* sessions.backend.update(idOf("a"), living(3 * hour), start + hour)
      expect(yield* sweepAll(sessions, start + 3 * hour)).toBe(1)
    }))

  it.effect("S4: ids of expired sessions leave their subject's index, whether the record was removed before or not", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.index.insert(idOf("a"), owned("ada"), start, undefined)
      yield* sessions.index.insert(idOf("b"), owned("ada"), start, undefined)
      yield* sessions.backend.remove(idOf("b"), undefined, start)
      expect(keysLike(values, /subject/).length).toBeGreaterThan(0)
      expect(yield* sweepAll(sessions, start + day)).toBe(1)
      expect(keysLike(values, /subject|record|agenda-\d/)).toEqual([])
    }))

  it.effect("E5: a clock that jumped ahead and back loses no session from the index and none from clean-up", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.index.insert(idOf("a"), owned("ada", { life: hour }), start, undefined)
      expect(yield* sessions.index.list("ada", start + day)).toEqual([])
      expect((yield* sessions.index.list("ada", start)).length).toBe(1)
      yield* sessions.backend.removeExpired(start - 5 * day, 10)
      yield* sessions.backend.removeExpired(start + 59 * minute, 10)
      yield* sessions.backend.insert(idOf("b"), session({ life: 10 * minute }), start)
      expect(yield* sweepAll(sessions, start + hour)).toBe(2)
      expect(keysLike(values, /record/)).toEqual([])
      // a day that was done with has something again, which a process that starts later must find
      yield* sweepAll(sessions, start + 3 * day)
      yield* sessions.backend.insert(idOf("c"), session({ life: hour }), start)
      expect(yield* sweepAll(over(overMap(values).store), start + 3 * day)).toBe(1)
    }))
})

describe("KeyValueStore backend: damage", () => {
  const recordOf = (values: Map<string, string>) => {
    const [key] = keysLike(values, /record/)
    return { key, text: values.get(key)! }
  }

  it.effect("S6: a record cut off anywhere, or with any character changed, is corrupt, never a session, never a defect", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.index.insert(idOf("a"), owned("ada"), start, undefined)
      const { key, text } = recordOf(values)
      const damaged = [
        ...Array.from({ length: text.length }, (_, i) => text.slice(0, i)),
        ...Array.from(
          { length: text.length },
          (_, i) => text.slice(0, i) + (text[i] === "~" ? "!" : "~") + text.slice(i + 1)
        ),
        text + "x",
        "\u0000".repeat(text.length),
        "effect-session 0 0000000000000000\n\n"
      ]
      for (const value of damaged) {
        values.set(key, value)
        const found = (yield* find(sessions, "a")) as Corrupt
        expect(found).toMatchObject({ _tag: "Corrupt", newerFormat: false })
        expect(found.detail).not.toContain("ada")
        expect(yield* sessions.backend.update(idOf("a"), patchOf({}), start)).toEqual({ _tag: "Missing" })
        expect(yield* sessions.index.list("ada", start)).toEqual([])
      }
      expect(yield* sessions.backend.remove(idOf("a"), 1, start)).toBe("conflict")
      expect(yield* sessions.backend.remove(idOf("a"), undefined, start)).toBe("removed")
      expect(yield* find(sessions, "a")).toBeUndefined()
    }))

  it.effect("S6: the value of another session is no record", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.backend.insert(idOf("a"), session(), start)
      const { text } = recordOf(values)
      yield* sessions.backend.insert(idOf("b"), session(), start)
      for (const key of keysLike(values, /record/)) values.set(key, text)
      expect([yield* find(sessions, "a"), yield* find(sessions, "b")].map((found) => found && "_tag" in found))
        .toEqual([false, true])
    }))

  it.effect("S6: a record of a newer format is told as such, and left untouched by everything but its removal", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      yield* sessions.index.insert(idOf("a"), owned("ada"), start, undefined)
      const { key, text } = recordOf(values)
      const newer = "effect-session 2 something else\nthat this version cannot know"
      values.set(key, newer)
      expect(yield* find(sessions, "a")).toMatchObject({ _tag: "Corrupt", newerFormat: true })
      expect(yield* sessions.backend.insert(idOf("a"), session(), start)).toBe(false)
      expect(yield* sessions.backend.update(idOf("a"), patchOf({}), start)).toEqual({ _tag: "Missing" })
      expect(yield* sessions.backend.remove(idOf("a"), 1, start)).toBe("conflict")
      expect(yield* sessions.index.list("ada", start)).toEqual([])
      values.set(key, text) // the deploy that knows it is back
      expect((yield* sessions.index.list("ada", start)).length).toBe(1)
      values.set(key, newer)
      expect(yield* sweepAll(sessions, start + day)).toBe(0)
      expect(values.get(key)).toBe(newer)
      expect(keysLike(values, /agenda-\d+-\d+$/).length).toBe(1)
      expect(yield* sessions.backend.remove(idOf("a"), undefined, start)).toBe("removed")
      expect(values.has(key)).toBe(false)
    }))

  it.effect("S8: a sign-in whose record cannot be written has evicted nobody", () =>
    Effect.gen(function*() {
      const bound = { max: 1, whenFull: "evict-oldest" } as const
      for (const failing of [/record/, /agenda/, /subject/]) {
        const { store, values } = overMap()
        yield* over(store).index.insert(idOf("old"), owned("ada"), start, bound)
        let failures = 1
        const full = KeyValueStore.makeStringOnly({
          ...store,
          set: (key: string, value: string) =>
            failing.test(key) && failures-- > 0
              ? Effect.fail(
                new SystemError({ reason: "WriteZero", module: "KeyValueStore", method: "set", description: "full" })
              )
              : store.set(key, value)
        })
        const sessions = over(full)
        const next = { ...owned("ada"), createdAt: start + 1 }
        expect(yield* Effect.flip(sessions.index.insert(idOf("new"), next, start + 1, bound))).toMatchObject({
          reason: "Unavailable"
        })
        const again = over(store, "session-")
        expect(yield* find(again, "old")).toBeDefined()
        expect(yield* find(again, "new")).toBeUndefined()
        expect((yield* again.index.list("ada", start + 1)).map(({ id }) => id)).toEqual([idOf("old")])
        expect(yield* again.index.insert(idOf("next"), next, start + 1, bound)).toBe("Inserted")
        expect((yield* again.index.list("ada", start + 1)).map(({ id }) => id)).toEqual([idOf("next")])
        expect(keysLike(values, /record/)).toHaveLength(1)
      }
    }))

  it.effect("S8: a sign-in that cannot evict fails, and leaves no session too many", () =>
    Effect.gen(function*() {
      const bound = { max: 1, whenFull: "evict-oldest" } as const
      const { store } = overMap()
      yield* over(store).index.insert(idOf("old"), owned("ada"), start, bound)
      let failures = 1
      const readOnly = KeyValueStore.makeStringOnly({
        ...store,
        remove: (key: string) =>
          /record/.test(key) && failures-- > 0
            ? Effect.fail(
              new SystemError({
                reason: "PermissionDenied",
                module: "KeyValueStore",
                method: "remove",
                description: ""
              })
            )
            : store.remove(key)
      })
      const next = { ...owned("ada"), createdAt: start + 1 }
      yield* Effect.flip(over(readOnly).index.insert(idOf("new"), next, start + 1, bound))
      expect((yield* over(store).index.list("ada", start + 1)).map(({ id }) => id)).toEqual([idOf("old")])
    }))

  it.effect("S6: an index of a newer format fails instead of being overwritten; a damaged side of it is no harm", () =>
    Effect.gen(function*() {
      const { store, values } = overMap()
      const sessions = over(store)
      for (const name of ["a", "b", "c"]) yield* sessions.index.insert(idOf(name), owned("ada"), start, undefined)
      const sides = keysLike(values, /subject/)
      expect(sides.length).toBe(2)
      const newest = sides.find((key) => values.get(key)!.includes(idOf("c")))!
      const older = sides.find((key) => key !== newest)!
      values.set(older, "half a va")
      expect((yield* sessions.index.list("ada", start)).length).toBe(3)
      values.set(newest, values.get(newest)!.replace("cell 1", "cell 2"))
      expect(yield* Effect.flip(sessions.index.list("ada", start))).toMatchObject({ _tag: "SessionStoreError" })
      expect(yield* Effect.flip(sessions.index.insert(idOf("d"), owned("ada"), start, undefined)))
        .toMatchObject({ _tag: "SessionStoreError" })
      expect(yield* find(sessions, "d")).toBeUndefined()
    }))

  // A history in which everything that writes happens; `names` of each step are the sessions that it may change.
  const history: ReadonlyArray<{
    readonly names: ReadonlyArray<string>
    readonly run: (sessions: Sessions) => Effect.Effect<unknown, unknown>
  }> = [
    { names: ["a"], run: ({ backend }) => backend.insert(idOf("a"), session({ life: hour }), start) },
    {
      names: ["b"],
      run: ({ index }) => index.insert(idOf("b"), owned("ada", { createdAt: start + 1 }), start, undefined)
    },
    { names: ["a"], run: ({ backend }) => backend.update(idOf("a"), setting("k", "1"), start) },
    { names: ["b"], run: ({ backend }) => backend.update(idOf("b"), living(5 * day), start) },
    {
      names: ["c"],
      run: ({ index }) =>
        index.insert(idOf("c"), owned("ada", { createdAt: start + 2 }), start, { max: 2, whenFull: "evict-oldest" })
    },
    {
      names: ["b", "d"],
      run: ({ index }) =>
        index.insert(idOf("d"), owned("ada", { createdAt: start + 3, life: 2 * day }), start, {
          max: 2,
          whenFull: "evict-oldest"
        })
    },
    { names: ["e"], run: ({ backend }) => backend.insert(idOf("e"), session({ life: 2 * hour }), start) },
    { names: ["e"], run: ({ backend }) => backend.update(idOf("e"), living(3 * day), start) },
    { names: ["d"], run: ({ backend }) => backend.update(idOf("d"), living(day), start) },
    { names: ["a", "c", "e"], run: (sessions) => sweepAll(sessions, start + 3 * hour) },
    { names: ["f"], run: ({ backend }) => backend.insert(idOf("f"), session({ life: 2 * hour }), start) },
    { names: ["f"], run: ({ backend }) => backend.remove(idOf("f"), 1, start) },
    { names: [], run: ({ index }) => index.list("ada", start) },
    { names: ["d"], run: ({ backend }) => backend.remove(idOf("d"), undefined, start) },
    { names: [], run: ({ index }) => index.forget("ada", idOf("d")) },
    { names: ["e"], run: (sessions) => sweepAll(sessions, start + 4 * day) }
  ]
  const names = ["a", "b", "c", "d", "e", "f"]

  const states = (sessions: Sessions) =>
    Effect.map(
      Effect.forEach(names, (name) => find(sessions, name)),
      (found) => Object.fromEntries(names.map((name, i) => [name, found[i]]))
    )

  for (const torn of [false, true]) {
    it(
      `S6: killed at any write${
        torn ? ", in the middle of it" : ""
      }: what was acknowledged is there, the index knows every `
        + "session of its subject, and clean-up finds everything",
      () =>
        Effect.runPromise(Effect.gen(function*() {
          let died = 0
          for (let call = 1;; call++) {
            const values = new Map<string, string>()
            const dying = over(dyingAt(values, call, torn))
            let failedAt = -1
            let before = yield* states(over(overMap(new Map(values)).store))
            for (let i = 0; i < history.length && failedAt === -1; i++) {
              const snapshot = yield* states(over(overMap(new Map(values)).store))
              if (Exit.isFailure(yield* Effect.exit(history[i].run(dying)))) failedAt = i
              before = snapshot
            }
            if (failedAt === -1) break
            died++
            const sessions = over(overMap(values).store)
            const after = yield* states(sessions)
            for (const name of names) {
              const found = after[name]
              if (history[failedAt].names.includes(name)) {
                // the record being written may be half there, then and only then
                if (found !== undefined && "_tag" in found) expect(torn).toBe(true)
              } else {
                expect(found).toEqual(before[name])
              }
            }
            const live = names.filter((name) => {
              const found = after[name]
              return found !== undefined && !("_tag" in found) && found.owner?.subject === "ada"
            })
            const listed = yield* sessions.index.list("ada", start)
            expect(listed.map(({ id }) => id).sort()).toEqual(live.map(idOf).sort())
            expect(live.length).toBeLessThanOrEqual(2)
            // life goes on
            expect(yield* sessions.index.insert(idOf("g"), owned("ada", { createdAt: start + 9 }), start, undefined))
              .toBe("Inserted")
            expect((yield* sessions.index.list("ada", start)).map(({ id }) => id)).toContain(idOf("g"))
            yield* sweepAll(sessions, start + 30 * day)
            expect([...values.keys()].filter((key) => !/^session-agenda-start-[ab]$/.test(key))).toEqual([])
          }
          expect(died).toBeGreaterThan(40)
        }))
    )
  }
})

describe("KeyValueStore store in files", () => {
  const directory = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sessions-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )

  const files = (path: string) =>
    SessionStoreKeyValue.layerBackend().pipe(
      Layer.provide(KeyValueStore.layerFileSystem(path)),
      Layer.provide(NodeContext.layer),
      Layer.fresh
    )

  const services = (path: string) =>
    Effect.provide(Effect.all({ backend: SessionBackend, index: SubjectIndex }), files(path))

  it.scopedLive("S8: sessions survive a restart, lists and clean-up too, and leave nothing behind", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const one = yield* services(path)
      for (let i = 0; i < 20; i++) {
        yield* one.index.insert(idOf(`${i}`), owned(`subject ${i % 2}`, { life: hour + i }), start, undefined)
      }
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, i) => i),
        (i) => one.backend.update(idOf("0"), setting(`${i}`, "漢".length + ""), start),
        { concurrency: "unbounded", discard: true }
      )
      const two = yield* services(path)
      expect(yield* find(two, "0")).toMatchObject({ version: 101 })
      expect((yield* two.index.list("subject 1", start)).length).toBe(10)
      expect(yield* sweepAll(two, start + hour + 9)).toBe(10)
      expect(yield* sweepAll(two, start + day * 3)).toBe(10)
      expect(readdirSync(path).filter((name) => !name.includes("agenda-start"))).toEqual([])
    }))

  it.scopedLive("S6: files that were cut off, emptied or filled with garbage read as corrupt; the next sign-in works", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const { backend, index } = yield* services(path)
      yield* index.insert(idOf("a"), owned("ada"), start, undefined)
      const name = readdirSync(path).find((file) => file.includes("record"))!
      const whole = readFileSync(join(path, name))
      const garbage = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 89 + 128) & 255))
      for (const content of [Buffer.alloc(0), whole.subarray(0, whole.length - 3), garbage, Buffer.alloc(4096)]) {
        writeFileSync(join(path, name), content)
        expect(yield* find({ backend, index }, "a")).toMatchObject({ _tag: "Corrupt", newerFormat: false })
      }
      for (const file of readdirSync(path)) writeFileSync(join(path, file), garbage)
      const later = yield* services(path)
      expect(yield* later.index.insert(idOf("b"), owned("ada"), start, undefined)).toBe("Inserted")
      expect((yield* later.index.list("ada", start)).map(({ id }) => id)).toEqual([idOf("b")])
      expect(yield* sweepAll(later, start + day)).toBe(1)
    }))

  it.scopedLive("S1: the files hold nothing that signs anyone in, and only names that are safe everywhere", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const store = yield* Effect.provide(
        SessionStore,
        SessionStoreKeyValue.layer().pipe(
          Layer.provide(KeyValueStore.layerFileSystem(path)),
          Layer.provide(NodeContext.layer)
        )
      )
      const now = yield* Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeMillis())
      const saved = yield* store.save({
        base: undefined,
        patch: setting("user", "\"ada\""),
        renew: false,
        ifVersion: undefined,
        owner: ownerOf("ada")
      }, now)
      if (saved._tag !== "Saved") throw new Error(saved._tag)
      expect(yield* store.load([saved.token], now)).toMatchObject({ _tag: "Found" })
      const dump = readdirSync(path).flatMap((file) => [file, readFileSync(join(path, file), "utf8")])
      expect(dump.length).toBeGreaterThan(6)
      expect(dump.join("\n")).not.toContain(saved.token)
      const tokens = dump.join("\n").match(/[A-Za-z0-9_-]{43}/g) ?? []
      expect(tokens).toContain(saved.id)
      for (const token of tokens) expect(yield* store.load([token], now)).toMatchObject({ _tag: "Empty" })
      expect(readdirSync(path).filter((file) => !/^session-[a-z0-9-]{1,100}$/.test(file))).toEqual([])
    }))
})
