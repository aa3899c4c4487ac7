/**
 * What a duration may be written as.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

const parts = new Set(["weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"])

/** Effect 4 takes an object without any part that it knows for a duration of zero. */
const hasParts = (value: object): boolean => {
  const names = Object.keys(value)
  return names.length > 0 && names.every((name) => parts.has(name))
}

/** None where it is no duration. */
export const fromUnknown = (value: unknown): Option.Option<Duration.Duration> =>
  typeof value !== "object" || value === null || Array.isArray(value) || Duration.isDuration(value) || hasParts(value)
    ? Duration.fromInput(value as Duration.Input)
    : Option.none()
