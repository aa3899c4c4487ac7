/**
 * The time of a fiber's clock, read without an effect, which would be another step of the fiber.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The clock of a fiber that nobody has given another one. */
export const live: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

/** The clock of a fiber: the live one, or the one that a test has put in its place. */
export const clockOf = (fiber: Fiber.Fiber<unknown, unknown>): Clock.Clock => fiber.getRef(Clock.Clock)

/** The time in milliseconds since the epoch. */
export const now = (fiber: Fiber.Fiber<unknown, unknown>): number => clockOf(fiber).currentTimeMillisUnsafe()

/** A clock that shows the given time, and whose sleeps are real. */
export const showing = (now: () => number): Clock.Clock => {
  const nanos = () => BigInt(now()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: now,
    currentTimeNanosUnsafe: nanos,
    monotonicTimeNanosUnsafe: nanos,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => live.sleep(duration)
  }
}
