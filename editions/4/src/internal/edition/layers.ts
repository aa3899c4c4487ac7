/**
 * Layers made from other layers.
 */
import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** The layer with its services changed. */
export const mapServices = <A, E, R, B>(
  layer: Layer.Layer<A, E, R>,
  f: (services: Context.Context<A>) => Context.Context<B>
): Layer.Layer<B, E, R> => Layer.flatMap(layer, (services) => Layer.succeedContext(f(services)))
