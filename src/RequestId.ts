/**
 * The id of a request: for handlers, on every log line, on the span, and in the response.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RequestFiber from "./internal/http/requestFiber.js"
import { ensure as ensureId, RequestId, supply } from "./internal/http/requestId.js"

export { RequestId } from "./internal/http/requestId.js"

/**
 * Options of the request's id.
 *
 * - `trustInbound`: default true, the client's `x-request-id` is taken over (sanitised), so that an id given by a proxy
 *   names the request everywhere. False: every request gets an id of our own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly trustInbound?: boolean | undefined
}

/**
 * Middleware for an `HttpApp`, with options.
 *
 * @example
 * ```ts
 * import { HttpRouter } from "@effect/platform"
 * import { RequestId } from "effect-session"
 *
 * // ids of our own only, whatever the client sends
 * const app = HttpRouter.empty.pipe(RequestId.middlewareWith({ trustInbound: false }))
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const middlewareWith = (
  options: Options
): <E, R>(app: HttpApp.Default<E, R>) => HttpApp.Default<E, Exclude<R, RequestId>> =>
  supply(options.trustInbound ?? true)

const trusting = supply(true)

/**
 * Middleware for an `HttpApp`: pipe the whole app through it, last (outermost), so that a 404 has the id too.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.get("/", Effect.map(RequestId.RequestId, (id) => HttpServerResponse.text(id))),
 *   RequestId.middleware
 * )
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const middleware = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, Exclude<R, RequestId>> => trusting(app)

/**
 * The id of the current request as a layer; within a request only (it needs the `HttpServerRequest`). Inside of the
 * middleware it is the middleware's.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (
  options: Options
): Layer.Layer<RequestId, never, HttpServerRequest.HttpServerRequest> =>
  Layer.effect(RequestId, ensureId(options.trustInbound ?? true, RequestFiber.share))

/**
 * {@link layerWith} with the defaults.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<RequestId, never, HttpServerRequest.HttpServerRequest> = layerWith({})

/**
 * A fixed id, for tests.
 *
 * @since 0.1.0
 * @category testing
 */
export const layerTest = (id: string): Layer.Layer<RequestId> => Layer.succeed(RequestId, id)

const makeRoute = (options: Options) => {
  const supplied = supply(options.trustInbound ?? true)
  return HttpLayerRouter.middleware<{ provides: RequestId }>()((app) => supplied(app))
}

const makeGlobal = (options: Options) => {
  const supplied = supply(options.trustInbound ?? true)
  return HttpLayerRouter.middleware<{ provides: RequestId }>()((app) => supplied(app), { global: true })
}

/**
 * Middleware for single routes of an `HttpLayerRouter`; combine it with `RequestContext.routeMiddleware`.
 *
 * @since 0.1.0
 * @category middleware
 */
export const routeMiddlewareWith: (options: Options) => ReturnType<typeof makeRoute> = makeRoute

/**
 * {@link routeMiddlewareWith} with the defaults.
 *
 * @since 0.1.0
 * @category middleware
 */
export const routeMiddleware: ReturnType<typeof makeRoute> = makeRoute({})

/**
 * The global middleware of an `HttpLayerRouter`: every route, and its 404s.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRouterWith: (options: Options) => ReturnType<typeof makeGlobal> = makeGlobal

/**
 * {@link layerRouterWith} with the defaults.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRouter: ReturnType<typeof makeGlobal> = makeGlobal({})

/** @internal for `HttpApi`, whose middlewares run in the request's own fiber */
export const ensure = (
  options: Options
): Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> =>
  ensureId(options.trustInbound ?? true, RequestFiber.append)
