/**
 * What a duration may be written as.
 */
import * as Duration from "effect/Duration"
import type * as Option from "effect/Option"

/** None where it is no duration. */
export const fromUnknown = (value: unknown): Option.Option<Duration.Duration> => Duration.decodeUnknown(value)
