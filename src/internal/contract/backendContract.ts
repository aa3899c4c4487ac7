/**
 * The contract of an adapter, function by function: what `SessionBackendService` says, tried on the adapter itself.
 */
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { expect } from "vitest"
import type { NewSession, SessionBackendService, StoredSession } from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"
import { awkwardNames } from "./operationRows.js"
import { data, freshId, hour, ownerOf, patch, session, times } from "./records.js"

export interface BackendTest {
  readonly title: string
  readonly run: (backend: SessionBackendService, options: BackendOptions) => Effect.Effect<void, unknown>
}

/**
 * - `expiresNatively`: the database removes expired records by itself, and `removeExpired` answers 0.
 */
export interface BackendOptions {
  readonly expiresNatively: boolean
}

const test = (title: string, run: BackendTest["run"]): BackendTest => ({ title, run })

/** The record, or undefined; a corrupt one fails the test. */
export const read = (backend: SessionBackendService, id: string, now: number) =>
  Effect.map(backend.find(id, now), (found): StoredSession | undefined => {
    if (Option.isNone(found)) return undefined
    expect(found.value).not.toHaveProperty("_tag")
    return found.value as StoredSession // a corrupt record has the tag
  })

/** The parts of a record as plain values, whatever else an adapter's object has. */
const plain = (record: StoredSession | undefined) =>
  record && {
    createdAt: record.createdAt,
    refreshedAt: record.refreshedAt,
    expiresAt: record.expiresAt,
    idleMillis: record.idleMillis,
    persistent: record.persistent,
    own: record.own,
    owner: record.owner && { ...record.owner },
    version: record.version,
    data: sorted(record.data)
  }

const sorted = (entries: ReadonlyMap<string, string>) => [...entries].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)

const expected = (record: NewSession, version: number) => plain({ ...record, version })

const inserted = (backend: SessionBackendService, record: NewSession, now: number) =>
  Effect.map(backend.insert(freshIdOf(record), record, now), (answer) => {
    expect(answer).toBe(true)
    return freshIdOf(record)
  })

const ids = new WeakMap<NewSession, string>()
const freshIdOf = (record: NewSession): string => {
  let id = ids.get(record)
  if (id === undefined) ids.set(record, id = freshId())
  return id
}

const text = (value: unknown): string => JSON.stringify(value)

const together = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

