/**
 * Effects that are already done. A store without I/O returns `Effect.succeed`, and a request then runs through without a frame
 * of its fiber for every step.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Result from "effect/Result"

const success: unknown = Object.getPrototypeOf(Exit.void)
const failure: unknown = Object.getPrototypeOf(Exit.fail(undefined))

/**
 * `Effect.succeed` and `Exit.succeed` make the same value, and so do their failures. Every other effect has yet to run.
 * `Exit.isExit`, which takes any value, makes an object at each call.
 */
export const isExit = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): effect is Exit.Exit<A, E> & Effect.Effect<A, E, R> => {
  const prototype: unknown = Object.getPrototypeOf(effect)
  return prototype === success || prototype === failure
}

/** Has succeeded already. */
export const isDone = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): effect is Exit.Success<A, never> & Effect.Effect<A, E, R> => isExit(effect) && effect._tag === "Success"

/** The same as `Effect.flatMap`, but at once where the effect is done. */
export const andThen = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  f: (a: A) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E | E2, R | R2> => {
  if (!isExit(effect)) return Effect.flatMap(effect, f)
  return effect._tag === "Success" ? f(effect.value) : Exit.failCause(effect.cause)
}

/** The same as `Effect.map`, but at once where the effect is done. */
export const map = <A, E, R, B>(effect: Effect.Effect<A, E, R>, f: (a: A) => B): Effect.Effect<B, E, R> =>
  andThen(effect, (a) => Effect.succeed(f(a)))

/** A result as an effect that is done. */
export const fromEither = <A, E>(result: Result.Result<A, E>): Effect.Effect<A, E> => Effect.fromResult(result)
