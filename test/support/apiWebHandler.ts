import {
  type HttpApi,
  HttpApiBuilder,
  HttpApiMiddleware,
  HttpApiSecurity,
  type HttpApp,
  HttpServer
} from "@effect/platform"
import { Layer } from "effect"

/** Serves an `HttpApi` as a web handler, behind a middleware of the whole app. */
export const apiWebHandler = <A, E>(
  api: Layer.Layer<A, E>,
  middleware: (app: HttpApp.Default) => HttpApp.Default = (app) => app
) =>
  HttpApiBuilder.toWebHandler(Layer.merge(api as unknown as Layer.Layer<HttpApi.Api>, HttpServer.layerContext), {
    middleware
  })

/** A middleware of the app's own that asks for another security than the session's. */
export class Bearer
  extends HttpApiMiddleware.Tag<Bearer>()("Bearer", { security: { bearer: HttpApiSecurity.bearer } })
{}
