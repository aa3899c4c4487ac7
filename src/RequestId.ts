/**
 * The id of a request: for handlers, on every log line, on the span, and in the response.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import type { LazyArg } from "effect/Function"
import * as Layer from "effect/Layer"
import * as RequestFiber from "./internal/http/requestFiber.js"
import { ensure as ensureId, outgoingHeader, RequestId, resolve, supply, withId } from "./internal/http/requestId.js"

export { RequestId } from "./internal/http/requestId.js"

/**
 * Options of the request's id.
 *
 * - `trustInbound`: default true, the id in the client's header is taken over (sanitised), so that an id given by a proxy
 *   names the request everywhere. False: every request gets an id of our own.
 * - `header`: the name of the header that carries the id, in the request and in the response. The default is `x-request-id`. If
 *   it is not the name of a header, or is that of a header whose value is a secret (`cookie`, `authorization`), a `TypeError` is
 *   thrown where the middleware is made.
 * - `generate`: makes the id of a request that brings none. The default is a UUID v4. Its result is sanitised as an inbound id
 *   is. If nothing is left of it, the id is a UUID v4.
 *
 * @example
 * ```ts
 * import { RequestId } from "effect-session"
 * import { randomBytes } from "node:crypto"
 *
 * // ids that sort by time, in the header that the company's services agreed on
 * const options: RequestId.Options = {
 *   header: "x-correlation-id",
 *   generate: () => `${Date.now().toString(36)}-${randomBytes(8).toString("hex")}`
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly trustInbound?: boolean | undefined
  readonly header?: string | undefined
  readonly generate?: LazyArg<string> | undefined
}

/**
 * Middleware for an `HttpApp`, with options.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * const hello = Effect.map(RequestId.RequestId, (id) => HttpServerResponse.text(id))
 *
 * // ids of our own only, whatever the client sends
 * const app = hello.pipe(RequestId.middlewareWith({ trustInbound: false }))
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const middlewareWith = (
  options: Options
): <E, R>(app: HttpApp.Default<E, R>) => HttpApp.Default<E, Exclude<R, RequestId>> => supply(resolve(options))

const trusting = supply(resolve({}))

/**
 * Middleware for an `HttpApp`: pipe the whole app through it, last (outermost), so that a 404 has the id too.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * const hello = Effect.map(RequestId.RequestId, (id) => HttpServerResponse.text(id))
 *
 * const app = hello.pipe(RequestId.middleware)
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const middleware = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, Exclude<R, RequestId>> => trusting(app)

/**
 * The id of the current request as a layer; only within a request (it needs the `HttpServerRequest`). Inside of the
 * middleware it is the middleware's.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (
  options: Options
): Layer.Layer<RequestId, never, HttpServerRequest.HttpServerRequest> =>
  Layer.effect(RequestId, ensureId(resolve(options), RequestFiber.share))

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
  const supplied = supply(resolve(options))
  return HttpLayerRouter.middleware<{ provides: RequestId }>()((app) => supplied(app))
}

const makeGlobal = (options: Options) => {
  const supplied = supply(resolve(options))
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

/**
 * Makes an `HttpClient` send the id of the current request with its own requests, so that the services behind this one log the
 * same id. Outside of a request it sends none. A request that has the header already is sent as it is.
 *
 * Use it for services of your own, because the id tells a service which of its requests belong together.
 *
 * - `header`: the name of the header. The default is the one that the request's own middleware uses.
 *
 * @example
 * ```ts
 * import { HttpClient, HttpClientRequest, HttpServerResponse } from "@effect/platform"
 * import { RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * class Stock extends Effect.Service<Stock>()("Stock", {
 *   effect: Effect.map(HttpClient.HttpClient, (client) => ({
 *     client: client.pipe(
 *       HttpClient.mapRequest(HttpClientRequest.prependUrl("http://stock.internal")),
 *       RequestId.withClient
 *     )
 *   }))
 * }) {}
 *
 * // the stock service logs the id of this request
 * const inStock = Effect.gen(function*() {
 *   const { client } = yield* Stock
 *   const response = yield* client.get("/tea")
 *   return HttpServerResponse.text(yield* response.text)
 * })
 * ```
 *
 * @since 1.0.0
 * @category clients
 */
export const withClient = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  options: { readonly header?: string | undefined } = {}
): HttpClient.HttpClient.With<E, R> => {
  const header = outgoingHeader(options.header)
  return HttpClient.mapRequestEffect(
    client,
    (request) => Effect.withFiberRuntime((fiber) => Effect.succeed(withId(fiber, request, header)))
  )
}

/** @internal for `HttpApi`, whose middlewares run in the request's own fiber */
export const ensure = (
  options: Options
): Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> => ensureId(resolve(options), RequestFiber.append)
