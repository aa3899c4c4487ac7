/**
 * What a fiber says of itself in each line that it logs.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

/** The annotation of that name; undefined where there is none. */
export const annotationOf = (fiber: Fiber.Fiber<unknown, unknown>, name: string): unknown =>
  fiber.getRef(References.CurrentLogAnnotations)[name]

/** The same of the fiber that is running now, for code that is not an effect. */
export const currentAnnotation = (name: string): unknown => {
  const fiber = Fiber.getCurrent()
  return fiber === undefined ? undefined : annotationOf(fiber, name)
}

/** The effect without anything that belongs to the fiber that starts it. */
export const detached = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.updateContext(effect, (context: Context.Context<never>) => {
    const references = [...context.mapUnsafe].filter(([key]) =>
      key !== Tracer.ParentSpan.key && key.startsWith("effect/")
    )
    return Context.makeUnsafe<never>(new Map(references)).pipe(
      Context.add(References.CurrentLogAnnotations, {}),
      Context.add(References.CurrentLogSpans, [])
    ) as Context.Context<never>
  })
