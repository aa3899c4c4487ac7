/**
 * The time of a fiber's clock, read without an effect, which would be another step of the fiber.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"

/** The clock of a fiber: the live one, or the one that a test has put in its place. */
export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** The time in milliseconds since the epoch. */
export const now = (fiber: Fiber.RuntimeFiber<unknown, unknown>): number => clockOf(fiber).unsafeCurrentTimeMillis()
