/**
 * What an effect failed with.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"

/** The typed error of a cause that is nothing else. */
export const errorOf = <E>(cause: Cause.Cause<E>): E | undefined => cause._tag === "Fail" ? cause.error : undefined

/** Every typed error of the cause, and then every defect. */
export const errorsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<unknown> => [
  ...Chunk.toReadonlyArray(Cause.failures(cause)),
  ...Chunk.toReadonlyArray(Cause.defects(cause))
]
