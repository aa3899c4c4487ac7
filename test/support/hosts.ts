import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApp,
  HttpLayerRouter,
  HttpRouter,
  HttpServer,
  type HttpServerRequest,
  type HttpServerResponse
} from "@effect/platform"
import { Layer, Logger, Schema } from "effect"
import type { Effect } from "effect"
import { RequestContext, RequestContextApi, RequestId, Session as OneLine, SessionError } from "effect-session"
import type { Sessions, SessionStore } from "effect-session"

/** What a handler may use in every host. */
type OfRequest =
  | RequestContext.RequestContext
  | RequestId.RequestId
  | Sessions.Sessions
  | HttpServerRequest.HttpServerRequest

/** The handler of every path. */
export type Handle = Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, OfRequest>

export interface Web {
  readonly handler: (request: Request) => Promise<Response>
  readonly dispose: () => Promise<void>
}

type Store = Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown>

/** Starts a handler over a store; logs go nowhere unless `logger` says where. */
export type Host = (handle: Handle, store: Store, options?: RequestId.Options, logger?: Layer.Layer<never>) => Web

const silent = Logger.remove(Logger.defaultLogger)

class Session extends RequestContextApi.Tag<Session>()("hosts/Session", {
  cookieName: ["session", "__Host-session"]
}) {}

const AnyError = Schema.Union(
  SessionError.WriteError,
  SessionError.NotSignedIn,
  SessionError.SessionNotFresh,
  SessionError.TooManySessions
)

const path = "/:path"

const api = HttpApi.make("hosts").add(
  HttpApiGroup.make("group")
    .add(HttpApiEndpoint.get("get", path).setPath(Schema.Struct({ path: Schema.String })).addError(AnyError))
    .add(HttpApiEndpoint.post("post", path).setPath(Schema.Struct({ path: Schema.String })).addError(AnyError))
    .middleware(Session).middleware(RequestContextApi.RequestId)
)

type AnyApp = HttpApp.Default<unknown, never>

const bothMiddlewares = (options: RequestId.Options) => (app: AnyApp): AnyApp =>
  // the store provides what is left open; of any store and any handler no type can say so
  app.pipe(RequestContext.middleware, RequestId.middlewareWith(options)) as unknown as AnyApp

const appHost =
  (wrap: (handle: Handle) => AnyApp, middleware = bothMiddlewares): Host =>
  (handle, store, options = {}, logger = silent) =>
    HttpApp.toWebHandlerLayer(
      middleware(options)(wrap(handle)),
      Layer.merge(store, logger) as unknown as Layer.Layer<never>
    )

const routerHost =
  (wrap: (routes: Layer.Layer<never>, options: RequestId.Options) => Layer.Layer<never>): Host =>
  (handle, store, options = {}, logger = silent) =>
    HttpLayerRouter.toWebHandler(
      wrap(HttpLayerRouter.add("*", path, handle as Effect.Effect<never>) as unknown as Layer.Layer<never>, options)
        .pipe(
          Layer.provideMerge(store as unknown as Layer.Layer<never>),
          Layer.provideMerge(logger)
        ),
      { disableLogger: true }
    )

/** Every kind of host, as a web handler. */
export const hosts: Readonly<Record<string, Host>> = {
  HttpApp: appHost((handle) => handle as AnyApp),
  HttpRouter: appHost((handle) =>
    HttpRouter.empty.pipe(HttpRouter.all(path, handle)) as HttpApp.Default<unknown, never>
  ),
  "HttpLayerRouter, global": routerHost((routes, options) =>
    routes.pipe(
      Layer.provide(RequestContext.layerRouter),
      Layer.provide(RequestId.layerRouterWith(options))
    ) as unknown as Layer.Layer<never>
  ),
  "HttpLayerRouter, by route": routerHost((routes, options) =>
    Layer.provide(
      routes,
      RequestContext.routeMiddleware.combine(RequestId.routeMiddlewareWith(options)).layer
    ) as unknown as Layer.Layer<never>
  ),
  "HttpRouter, one line": appHost(
    (handle) => HttpRouter.empty.pipe(HttpRouter.all(path, handle)) as AnyApp,
    (options) => (app) => app.pipe(OneLine.middlewareWith(options)) as unknown as AnyApp
  ),
  "HttpLayerRouter, global, one line": routerHost((routes, options) =>
    Layer.provide(routes, OneLine.layerRouterWith(options)) as unknown as Layer.Layer<never>
  ),
  "HttpLayerRouter, by route, one line": routerHost((routes, options) =>
    Layer.provide(routes, OneLine.routeMiddlewareWith(options).layer) as unknown as Layer.Layer<never>
  ),
  HttpApi: (handle, store, options = {}, logger = silent) => {
    const typed = handle as Effect.Effect<HttpServerResponse.HttpServerResponse, typeof AnyError.Type, never>
    const Live = HttpApiBuilder.api(api).pipe(
      Layer.provide(
        HttpApiBuilder.group(
          api,
          "group",
          (handlers) => handlers.handleRaw("get", () => typed).handleRaw("post", () => typed)
        )
      ),
      Layer.provide(RequestContextApi.layer(Session, options)),
      Layer.provide(RequestContextApi.layerRequestId(options)),
      Layer.provideMerge(store)
    )
    return HttpApiBuilder.toWebHandler(
      Layer.mergeAll(Live, HttpServer.layerContext, logger)
    )
  }
}
