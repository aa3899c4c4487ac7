import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option, Runtime, TestClock } from "effect"
import type { SessionBackend } from "effect-session"
import type { RequestSession } from "../../src/internal/request/requestSession.js"
import * as Token from "../../src/internal/server/token.js"
import { Count, increment } from "../support/sessionKeys.js"
import { settle, stage } from "../support/stage.js"

describe("modify, one caller after another", () => {
  it.effect("C9: a function that throws is a defect of the handler, and the next caller gets its turn", () =>
    Effect.gen(function*() {
      const { begin, request, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(Count, 1))
      const session = request(token)
      const exit = yield* Effect.exit(session.modify(Count, () => {
        throw new Error("of the test")
      }))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
      expect((yield* visit(token, increment)).value).toBe(2)
      expect(yield* increment(session)).toBe(3)
      expect(yield* stored(token)).toEqual({ count: "3" })
    }))

  it.effect("C9: a caller that is interrupted during its turn, or before it, holds up no other caller", () =>
    Effect.gen(function*() {
      for (const when of ["before", "after"] as const) {
        const { begin, hold, request, stored } = stage()
        const token = yield* begin((session) => session.insert(Count, 0))
        const update = hold("update", when)
        const first = yield* Effect.fork(increment(request(token)))
        yield* update.reached
        const second = yield* Effect.fork(increment(request(token)))
        const third = yield* Effect.fork(increment(request(token)))
        yield* settle
        yield* Fiber.interrupt(second)
        yield* Fiber.interrupt(first)
        const counted = yield* Fiber.join(third)
        expect([when, counted]).toEqual([when, when === "before" ? 1 : 2])
        expect(yield* stored(token)).toEqual({ count: String(counted) })
      }
    }))

  it.effect("M5: when the store hangs, every caller in the queue is answered within one time-out", () =>
    Effect.gen(function*() {
      const { begin, hold, request, visit } = stage()
      const token = yield* begin((session) => session.insert(Count, 0))
      const update = hold("update", "before")
      const all = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Effect.fork(Effect.exit(increment(request(token))))
      )
      yield* update.reached
      yield* settle
      yield* TestClock.adjust("5 seconds")
      for (const exit of yield* Effect.forEach(all, Fiber.join)) {
        expect(exit).toMatchObject({ _tag: "Failure", cause: { error: { operation: "update", reason: "Timeout" } } })
      }
      expect((yield* visit(token, increment)).value).toBe(1)
    }))

  it.effect("C9: a caller that changes nothing does not pass on a value that others may have changed since", () =>
    Effect.gen(function*() {
      const { backend, begin, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(Count, 1))
      const id = Token.idOf(token)
      const runtime = yield* Effect.runtime<never>()
      const seen: Array<number> = []
      let last: Fiber.RuntimeFiber<unknown, unknown> | undefined
      const look = (session: RequestSession, during: Effect.Effect<unknown, unknown> = Effect.void) =>
        session.modify(Count, (count) => {
          seen.push(Option.getOrElse(count, () => 0))
          Runtime.runSync(runtime)(Effect.ignore(during))
          return [undefined, count]
        })
      const update = hold("update", "after")
      const first = yield* Effect.fork(increment(request(token)))
      yield* update.reached
      // the second caller only reads; in the meantime another process writes, and then a third caller reads
      const second = yield* Effect.fork(
        look(
          request(token),
          Effect.gen(function*() {
            if (last !== undefined) return
            const patch = {
              clear: false,
              set: new Map([["count", "10"]]),
              remove: new Set<string>(),
              expiry: undefined
            }
            yield* backend.update(id, { ...patch, maxBytes: 1000 }, 0)
            last = Runtime.runFork(runtime)(look(request(token)))
          })
        )
      )
      yield* settle
      yield* update.release
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      yield* Fiber.join(last!)
      expect(seen.at(-1)).toBe(10)
      expect(yield* stored(token)).toEqual({ count: "10" })
    }))
})

describe("modify against other processes", () => {
  /** A backend where another process is faster the given number of times. */
  const contended = (times: number) => {
    let left = times
    return (backend: SessionBackend.SessionBackendService): SessionBackend.SessionBackendService => ({
      ...backend,
      update: (id, patch, now, ifVersion, base) =>
        ifVersion !== undefined && left-- > 0
          ? Effect.succeed({ _tag: "Conflict" as const })
          : backend.update(id, patch, now, ifVersion, base)
    })
  }

  /** The outcome of an increment after the given number of pauses, none of which is longer than 64 ms. */
  const incremented = (times: number, pauses: number) =>
    Effect.gen(function*() {
      const { begin, counts, stored, visit } = stage({}, contended(times))
      const token = yield* begin((session) => session.insert(Count, 1))
      const fiber = yield* Effect.fork(visit(token, increment))
      for (let i = 0; i < pauses; i++) yield* Effect.zipRight(settle, TestClock.adjust(64))
      const ended = fiber.unsafePoll()
      yield* Fiber.interruptFork(fiber)
      return {
        outcome: ended !== null && Exit.match(ended, { onFailure: Cause.squash, onSuccess: ({ value }) => value }),
        stored: yield* stored(token),
        tries: counts.update
      }
    })

  it.effect("C9: a caller that loses to other processes again and again keeps trying, and its increment counts once", () =>
    Effect.gen(function*() {
      const { outcome, stored, tries } = yield* incremented(99, 110)
      expect([outcome, stored, tries]).toEqual([2, { count: "2" }, 100])
    }))

  it.effect("C9: a caller that always loses fails with a typed error after a bounded number of tries, and writes nothing", () =>
    Effect.gen(function*() {
      const { outcome, stored, tries } = yield* incremented(Infinity, 110)
      expect(outcome).toMatchObject({ _tag: "SessionStoreError", operation: "update", reason: "Contention" })
      expect(stored).toEqual({ count: "1" })
      expect(tries).toBeLessThanOrEqual(101)
    }))
})

it.effect("C9: a modify that changes nothing returns what is stored now, not what the request once loaded", () =>
  Effect.gen(function*() {
    const { begin, request, visit } = stage()
    const token = yield* begin((session) => session.insert(Count, 1))
    const session = request(token)
    expect(yield* session.get(Count)).toEqual(Option.some(1))
    yield* visit(token, increment)
    expect(yield* session.modify(Count, (count) => [count, count])).toEqual(Option.some(2))
  }))
