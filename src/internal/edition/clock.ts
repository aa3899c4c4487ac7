/**
 * The time of a fiber's clock, read without an effect, which would be another step of the fiber.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The clock of a fiber that nobody has given another one. */
export const live: Clock.Clock = Context.get(DefaultServices.liveServices, Clock.Clock)

/** The clock of a fiber: the live one, or the one that a test has put in its place. */
export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** The time in milliseconds since the epoch. */
export const now = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number => clockOf(fiber).unsafeCurrentTimeMillis()

/** A clock that shows the given time, and whose sleeps are real. */
export const showing = (now: () => number): Clock.Clock => {
  const nanos = () => BigInt(now()) * 1_000_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) => live.sleep(duration)
  }
}
