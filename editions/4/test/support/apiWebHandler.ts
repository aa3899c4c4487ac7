import { Context, type Effect, Layer } from "effect"
import { HttpRouter, HttpServer, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"

type App = Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>

/** Serves an `HttpApi` as a web handler, behind a middleware of the whole app. */
export const apiWebHandler = <A, E>(api: Layer.Layer<A, E>, middleware: (app: App) => App = (app) => app) => {
  const { dispose, handler } = HttpRouter.toWebHandler(
    Layer.provide(api, HttpServer.layerServices) as unknown as Layer.Layer<never>,
    { disableLogger: true, middleware: middleware as never }
  )
  return { dispose, handler: (request: Request) => handler(request, Context.empty() as never) }
}

/** A middleware of the app's own that asks for another security than the session's. */
export class Bearer
  extends HttpApiMiddleware.Service<Bearer>()("Bearer", { security: { bearer: HttpApiSecurity.bearer } })
{}
