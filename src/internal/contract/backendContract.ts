/**
 * The contract of an adapter, function by function: what `SessionBackendService` says, tried on the adapter itself.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import type { NewSession, StoredSession } from "../../SessionBackend.js"
import { type BackendTest, expected, inserted, plain, read, test, together } from "./backendTest.js"
import { data, freshId, hour, ownerOf, patch, session, times } from "./records.js"

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
  )
]
