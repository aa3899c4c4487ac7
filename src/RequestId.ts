/**
 * The id of a request: for handlers, on every log line, on the span, and in the response.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as RequestFiber from "./internal/http/requestFiber.js"
import * as internal from "./internal/http/requestId.js"
import * as WebResponse from "./internal/http/webResponse.js"

/**
 * The id of the current request: `[A-Za-z0-9_@-]`, 1 to 255 characters.
 *
 * @since 0.1.0
 * @category tags
 */
export class RequestId extends Context.Tag("effect-session/RequestId")<RequestId, string>() {}

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

class Begun {
  constructor(readonly id: string) {}

  readonly handle: RequestFiber.Handle = (_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(WebResponse.lift(response), internal.headerName, this.id))
}

const isBegun = (owner: unknown): owner is Begun => owner instanceof Begun

const idIn = (fiber: Fiber.RuntimeFiber<unknown, unknown>): string | undefined =>
  fiber.currentContext.unsafeMap.get(RequestId.key) as string | undefined

/**
 * Makes the id of the current request, on its span; the id that is there already, of a fixed layer or of a request that
 * this one is made for, stays.
 */
const begin = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  request: HttpServerRequest.HttpServerRequest,
  trustInbound: boolean
): Begun => {
  const id = idIn(fiber) ?? internal.make(trustInbound ? request.headers[internal.headerName] : undefined)
  const span = fiber.currentContext.unsafeMap.get(Tracer.ParentSpan.key) as Tracer.AnySpan | undefined
  if (span?._tag === "Span") span.attribute("request_id", id)
  return new Begun(id)
}

/**
 * The log annotation is set in the request's fiber and not around the handler, so that the server's own log line has it
 * too.
 */
const annotation = (fiber: Fiber.RuntimeFiber<unknown, unknown>, { id }: Begun): RequestFiber.Change =>
  RequestFiber.annotation(fiber, "request_id", id)

/** The id of the request: an outer middleware's, where one has made it. */
const ensureWith = (
  trustInbound: boolean,
  append: typeof RequestFiber.append
): Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = RequestFiber.find(fiber, request, isBegun)
    if (outer !== undefined) return Effect.succeed(outer.id)
    const begun = begin(fiber, request, trustInbound)
    return Effect.as(append(fiber, request, begun, begun.handle, annotation(fiber, begun)), begun.id)
  })

/** Where an outer middleware has made the id, it stays. */
const supply = (trustInbound: boolean) =>
<A, E, R>(
  app: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, RequestId> | HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = RequestFiber.find(fiber, request, isBegun)
    if (outer !== undefined) {
      return idIn(fiber) === outer.id
        ? RequestFiber.provided<A, E, R, RequestId>(app)
        : RequestFiber.provide(fiber, app, RequestId, outer.id)
    }
    const begun = begin(fiber, request, trustInbound)
    const handler = RequestFiber.handler(fiber, begun, begun.handle)
    return RequestFiber.provide(fiber, app, RequestId, begun.id, annotation(fiber, begun), handler)
  })

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
  Layer.effect(RequestId, ensureWith(options.trustInbound ?? true, RequestFiber.share))

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
  ensureWith(options.trustInbound ?? true, RequestFiber.append)
