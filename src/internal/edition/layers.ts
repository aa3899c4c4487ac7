/**
 * Layers made from other layers, and what layers change beside their services.
 */
import * as Headers from "@effect/platform/Headers"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The layer with its services changed. */
export const mapServices = <A, E, R, B>(
  layer: Layer.Layer<A, E, R>,
  f: (services: Context.Context<A>) => Context.Context<B>
): Layer.Layer<B, E, R> => Layer.map(layer, f)

/** What the layer that is being built shares with the others of its app. */
export const memoMap: Effect.Effect<Layer.MemoMap> = Layer.CurrentMemoMap

/** Redacts a header in what is traced and logged. */
export const redacted = (header: string): Layer.Layer<never> =>
  Layer.scopedDiscard(Effect.locallyScopedWith(Headers.currentRedactedNames, (names) => [...names, header]))
