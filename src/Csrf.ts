/**
 * Refuses requests that another site has made the browser send (cross-site request forgery).
 *
 * A request that changes something passes if the browser says that it comes from the app's own pages (`Sec-Fetch-Site`), if
 * its `Origin` is the host that it was sent to or one that you trust, or, where an old browser sends neither, if it brings a
 * token of the session. A request that changes nothing passes as it is, and costs nothing.
 *
 * @since 1.0.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Origins from "./internal/csrf/origins.js"
import * as Secret from "./internal/csrf/secret.js"
import * as Layers from "./internal/edition/layers.js"
import * as Http from "./internal/http/csrf.js"
import { unshared } from "./internal/http/routeMiddleware.js"
import { type ChangeError, RequestContext, type RequestContextService } from "./internal/request/contract.js"
import type { CsrfRefused, SessionStoreError } from "./SessionError.js"

export { CsrfRefused } from "./SessionError.js"

/**
 * What passes besides the app's own pages.
 *
 * - `trustedOrigins`: origins whose pages may send requests that change something, such as `https://login.example`; compared
 *   as a whole, without wildcards. Behind a proxy that changes the `Host` header, the app's own origin belongs here too,
 *   because `X-Forwarded-Host` is never read.
 * - `exempt`: requests that pass unchecked, such as webhooks, which no browser sends. It is asked only of requests that would
 *   not pass without it.
 *
 * @example
 * ```ts
 * import type { Csrf } from "effect-session"
 *
 * const options: Csrf.Options = {
 *   trustedOrigins: ["https://shop.example", "https://login.example"],
 *   exempt: (request) => request.url.startsWith("/webhooks/")
 * }
 * ```
 *
 * @since 1.0.0
 * @category models
 */
export interface Options {
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
  readonly exempt?: ((request: HttpServerRequest.HttpServerRequest) => boolean) | undefined
}

/** Throws `SessionConfigError` when a trusted origin is not an origin. */
const policyOf = ({ exempt = () => false, trustedOrigins = [] }: Options): Http.Policy => ({
  origins: Origins.make(trustedOrigins),
  exempt
})

// ── the token ──

/**
 * The name of the request header in which a script sends the token: `x-csrf-token`.
 *
 * @since 1.0.0
 * @category tokens
 */
export const headerName: string = Http.headerName

/**
 * The name of the form field that holds the token: `_csrf`.
 *
 * @since 1.0.0
 * @category tokens
 */
export const fieldName: string = Http.fieldName

/**
 * A token for a page with forms: 43 characters that need no escaping, and different ones for each call.
 *
 * It is for browsers that send neither `Sec-Fetch-Site` nor `Origin` with a form; no browser since 2020 is one of them. The
 * session keeps one secret for all its tokens. A visitor who has no session gets one. `renew` and `bind` end the secret, so
 * call this after them.
 *
 * Fails as `RequestContext.insert` does.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Csrf } from "effect-session"
 * import { Effect } from "effect"
 *
 * const page = Effect.map(Csrf.token, (token) =>
 *   HttpServerResponse.text(
 *     `<form method="post" action="/transfer">
 *       <input type="hidden" name="${Csrf.fieldName}" value="${token}">
 *       <button>Transfer</button>
 *     </form>`,
 *     { contentType: "text/html" }
 *   ))
 * ```
 *
 * @since 1.0.0
 * @category tokens
 */
export const token: Effect.Effect<string, ChangeError, RequestContext> = Effect.flatMap(RequestContext, Secret.token)

