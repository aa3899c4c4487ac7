import { Context, Effect } from "effect"

let count = 0

/** A value that belongs to a fiber, and those that it forks. */
export const makeLocal = <A>(initial: A) => {
  const ref = Context.Reference<A>(`test/local/${count++}`, { defaultValue: () => initial })
  return {
    get: Effect.map(ref, (value) => value),
    within: <B, E, R>(effect: Effect.Effect<B, E, R>, value: A) => Effect.provideService(effect, ref, value)
  }
}
