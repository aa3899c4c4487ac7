/**
 * One line that gives an app the session and the id of each request: `RequestContext` and `RequestId` together, in the right
 * order, for less than the two cost one by one.
 *
 * @since 1.0.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { given, supplyBoth } from "./internal/http/requestContext.js"
import { resolve } from "./internal/http/requestId.js"
import { unshared } from "./internal/http/routeMiddleware.js"
import type { SessionStore } from "./internal/store/contract.js"
import type { RequestContext } from "./RequestContext.js"
import type { Options, RequestId } from "./RequestId.js"

/**
 * {@link middleware} with the options of the request's id.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestId, Session } from "effect-session"
 * import { Effect } from "effect"
 *
 * const hello = Effect.map(RequestId.RequestId, (id) => HttpServerResponse.text(id))
 *
 * // every request gets an id of its own, whatever the client sends
 * const app = hello.pipe(Session.middlewareWith({ trustInbound: false }))
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const middlewareWith = (
  options: Options
): <E, R>(app: HttpApp.Default<E, R>) => HttpApp.Default<E, Exclude<R, RequestContext | RequestId> | SessionStore> => {
  const supply = supplyBoth(resolve(options))
  return <E, R>(app: HttpApp.Default<E, R>) =>
    supply(app, undefined) as HttpApp.Default<E, Exclude<R, RequestContext | RequestId> | SessionStore>
}

const trusting = middlewareWith({})

/**
 * Middleware for an `HttpApp`: handlers have the session and the request's id, and every response has the header
 * `x-request-id`. Put it last in the pipe, around the whole app.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, Session, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Alan = SessionKey.make("alan", Schema.String)
 *
 * const remember = Effect.as(RequestContext.insert(Alan, "turing"), HttpServerResponse.text("turing"))
 *
 * // needs a SessionStore
 * const app = remember.pipe(Session.middleware)
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const middleware = <E, R>(
  app: HttpApp.Default<E, R>
): HttpApp.Default<E, Exclude<R, RequestContext | RequestId> | SessionStore> => trusting(app)

/**
 * For `HttpLayerRouter`: the store, and `Sessions` and `SessionList` if the store has them, are those that the layer was built
 * with.
 */
const fromStore = (options: Options) => {
  const supply = supplyBoth(resolve(options))
  return Effect.map(
    given,
    (given) =>
    (
      app: Effect.Effect<HttpServerResponse, HttpLayerRouter.unhandled, RequestContext | RequestId>
    ): Effect.Effect<HttpServerResponse, HttpLayerRouter.unhandled, HttpServerRequest> => supply(app, given)
  )
}

type Provided = RequestContext | RequestId

const makeRoute = (options: Options) =>
  unshared(HttpLayerRouter.middleware<{ provides: Provided }>()(fromStore(options)))

const makeGlobal = (options: Options) =>
  HttpLayerRouter.middleware<{ provides: Provided }>()(fromStore(options), { global: true })

/**
 * {@link routeMiddleware} with the options of the request's id.
 *
 * @since 1.0.0
 * @category middleware
 */
export const routeMiddlewareWith: (options: Options) => HttpLayerRouter.Middleware<{
  provides: Provided
  handles: never
  error: never
  requires: never
  layerError: never
  layerRequires: SessionStore
}> = makeRoute

/**
 * Middleware for single routes of an `HttpLayerRouter`. Each group of routes may have a store of its own.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, Session, SessionKey } from "effect-session"
 * import { Effect, Layer, Option, Schema } from "effect"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const Me = HttpLayerRouter.add(
 *   "GET",
 *   "/me",
 *   Effect.map(RequestContext.get(User), (user) => HttpServerResponse.text(Option.getOrElse(user, () => "nobody")))
 * )
 *
 * // Layer that needs a SessionStore; routes without it have no session
 * const MeLive = Layer.provide(Me, Session.routeMiddleware.layer)
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const routeMiddleware = routeMiddlewareWith({})

/**
 * {@link layerRouter} with the options of the request's id.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerRouterWith: (options: Options) => ReturnType<typeof makeGlobal> = makeGlobal

/**
 * The global middleware of an `HttpLayerRouter`. It covers every route, and also the 404s of the router.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, Session, SessionKey, SessionStore } from "effect-session"
 * import { Effect, Layer, Option, Schema } from "effect"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const Me = HttpLayerRouter.add(
 *   "GET",
 *   "/me",
 *   Effect.map(RequestContext.get(User), (user) => HttpServerResponse.text(Option.getOrElse(user, () => "nobody")))
 * )
 *
 * const AppLive = Me.pipe(Layer.provide(Session.layerRouter), Layer.provide(SessionStore.layerMemory()))
 *
 * const { dispose, handler } = HttpLayerRouter.toWebHandler(AppLive)
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerRouter = layerRouterWith({})
