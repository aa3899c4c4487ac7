/**
 * Spans for those who trace: without a tracer of the app's own, no span is made.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/** Whether a span of the fiber would be seen by anybody. */
export const isTraced = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.getRef(Tracer.Tracer) !== Tracer.nativeTracer

/** The effect in a span that stands for a call to another system. */
export const client = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  attributes: { readonly [name: string]: string }
): Effect.Effect<A, E, R> =>
  Effect.withSpan(effect, name, { kind: "client", attributes, captureStackTrace: false }) as Effect.Effect<A, E, R>
