import { Effect, FiberRef } from "effect"

/** A value that belongs to a fiber, and those that it forks. */
export const makeLocal = <A>(initial: A) => {
  const ref = FiberRef.unsafeMake(initial)
  return {
    get: FiberRef.get(ref),
    within: <B, E, R>(effect: Effect.Effect<B, E, R>, value: A) => Effect.locally(effect, ref, value)
  }
}
