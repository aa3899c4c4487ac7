import { type HttpApi, HttpApiBuilder, HttpServer } from "@effect/platform"
import { Effect, Layer } from "effect"

/** What serves an `HttpApi`, as an app like any other: it needs the services of {@link apiServices}. */
export const apiApp = Effect.flatten(HttpApiBuilder.httpApp)

export const apiServices = <E, R>(api: Layer.Layer<HttpApi.Api, E, R>) =>
  Layer.mergeAll(api, HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer, HttpServer.layerContext)
