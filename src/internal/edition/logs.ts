/**
 * What a fiber says of itself in each line that it logs.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as List from "effect/List"
import * as Option from "effect/Option"

/** The annotation of that name, or undefined. */
export const annotationOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>, name: string): unknown =>
  Option.getOrUndefined(HashMap.get(fiber.getFiberRef(FiberRef.currentLogAnnotations), name))

/** The same of the fiber that is running now, for code that is not an effect. */
export const currentAnnotation = (name: string): unknown =>
  Option.match(Fiber.getCurrentFiber(), { onNone: () => undefined, onSome: (fiber) => annotationOf(fiber, name) })

/** The effect without anything that belongs to the fiber that starts it. */
export const detached = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  effect.pipe(
    Effect.locally(FiberRef.currentLogAnnotations, HashMap.empty()),
    Effect.locally(FiberRef.currentLogSpan, List.empty()),
    Effect.locally(FiberRef.currentContext, Context.empty() as Context.Context<never>)
  )