export const tests: ReadonlyArray<BackendTest> = [
  test("S8: find returns None for an id that was never inserted", (backend) =>
    Effect.gen(function*() {
      expect(yield* backend.find(freshId(), Date.now())).toEqual(Option.none())
    })),

  test("S8: an inserted record is found at version 1, with every field as it was given", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const records: ReadonlyArray<NewSession> = [
        session(now),
        session(now, { data: new Map() }),
        session(now, { persistent: false, own: true, idleMillis: 1, refreshedAt: now - 1, createdAt: now - hour }),
        session(now, { createdAt: 0, refreshedAt: 1, expiresAt: 253_402_300_799_999, idleMillis: 34_560_000_000 }),
        session(now, { owner: ownerOf("alice", now) }),
        session(now, {
          owner: { subject: "", authenticatedAt: 0, userAgent: "", address: "" }
        }),
        session(now, {
          owner: {
            subject: "Ä\u0000'\"\\ \ud83d\ude00",
            authenticatedAt: now,
            userAgent: "Mozilla/5.0 (X) \u00e9'; --",
            address: "2001:db8::1"
          }
        })
      ]
      for (const record of records) {
        const id = yield* inserted(backend, record, now)
        expect(plain(yield* read(backend, id, now))).toEqual(expected(record, 1))
      }
    })),

  test("S8: insert refuses an id that is taken, and leaves the record as it was", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now)
      const id = yield* inserted(backend, record, now)
      yield* backend.update(id, patch({ set: data({ more: 1 }) }), now)
      const before = plain(yield* read(backend, id, now))
      expect(yield* backend.insert(id, session(now, { data: data({ user: "eve" }) }), now)).toBe(false)
      expect(plain(yield* read(backend, id, now))).toEqual(before)
    })),

  test("S8: of parallel inserts of one id exactly one succeeds, and its record is the one that is found", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = freshId()
      const answers = yield* together(
        Array.from({ length: 16 }, (_, i) => backend.insert(id, session(now, { data: data({ i }) }), now))
      )
      expect(answers.filter(Boolean)).toHaveLength(1)
      const winner = yield* read(backend, id, now)
      expect(winner?.version).toBe(1)
      expect(winner?.data).toEqual(data({ i: answers.indexOf(true) }))
    })),

  test("S8: ids are compared by code units, so that ids that differ only by case are different", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = freshId()
      const swapped = [...id].map((c) => c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())
      // the last character stays: not every one ends the base64url of 32 bytes
      const other = swapped.slice(0, -1).join("") + id.slice(-1)
      expect(yield* backend.insert(id, session(now, { data: data({ id }) }), now)).toBe(true)
      expect(yield* backend.find(other, now)).toEqual(Option.none())
      expect(yield* backend.insert(other, session(now, { data: data({ id: other }) }), now)).toBe(true)
      expect((yield* read(backend, id, now))?.data).toEqual(data({ id }))
      expect(yield* backend.remove(other, undefined, now)).toBe("removed")
      expect((yield* read(backend, id, now))?.data).toEqual(data({ id }))
    })),

  test("S8: update sets and removes keys and adds one to the version, and without an expiry the times stay", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now, { data: data({ a: 1, b: 2, c: 3 }), owner: ownerOf("alice", now) })
      const id = yield* inserted(backend, record, now)
      const updated = yield* backend.update(
        id,
        patch({ set: data({ b: "two", d: 4 }), remove: new Set(["a", "absent"]) }),
        now + 5
      )
      expect(updated).toMatchObject({ _tag: "Updated", version: 2, expiry: times(now) })
      expect(plain(yield* read(backend, id, now))).toEqual(
        expected({ ...record, data: data({ b: "two", c: 3, d: 4 }) }, 2)
      )
    })),

  test("S8: update clears first, then removes, then sets", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now, { data: data({ a: 1, b: 2 }) })
      const id = yield* inserted(backend, record, now)
      yield* backend.update(id, patch({ clear: true, set: data({ b: 3, c: 4 }) }), now)
      expect((yield* read(backend, id, now))?.data).toEqual(data({ b: 3, c: 4 }))
      yield* backend.update(id, patch({ clear: true }), now)
      expect(plain(yield* read(backend, id, now))).toEqual(expected({ ...record, data: new Map() }, 3))
      yield* backend.update(id, patch({ set: data({ again: true }) }), now)
      expect((yield* read(backend, id, now))?.data).toEqual(data({ again: true }))
    })),

  test("S8: update with an expiry replaces all the times, and returns them", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now)
      const id = yield* inserted(backend, record, now)
      const expiry = {
        createdAt: now - 1,
        refreshedAt: now + 2,
        expiresAt: now + 3 * hour,
        idleMillis: 4,
        persistent: false,
        own: true
      }
      expect(yield* backend.update(id, patch({ expiry }), now)).toMatchObject({ _tag: "Updated", version: 2, expiry })
      expect(plain(yield* read(backend, id, now))).toEqual(expected({ ...record, ...expiry }, 2))
      expect(yield* read(backend, id, now + 3 * hour - 1)).toBeDefined()
    })),

  test("S8: update never creates a record: an unknown, removed or expired one is Missing", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const change = patch({ set: data({ revived: true }), expiry: times(now + hour) })
      const unknown = freshId()
      const removed = yield* inserted(backend, session(now), now)
      yield* backend.remove(removed, undefined, now)
      const expired = yield* inserted(backend, session(now), now)
      for (const [id, at] of [[unknown, now], [removed, now], [expired, now + hour]] as const) {
        for (const ifVersion of [undefined, 1]) {
          expect(yield* backend.update(id, change, at, ifVersion)).toMatchObject({ _tag: "Missing" })
        }
        expect(yield* backend.find(id, at)).toEqual(Option.none())
      }
    })),

  test("S8: update with ifVersion applies only at that version, and otherwise returns Conflict and changes nothing", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now), now)
      expect(yield* backend.update(id, patch({ set: data({ n: 1 }) }), now, 1)).toMatchObject({
        _tag: "Updated",
        version: 2
      })
      const before = plain(yield* read(backend, id, now))
      for (const version of [1, 3, 0]) {
        const answer = yield* backend.update(id, patch({ clear: true, set: data({ n: 2 }) }), now, version)
        expect(answer).toMatchObject({ _tag: "Conflict" })
      }
      expect(plain(yield* read(backend, id, now))).toEqual(before)
    })),

  test("S8: a stale base changes neither the outcome of an update nor the record", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now, { data: data({ a: 1, b: 1 }) })
      const id = yield* inserted(backend, record, now)
      const stale: StoredSession = { ...record, version: 1 }
      yield* backend.update(id, patch({ set: data({ a: 2 }), expiry: times(now + 1) }), now)
      const blind = yield* backend.update(id, patch({ set: data({ c: 1 }) }), now, undefined, stale)
      expect(blind).toMatchObject({ _tag: "Updated", version: 3, expiry: times(now + 1) })
      expect(yield* backend.update(id, patch({ set: data({ c: 2 }) }), now, 1, stale)).toMatchObject({
        _tag: "Conflict"
      })
      const sure = yield* backend.update(id, patch({ set: data({ d: 1 }) }), now, 3, stale)
      expect(sure).toMatchObject({ _tag: "Updated", version: 4 })
      expect(plain(yield* read(backend, id, now))).toEqual(
        expected({ ...record, ...times(now + 1), data: data({ a: 2, b: 1, c: 1, d: 1 }) }, 4)
      )
      yield* backend.remove(id, undefined, now)
      expect(yield* backend.update(id, patch({ set: data({ e: 1 }) }), now, undefined, stale)).toMatchObject({
        _tag: "Missing"
      })
      expect(yield* backend.update(id, patch({ set: data({ e: 1 }) }), now, 1, stale)).toMatchObject({
        _tag: "Missing"
      })
    })),

  test("S8: an update with an empty patch counts as an update", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now)
      const id = yield* inserted(backend, record, now)
      expect(yield* backend.update(id, patch(), now)).toMatchObject({ _tag: "Updated", version: 2 })
      expect(plain(yield* read(backend, id, now))).toEqual(expected(record, 2))
    })),

  test("S8: of all removes of a record exactly one returns removed, and ifVersion is honoured", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now), now)
      yield* backend.update(id, patch(), now)
      expect(yield* backend.remove(id, 1, now)).toBe("conflict")
      expect(yield* read(backend, id, now)).toBeDefined()
      expect(yield* backend.remove(id, 2, now)).toBe("removed")
      expect(yield* backend.find(id, now)).toEqual(Option.none())
      expect(yield* backend.remove(id, 2, now)).toBe("missing")
      expect(yield* backend.remove(id, undefined, now)).toBe("missing")
      expect(yield* backend.remove(freshId(), undefined, now)).toBe("missing")
      const other = yield* inserted(backend, session(now), now)
      const answers = yield* together(Array.from({ length: 12 }, () => backend.remove(other, undefined, now)))
      expect(answers.filter((answer) => answer === "removed")).toHaveLength(1)
      expect(answers.filter((answer) => answer === "missing")).toHaveLength(11)
    })),

  test("S8: an id that was removed may be inserted again, and starts at version 1", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: data({ old: 1 }), owner: ownerOf("alice", now) }), now)
      yield* backend.update(id, patch(), now)
      yield* backend.remove(id, undefined, now)
      const record = session(now, { data: data({ new: 1 }) })
      expect(yield* backend.insert(id, record, now)).toBe(true)
      expect(plain(yield* read(backend, id, now))).toEqual(expected(record, 1))
    })),

  test("S4: for every function a record exists until its expiresAt, and is missing from that instant on", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now), now)
      const end = now + hour
      expect(yield* read(backend, id, end - 1)).toBeDefined()
      expect(yield* backend.update(id, patch(), end - 1)).toMatchObject({ _tag: "Updated" })
      expect(yield* backend.find(id, end)).toEqual(Option.none())
      expect(yield* backend.find(id, end + hour)).toEqual(Option.none())
      expect(yield* backend.update(id, patch(), end)).toMatchObject({ _tag: "Missing" })
      expect(yield* backend.remove(id, undefined, end)).toBe("missing")
    })),

  test("S4: the id of an expired record may be inserted again, and nothing of the old record stays", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(
        backend,
        session(now, { data: data({ old: 1, other: 2 }), owner: ownerOf("alice", now) }),
        now
      )
      yield* backend.update(id, patch(), now)
      const record = session(now + hour, { data: data({ new: 1 }) })
      expect(yield* backend.insert(id, record, now + hour)).toBe(true)
      expect(plain(yield* read(backend, id, now + hour))).toEqual(expected(record, 1))
    })),

  test(
    "S4: removeExpired removes expired records and nothing else, at most as many as its limit",
    (backend, options) =>
      Effect.gen(function*() {
        // Long ago, so that no record of anybody else has expired by then.
        const now = 1_000_000
        const expiring: Array<string> = []
        for (let i = 0; i < 7; i++) expiring.push(yield* inserted(backend, session(now, { lifeMillis: 10 + i }), now))
        const living = yield* inserted(backend, session(now, { lifeMillis: 1000 }), now)
        const present = yield* inserted(backend, session(Date.now()), Date.now())
        const removed: Array<number> = []
        for (let i = 0; i < 5; i++) removed.push(yield* backend.removeExpired(now + 16, 3))
        if (options.expiresNatively) {
          expect(removed).toEqual([0, 0, 0, 0, 0])
        } else {
          for (const count of removed) expect(count).toBeLessThanOrEqual(3)
          expect(removed.reduce((sum, count) => sum + count)).toBe(7)
          expect(removed.slice(3)).toEqual([0, 0])
          // gone, and not only out of sight: even at a time when they still lived
          for (const id of expiring) expect(yield* backend.find(id, now)).toEqual(Option.none())
        }
        expect(yield* read(backend, living, now + 16)).toBeDefined()
        expect(yield* read(backend, present, Date.now())).toBeDefined()
      })
  ),

  test("S7: an update that would exceed maxBytes returns TooLarge with the size and writes nothing, and the boundary itself fits", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now, { data: new Map([["ü", text("x")]]) }) // 2 + 3 bytes
      const id = yield* inserted(backend, record, now)
      const set = new Map([["key", text("ü\ud83d\ude00")]]) // 3 + 8 bytes
      const size = Data.totalBytes(record.data) + Data.totalBytes(set)
      expect(size).toBe(16)
      const refused = yield* backend.update(id, patch({ set, expiry: times(now + 1), maxBytes: size - 1 }), now)
      expect(refused).toMatchObject({ _tag: "TooLarge", size })
      expect(plain(yield* read(backend, id, now))).toEqual(expected(record, 1))
      expect(yield* backend.update(id, patch({ set, maxBytes: size }), now)).toMatchObject({ _tag: "Updated" })
      // what is replaced, removed or cleared does not count
      const replaced = new Map([["key", text("ü\ud83d\ude00")]])
      expect(yield* backend.update(id, patch({ set: replaced, maxBytes: size }), now)).toMatchObject({
        _tag: "Updated"
      })
      const other = new Map([["new", text("12345678")]]) // 3 + 10 bytes: 13, with `ü` 18
      expect(yield* backend.update(id, patch({ set: other, remove: new Set(["key"]), maxBytes: 17 }), now))
        .toMatchObject(
          { _tag: "TooLarge", size: 18 }
        )
      expect(yield* backend.update(id, patch({ set: other, remove: new Set(["key"]), maxBytes: 18 }), now))
        .toMatchObject(
          { _tag: "Updated" }
        )
      expect(yield* backend.update(id, patch({ clear: true, set: other, maxBytes: 13 }), now)).toMatchObject({
        _tag: "Updated"
      })
      expect((yield* read(backend, id, now))?.data).toEqual(other)
    })),

  test(
    "S7: only an update that makes the session larger is TooLarge, so that a session over a lowered limit lives on and may shrink",
    (backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const large = new Map([["big", text("x".repeat(200))], ["small", text("y")]])
        const id = yield* inserted(backend, session(now, { data: large }), now)
        const size = Data.totalBytes(large)
        const maxBytes = 100
        const done = { _tag: "Updated" }
        expect(yield* backend.update(id, patch({ maxBytes }), now)).toMatchObject(done)
        expect(yield* backend.update(id, patch({ expiry: times(now + 1), maxBytes }), now)).toMatchObject(done)
        // one that replaces is judged by its result: of the same size, one byte more, one byte less
        const change = (length: number) => patch({ set: new Map([["small", text("z".repeat(length))]]), maxBytes })
        expect(yield* backend.update(id, change(1), now)).toMatchObject(done)
        const before = plain(yield* read(backend, id, now))
        expect(yield* backend.update(id, change(2), now)).toMatchObject({ _tag: "TooLarge", size: size + 1 })
        expect(plain(yield* read(backend, id, now))).toEqual(before)
        expect(yield* backend.update(id, change(0), now)).toMatchObject(done)
        expect(yield* backend.update(id, patch({ remove: new Set(["small", "absent"]), maxBytes }), now))
          .toMatchObject(done)
        // clearing it for something smaller, still over the limit
        const smaller = new Map([["other", text("x".repeat(150))]])
        const cleared = yield* backend.update(id, patch({ clear: true, set: smaller, maxBytes }), now)
        expect(cleared).toMatchObject(done)
        expect((yield* read(backend, id, now))?.data).toEqual(smaller)
        const larger = patch({ clear: true, set: new Map([["other", text("x".repeat(151))]]), maxBytes })
        expect(yield* backend.update(id, larger, now)).toMatchObject({ _tag: "TooLarge" })
        expect(yield* backend.update(id, patch({ clear: true, maxBytes }), now)).toMatchObject(done)
        expect((yield* read(backend, id, now))?.data.size).toBe(0)
      })
  ),

  test("S7: parallel updates together cannot exceed maxBytes", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: new Map() }), now)
      const maxBytes = 100
      const answers = yield* together(
        Array.from({ length: 20 }, (_, i) =>
          backend.update(id, patch({ set: new Map([[`k${10 + i}`, text("1234567")]]), maxBytes }), now))
      )
      // 3 + 9 bytes each
      expect(answers.filter(({ _tag }) =>
        _tag === "Updated"
      )).toHaveLength(8)
      const record = yield* read(backend, id, now)
      expect(Data.totalBytes(record?.data ?? new Map())).toBe(96)
      expect(record?.version).toBe(9)
    })),

  test("S7: a session of 256 KiB is stored and found, in one value or in many", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const one = new Map([["big", text("é".repeat(131_000))]])
      const many = new Map(Array.from({ length: 2000 }, (_, i) => [`key ${i}`, text("x".repeat(100))] as const))
      for (const large of [one, many]) {
        const id = yield* inserted(backend, session(now, { data: large }), now)
        expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(large))
        const answer = yield* backend.update(id, patch({ clear: true, set: large }), now)
        expect(answer).toMatchObject({ _tag: "Updated", version: 2 })
        expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(large))
      }
    })),

  test("C8: any text is a distinct key, and the values are opaque texts", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const values = [
        "null",
        "0",
        "\"\"",
        "v2 {\"a\":1}",
        "v13 null",
        text("\u0000\u0001\u001f"),
        text("\u2028\ud83d\ude00e\u0301'\"\\"),
        "  {\"spaces\" :  1}  ",
        "1e400",
        "-0",
        "{\"__proto__\":{\"polluted\":true}}"
      ]
      const entries = new Map([
        ...awkwardNames.map((name, i) => [name, values[i % values.length]] as const),
        ...values.map((value, i) => [`value ${i}`, value] as const),
        ["long ".repeat(200), "1"] as const
      ])
      const id = yield* inserted(backend, session(now, { data: entries }), now)
      expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(entries))
      // the same by update, one after the other, and back
      const other = yield* inserted(backend, session(now, { data: new Map() }), now)
      for (const [key, value] of entries) yield* backend.update(other, patch({ set: new Map([[key, value]]) }), now)
      expect(sorted((yield* read(backend, other, now))?.data ?? new Map())).toEqual(sorted(entries))
      for (const [key] of entries) yield* backend.update(other, patch({ remove: new Set([key]) }), now)
      expect((yield* read(backend, other, now))?.data.size).toBe(0)
    })),

  test("C8: random keys and texts come back unchanged, through insert and through update", (backend) =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.dictionary(fc.string({ unit: "binary", maxLength: 12 }), fc.jsonValue(), { maxKeys: 8 }),
          fc.dictionary(fc.string({ unit: "binary", maxLength: 12 }), fc.jsonValue(), { maxKeys: 8 }),
          (first, second) =>
            Effect.runPromise(Effect.gen(function*() {
              const now = Date.now()
              const [a, b] = [data(first), data(second)]
              const id = yield* inserted(backend, session(now, { data: a }), now)
              yield* backend.update(id, patch({ set: b }), now)
              expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(new Map([...a, ...b])))
            }))
        ),
        { numRuns: 25 }
      )
    )),

  test("S3: parallel updates of one record are applied one by one, so that each is kept and has its own version", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: data({ start: true }) }), now)
      const answers = yield* together(
        Array.from({ length: 60 }, (_, i) => backend.update(id, patch({ set: data({ [`key ${i}`]: i }) }), now))
      )
      const versions = answers.map((answer) => answer._tag === "Updated" ? answer.version : -1)
      expect([...versions].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2))
      const record = yield* read(backend, id, now)
      expect(record?.version).toBe(61)
      expect(record?.data.size).toBe(61)
    })),

  test("S3: of parallel updates with the same ifVersion exactly one is applied", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: new Map() }), now)
      for (let version = 1; version <= 5; version++) {
        const answers = yield* together(
          Array.from({ length: 12 }, (_, i) => backend.update(id, patch({ set: data({ by: i }) }), now, version))
        )
        const winners = answers.flatMap(({ _tag }, i) => _tag === "Updated" ? [i] : [])
        expect(winners).toHaveLength(1)
        expect(answers.filter(({ _tag }) => _tag === "Conflict")).toHaveLength(11)
        expect((yield* read(backend, id, now))?.data).toEqual(data({ by: winners[0] }))
      }
    })),

  test("C9: parallel increments by find and update with ifVersion are all counted", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: data({ n: 0 }) }), now)
      const addOne: Effect.Effect<void, unknown> = Effect.gen(function*() {
        const record = yield* read(backend, id, now)
        const n = Number(record?.data.get("n")) + 1
        const answer = yield* backend.update(id, patch({ set: data({ n }) }), now, record?.version, record)
        if (answer._tag === "Conflict") yield* Effect.zipRight(Effect.yieldNow(), addOne)
        else expect(answer._tag).toBe("Updated")
      })
      yield* Effect.all(Array.from({ length: 40 }, () => addOne), { concurrency: 5 })
      const record = yield* read(backend, id, now)
      expect(record?.data).toEqual(data({ n: 40 }))
      expect(record?.version).toBe(41)
    })),

  test("S2: a record that is removed during parallel updates stays removed", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      for (let i = 0; i < 20; i++) {
        const id = yield* inserted(backend, session(now), now)
        const update = (n: number) => backend.update(id, patch({ set: data({ [`key ${n}`]: n }) }), now)
        const [removed] = yield* Effect.all(
          [backend.remove(id, undefined, now), update(1), update(2), backend.update(id, patch(), now, 1)],
          { concurrency: "unbounded" }
        )
        expect(removed).toBe("removed")
        expect(yield* backend.find(id, now)).toEqual(Option.none())
        expect(yield* update(3)).toMatchObject({ _tag: "Missing" })
      }
    })),

  test("S8: one session never sees another's data", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const records = Array.from({ length: 30 }, (_, i) => session(now, { data: data({ who: i }) }))
      const all = yield* together(records.map((record) => inserted(backend, record, now)))
      yield* together(all.map((id, i) => backend.update(id, patch({ set: data({ seen: i }) }), now)))
      yield* together(all.filter((_, i) => i % 3 === 0).map((id) => backend.remove(id, undefined, now)))
      const found = yield* together(all.map((id) => read(backend, id, now)))
      found.forEach((record, i) => expect(record?.data).toEqual(i % 3 === 0 ? undefined : data({ who: i, seen: i })))
    }))
]
