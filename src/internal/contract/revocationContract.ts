/**
 * What a store of revocations keeps (row V6).
 */
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import * as random from "../codec/random.js"
import type { Denial, RevocationService } from "../store/revocation.js"

export interface RevocationTest {
  readonly title: string
  readonly run: (
    revocation: RevocationService,
    options: { readonly expiresNatively: boolean }
  ) => Effect.Effect<void, unknown>
}

const hour = 60 * 60 * 1000

const denial = (at: number, over: Partial<Denial> = {}): Denial => ({
  at,
  survivor: undefined,
  expiresAt: at + hour,
  ...over
})

const test = (title: string, run: RevocationTest["run"]): RevocationTest => ({ title, run })

const found = (revocation: RevocationService, names: ReadonlyArray<string>, now: number) =>
  Effect.map(revocation.check(names, now), (denials) => Object.fromEntries(denials))

export const tests: ReadonlyArray<RevocationTest> = [
  test("V6: a check returns what is denied of up to eight names, and leaves the others out", (revocation) =>
    Effect.gen(function*() {
      const now = Date.now()
      const ids = Array.from({ length: 4 }, random.sid)
      const subjects = Array.from({ length: 4 }, random.token)
      const names = [...ids, ...subjects]
      expect(yield* found(revocation, names, now)).toEqual({})
      const one = denial(now, { survivor: random.sid() })
      const other = denial(now + hour)
      expect(yield* revocation.deny(ids[1], one, now)).toBeUndefined()
      yield* revocation.denyOlder(subjects[3], other, now)
      expect(yield* found(revocation, names, now)).toEqual({ [ids[1]]: one, [subjects[3]]: other })
      expect(yield* found(revocation, [ids[0]], now)).toEqual({})
      expect(yield* found(revocation, [ids[1]], now)).toEqual({ [ids[1]]: one })
    })),

  test("V6: names that differ in the case of one letter are different names", (revocation) =>
    Effect.gen(function*() {
      const now = Date.now()
      const rest = random.sid().slice(1)
      yield* revocation.deny(`a${rest}`, denial(now), now)
      expect(yield* found(revocation, [`A${rest}`], now)).toEqual({})
    })),

  test("V6: the first denial of an id stays, and every later call returns it", (revocation) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = random.sid()
      const first = denial(now, { survivor: random.sid() })
      expect(yield* revocation.deny(id, first, now)).toBeUndefined()
      for (const later of [denial(now + 5), denial(now + 5, { survivor: random.sid() })]) {
        expect(yield* revocation.deny(id, later, now + 5)).toEqual(first)
      }
      expect(yield* found(revocation, [id], now)).toEqual({ [id]: first })
    })),

  test("V6: of many denials of an id at once one is the first, and all others return that one", (revocation) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = random.sid()
      const survivors = Array.from({ length: 20 }, random.sid)
      const answers = yield* Effect.forEach(
        survivors,
        (survivor) => revocation.deny(id, denial(now, { survivor }), now),
        { concurrency: "unbounded" }
      )
      const first = survivors.filter((_, i) => answers[i] === undefined)
      expect(first).toHaveLength(1)
      for (const answer of answers) expect(answer?.survivor ?? first[0]).toBe(first[0])
    })),

  test("V6: a denial counts until it expires, and not from that instant on", (revocation) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = random.sid()
      yield* revocation.deny(id, denial(now), now)
      expect(Object.keys(yield* found(revocation, [id], now + hour - 1))).toEqual([id])
      expect(yield* found(revocation, [id], now + hour)).toEqual({})
      const again = denial(now + hour)
      expect(yield* revocation.deny(id, again, now + hour)).toBeUndefined()
      expect(yield* found(revocation, [id], now + hour)).toEqual({ [id]: again })
    })),

  test("V6: each denial of a subject is later than the one before it, and lasts as long at least", (revocation) =>
    Effect.gen(function*() {
      const now = Date.now()
      const name = random.token()
      const [a, b] = [random.sid(), random.sid()]
      const only = (at: number) => Effect.map(found(revocation, [name], at), (denials) => denials[name])
      yield* revocation.denyOlder(name, denial(now, { survivor: a }), now)
      yield* revocation.denyOlder(name, denial(now, { survivor: b, expiresAt: now + 5 }), now)
      expect(yield* only(now)).toEqual({ at: now + 1, survivor: b, expiresAt: now + hour })
      yield* revocation.denyOlder(name, denial(now - 500), now)
      expect(yield* only(now)).toEqual({ at: now + 2, survivor: undefined, expiresAt: now + hour })
      yield* revocation.denyOlder(name, denial(now + 9), now)
      expect(yield* only(now)).toEqual({ at: now + 9, survivor: undefined, expiresAt: now + 9 + hour })
      yield* Effect.forEach(Array.from({ length: 20 }), () => revocation.denyOlder(name, denial(now), now), {
        concurrency: "unbounded"
      })
      expect((yield* only(now))?.at).toBe(now + 29)
    })),

  test(
    "V6: clean-up removes what has expired, at most as much as it is asked to, and nothing else",
    (revocation, options) =>
      Effect.gen(function*() {
        const past = Date.now() - 500 * 24 * hour
        const now = past + 10 * hour
        const ids = Array.from({ length: 5 }, random.sid)
        for (const id of ids) yield* revocation.deny(id, denial(past), past)
        const kept = random.sid()
        yield* revocation.deny(kept, denial(now), past)
        const moved = random.token()
        yield* revocation.denyOlder(moved, denial(past), past)
        yield* revocation.denyOlder(moved, denial(now), past)
        const removed = yield* Effect.forEach([2, 100], (limit) => revocation.removeExpired(now, limit))
        expect(removed).toEqual(options.expiresNatively ? [0, 0] : [2, 3])
        expect(new Set(Object.keys(yield* found(revocation, [kept, moved], now)))).toEqual(new Set([kept, moved]))
      })
  )
]
