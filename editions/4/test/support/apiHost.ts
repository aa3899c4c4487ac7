import { Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"

/** What serves an `HttpApi`, as an app like any other: it needs the services of {@link apiServices}. */
export const apiApp = Effect.flatMap(HttpRouter.HttpRouter, (router) => router.asHttpEffect())

export const apiServices = <A, E, R>(api: Layer.Layer<A, E, R>) =>
  api.pipe(Layer.provideMerge(HttpRouter.layer), Layer.provideMerge(HttpServer.layerServices))
