import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { SessionError } from "effect-session"
import type { SessionBackend } from "effect-session"
import { guarded } from "../../src/internal/server/guard.js"
import { storeIsDown, Turns } from "../../src/internal/store/turns.js"

const patch: SessionBackend.Patch = {
  clear: false,
  set: new Map(),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 1_000
}

const unused = () => Effect.dieMessage("not used")

/** A backend whose updates take turns, and whose update of version `n` is `work(n)`. */
const takingTurns = (
  work: (version: number) => Effect.Effect<SessionBackend.Updated, SessionError.SessionStoreError>
) => {
  const turns = new Turns<SessionError.SessionStoreError>()
  return guarded(
    {
      find: unused,
      insert: unused,
      update: (id, _patch, _now, version = 0) => turns.take(id, () => work(version), storeIsDown),
      remove: unused,
      removeExpired: unused
    },
    1_000,
    Effect.fail
  )
}

const all = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.fork(Effect.all(effects.map(Effect.exit), { concurrency: "unbounded" }))

describe("the time-out of a store", () => {
  it.effect("M5: the time-out starts with the caller's turn, and not while the caller waits for its turn", () =>
    Effect.gen(function*() {
      const backend = takingTurns(() => Effect.as(Effect.sleep(900), { _tag: "Missing" as const }))
      const fiber = yield* all(Array.from({ length: 10 }, () => backend.update("id", patch, 0)))
      yield* TestClock.adjust(9_000)
      expect((yield* Fiber.join(fiber)).map(Exit.isSuccess)).toEqual(Array.from({ length: 10 }, () => true))
    }))

  it.effect("M5: when a store does not answer, every caller that waits for it fails after one time-out", () =>
    Effect.gen(function*() {
      let calls = 0
      const backend = takingTurns(() => Effect.suspend(() => (calls++, Effect.never)))
      const fiber = yield* all(Array.from({ length: 10 }, () => backend.update("id", patch, 0)))
      yield* TestClock.adjust(1_000)
      for (const exit of yield* Fiber.join(fiber)) {
        expect(exit).toEqual(Exit.fail(SessionError.SessionStoreError.of("update", "Timeout")))
      }
      expect(calls).toBe(1)
    }))

  it.effect("M5: a caller that loses the compare-and-set too often fails, and the other callers do not", () =>
    Effect.gen(function*() {
      const backend = takingTurns((version) =>
        Effect.zipRight(
          Effect.yieldNow(),
          version === 1
            ? Effect.fail(SessionError.SessionStoreError.of("update", "Contention"))
            : Effect.succeed({ _tag: "Missing" as const })
        )
      )
      const fiber = yield* all([1, 2, 3].map((version) => backend.update("id", patch, 0, version)))
      expect((yield* Fiber.join(fiber)).map(Exit.isSuccess)).toEqual([false, true, true])
    }))
})