/**
 * Keeps the header of the token out of the spans and the dumps of requests, as the platform does with `cookie` and
 * `authorization`. Provide it to whatever serves the app, if scripts send the token and requests are traced.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServer } from "@effect/platform"
 * import { Csrf, RequestContext, RequestId } from "effect-session"
 * import { Layer } from "effect"
 *
 * const app = HttpRouter.empty.pipe(Csrf.middleware, RequestContext.middleware, RequestId.middleware)
 *
 * // Layer that needs an HttpServer and a SessionStore
 * const ServerLive = HttpServer.serve(app).pipe(Layer.provide(Csrf.layerRedacted))
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerRedacted: Layer.Layer<never> = Layers.redacted(Http.headerName)

// ── middlewares ──

const supply = (policy: Http.Policy) =>
<A, E, R>(
  app: Effect.Effect<A, E, R>
): Effect.Effect<
  A,
  E | CsrfRefused | SessionStoreError,
  R | RequestContext | HttpServerRequest.HttpServerRequest
> =>
  Effect.withFiberRuntime((fiber) => {
    const checked = Http.check(
      policy,
      Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest),
      RequestContext
    )
    return checked === Effect.void ? app : Effect.zipRight(checked, app)
  })

/**
 * Middleware for an `HttpApp`, with options.
 *
 * Throws `SessionConfigError` when a trusted origin is not an origin.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Csrf, RequestContext, RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * const transfer = Effect.succeed(HttpServerResponse.text("transferred"))
 *
 * const app = transfer.pipe(
 *   Csrf.middlewareWith({
 *     trustedOrigins: ["https://login.example"],
 *     exempt: (request) => request.url.startsWith("/webhooks/")
 *   }),
 *   RequestContext.middleware,
 *   RequestId.middleware
 * )
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const middlewareWith = (
  options: Options
): <E, R>(
  app: HttpApp.Default<E, R>
) => HttpApp.Default<E | CsrfRefused | SessionStoreError, R | RequestContext> => supply(policyOf(options))

const standard = supply(policyOf({}))

/**
 * Middleware for an `HttpApp`; in the pipe it comes before `RequestContext.middleware`, which is outside of it.
 *
 * A refused request fails with `CsrfRefused`, unhandled a 403, and its handler does not run. A session that cannot be loaded
 * for a token is a `SessionStoreError`.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Csrf, RequestContext, RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * const transfer = Effect.succeed(HttpServerResponse.text("transferred"))
 *
 * const app = transfer.pipe(
 *   Csrf.middleware,
 *   RequestContext.middleware,
 *   RequestId.middleware
 * )
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const middleware = <E, R>(
  app: HttpApp.Default<E, R>
): HttpApp.Default<E | CsrfRefused | SessionStoreError, R | RequestContext> => standard(app)

type Routes = Effect.Effect<HttpServerResponse, HttpLayerRouter.unhandled>

const makeRoute = (options: Options) => {
  const supplied = supply(policyOf(options))
  return unshared(HttpLayerRouter.middleware((app: Routes) => supplied(app)))
}

const makeGlobal = (options: Options) => {
  const supplied = supply(policyOf(options))
  return HttpLayerRouter.middleware((app: Routes) => supplied(app), { global: true })
}

/**
 * Middleware for single routes of an `HttpLayerRouter`:
 * `Csrf.routeMiddlewareWith(options).combine(RequestContext.routeMiddleware).combine(RequestId.routeMiddleware).layer`.
 *
 * Throws `SessionConfigError` when a trusted origin is not an origin.
 *
 * @since 1.0.0
 * @category middleware
 */
export const routeMiddlewareWith: (options: Options) => ReturnType<typeof makeRoute> = makeRoute

/**
 * {@link routeMiddlewareWith} without options.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
 * import { Csrf, RequestContext, RequestId } from "effect-session"
 * import { Layer } from "effect"
 *
 * const Transfer = HttpLayerRouter.add("POST", "/transfer", HttpServerResponse.text("transferred"))
 *
 * // Layer that needs a SessionStore; routes without it are not checked
 * const TransferLive = Layer.provide(
 *   Transfer,
 *   Csrf.routeMiddleware.combine(RequestContext.routeMiddleware).combine(RequestId.routeMiddleware).layer
 * )
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const routeMiddleware: ReturnType<typeof makeRoute> = makeRoute({})

/**
 * The global middleware of an `HttpLayerRouter`: every route is checked. Provide it first, then `RequestContext.layerRouter`,
 * then `RequestId.layerRouter`.
 *
 * Throws `SessionConfigError` when a trusted origin is not an origin.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerRouterWith: (options: Options) => ReturnType<typeof makeGlobal> = makeGlobal

/**
 * {@link layerRouterWith} without options.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
 * import { Csrf, RequestContext, RequestId, SessionStore } from "effect-session"
 * import { Layer } from "effect"
 *
 * const Transfer = HttpLayerRouter.add("POST", "/transfer", HttpServerResponse.text("transferred"))
 *
 * const AppLive = Transfer.pipe(
 *   Layer.provide(Csrf.layerRouter),
 *   Layer.provide(RequestContext.layerRouter),
 *   Layer.provide(RequestId.layerRouter),
 *   Layer.provide(SessionStore.layerMemory())
 * )
 *
 * const { dispose, handler } = HttpLayerRouter.toWebHandler(AppLive)
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerRouter: ReturnType<typeof makeGlobal> = makeGlobal({})

/** @internal for `HttpApi`, whose middlewares may require nothing: the session is begun where a token has to be checked */
export const checkApi = (options: Options) => {
  const policy = policyOf(options)
  return <E, R>(
    begin: Effect.Effect<RequestContextService, E, R>
  ): Effect.Effect<void, CsrfRefused | SessionStoreError | E, R | HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => Http.check(policy, request, begin))
}
