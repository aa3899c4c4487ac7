/**
 * Spans for those who trace: without a tracer of the app's own, no span is made.
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

/** The tracer of a fiber that nobody has given another one. It keeps no span. */
const native = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether a span of the fiber would be seen by anybody. */
export const isTraced = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  Context.get(fiber.currentDefaultServices, Tracer.Tracer) !== native

/** The effect in a span that stands for a call to another system. */
export const client = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  attributes: { readonly [name: string]: string }
): Effect.Effect<A, E, R> =>
  Effect.withSpan(effect, name, { kind: "client", attributes, captureStackTrace: false }) as Effect.Effect<A, E, R>
