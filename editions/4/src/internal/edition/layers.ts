/**
 * Layers made from other layers, and what layers change beside their services.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Layer from "effect/Layer"

/** The layer with its services changed. */
export const mapServices = <A, E, R, B>(
  layer: Layer.Layer<A, E, R>,
  f: (services: Context.Context<A>) => Context.Context<B>
): Layer.Layer<B, E, R> => Layer.flatMap(layer, (services) => Layer.succeedContext(f(services)))

/** What the layer that is being built shares with the others of its app. */
export const memoMap: Effect.Effect<Layer.MemoMap> = Effect.contextWith((context: Context.Context<never>) =>
  Effect.sync(() => Context.getOrUndefined(context, Layer.CurrentMemoMap) ?? Layer.makeMemoMapUnsafe())
)

/** Redacts a header in what is traced and logged. */
export const redacted = (header: string): Layer.Layer<never> =>
  Layer.effect(
    Headers.CurrentRedactedNames,
    Effect.map(Headers.CurrentRedactedNames, (names) => [...names, header])
  )
