/**
 * What an adapter keeps of a session that was renewed away (row S9).
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import type { BackendTest } from "./backendTest.js"
import { data, freshId, hour, ownerOf, patch, session } from "./records.js"

const grace = 60_000

const test = (title: string, run: BackendTest["run"]): BackendTest => ({ title, run })

export const tests: ReadonlyArray<BackendTest> = [
  test("S9: a record that was replaced names its successor, to find, update and remove, and cannot be changed", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const [id, successor] = [freshId(), freshId()]
      yield* backend.insert(id, session(now, { owner: ownerOf("ada", now) }), now)
      expect(yield* backend.remove(id, 2, now, { id: successor, expiresAt: now + grace })).toBe("conflict")
      expect(yield* backend.remove(id, 1, now, { id: successor, expiresAt: now + grace })).toBe("removed")
      const renewed = { _tag: "Renewed", successor, renewedAt: now }
      const later = now + grace - 1
      const answers = Effect.gen(function*() {
        expect(yield* backend.find(id, later)).toEqual(Option.some(renewed))
        expect(yield* backend.update(id, patch({ set: data({ late: 1 }) }), later)).toEqual(renewed)
        expect(yield* backend.update(id, patch({ clear: true }), later, 1)).toEqual(renewed)
        for (const version of [undefined, 0, 1]) expect(yield* backend.remove(id, version, later)).toEqual(renewed)
        expect(yield* backend.remove(id, 1, later, { id: freshId(), expiresAt: later + grace })).toEqual(renewed)
        expect(yield* backend.insert(id, session(later), later)).toBe(false)
      })
      yield* answers
      yield* answers // nothing of it has changed the mark
    })),
  test("S9: the mark of a renewal is gone when its time is over, and its id may be used again", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = freshId()
      const end = now + grace
      yield* backend.insert(id, session(now), now)
      yield* backend.remove(id, 1, now, { id: freshId(), expiresAt: end })
      expect(yield* backend.find(id, end)).toEqual(Option.none())
      expect(yield* backend.update(id, patch({ set: data({ late: 1 }) }), end)).toEqual({ _tag: "Missing" })
      expect(yield* backend.remove(id, undefined, end)).toBe("missing")
      expect(yield* backend.insert(id, session(end), end)).toBe(true)
      const found = Option.getOrThrow(yield* backend.find(id, end))
      expect(found).toMatchObject({ version: 1 })
    })),
  test("S9: of parallel renewals of one version exactly one leaves its mark", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = freshId()
      yield* backend.insert(id, session(now), now)
      // After a renewal by `renewEvery` more stands behind the id.
      const successors = Array.from({ length: 8 }, (_, i) => i % 2 === 0 ? freshId() : `${freshId()}.${freshId()}`)
      const answers = yield* Effect.all(
        successors.map((successor) => backend.remove(id, 1, now, { id: successor, expiresAt: now + grace })),
        { concurrency: "unbounded" }
      )
      const first = answers.indexOf("removed")
      expect(answers.filter((answer) => answer === "removed")).toHaveLength(1)
      expect(yield* backend.find(id, now)).toEqual(
        Option.some({ _tag: "Renewed", successor: successors[first], renewedAt: now })
      )
    })),
  test("S9: a successor for a missing or an expired record leaves no mark", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const [unknown, expired] = [freshId(), freshId()]
      yield* backend.insert(expired, session(now), now)
      for (const [id, at] of [[unknown, now], [expired, now + hour]] as const) {
        const successor = { id: freshId(), expiresAt: at + grace }
        expect(yield* backend.remove(id, undefined, at, successor)).toBe("missing")
        expect(yield* backend.find(id, at)).toEqual(Option.none())
      }
    })),
  test(
    "S4: removeExpired removes the marks of renewals that have expired",
    (backend, { expiresNatively }) =>
      Effect.gen(function*() {
        const now = 500_000 // long ago, before everything that other tests have left
        for (let i = 0; i < 3; i++) {
          const id = freshId()
          yield* backend.insert(id, session(now), now)
          yield* backend.remove(id, 1, now, { id: freshId(), expiresAt: now + grace })
        }
        expect(yield* backend.removeExpired(now + grace - 1, 10)).toBe(0)
        const removed = yield* backend.removeExpired(now + grace, 10)
        expect(removed).toBe(expiresNatively ? 0 : 3)
      })
  )
]
