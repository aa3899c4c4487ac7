/**
 * What an effect failed with.
 */
import type * as Cause from "effect/Cause"

/** The typed error of a cause that is nothing else. */
export const errorOf = <E>({ reasons }: Cause.Cause<E>): E | undefined =>
  reasons.length === 1 && reasons[0]._tag === "Fail" ? reasons[0].error : undefined

/** Every typed error of the cause, and then every defect. */
export const errorsOf = ({ reasons }: Cause.Cause<unknown>): ReadonlyArray<unknown> => [
  ...reasons.flatMap((reason) => reason._tag === "Fail" ? [reason.error] : []),
  ...reasons.flatMap((reason) => reason._tag === "Die" ? [reason.defect] : [])
]
