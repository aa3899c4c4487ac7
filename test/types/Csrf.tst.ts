import { HttpLayerRouter, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import type { HttpApp } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Csrf, RequestContext, RequestContextApi, RequestId, type SessionError, SessionStore } from "effect-session"
import { describe, expect, test } from "tstyche"

type Refusals = SessionError.CsrfRefused | SessionError.SessionStoreError

const app = HttpRouter.empty.pipe(HttpRouter.post("/", HttpServerResponse.empty()))
const Route = HttpLayerRouter.add("POST", "/", HttpServerResponse.empty())
type NeedsServer = Layer.Layer<never, SessionError.SessionConfigError, HttpServer.HttpServer>

describe("Csrf", () => {
  test("X7: a refusal, and a session that cannot be loaded, are typed errors of the app", () => {
    const checked = Csrf.middleware(Effect.succeed(HttpServerResponse.empty()))
    expect(checked).type.toBe<HttpApp.Default<Refusals, RequestContext.RequestContext>>()
    expect(RequestContextApi.layerCsrf()).type.toBe<
      Layer.Layer<RequestContextApi.Csrf, never, SessionStore.SessionStore>
    >()
  })

  test("X8: without the session's middleware, or with it inside, an app does not compile", () => {
    const within = app.pipe(Csrf.middleware, RequestContext.middleware, RequestId.middleware)
    const without = app.pipe(Csrf.middleware, RequestId.middleware)
    const inside = app.pipe(RequestContext.middleware, Csrf.middleware, RequestId.middleware)
    const store = Layer.provide(SessionStore.layerMemory())
    expect(HttpServer.serve(within).pipe(store)).type.toBeAssignableTo<NeedsServer>()
    expect(HttpServer.serve(without).pipe(store)).type.not.toBeAssignableTo<NeedsServer>()
    expect(HttpServer.serve(inside).pipe(store)).type.not.toBeAssignableTo<NeedsServer>()
  })

  test("X8: in an HttpLayerRouter, too", () => {
    const store = Layer.provide(SessionStore.layerMemory())
    const within = Route.pipe(
      Layer.provide(Csrf.layerRouter),
      Layer.provide(RequestContext.layerRouter),
      Layer.provide(RequestId.layerRouter)
    )
    const without = Layer.provide(Route, Csrf.layerRouter)
    expect(HttpLayerRouter.serve(within).pipe(store)).type.toBeAssignableTo<NeedsServer>()
    expect(HttpLayerRouter.serve(without).pipe(store)).type.not.toBeAssignableTo<NeedsServer>()
    const byRoute = Csrf.routeMiddleware.combine(RequestContext.routeMiddleware).combine(RequestId.routeMiddleware)
    expect(HttpLayerRouter.serve(Layer.provide(Route, byRoute.layer)).pipe(store)).type.toBeAssignableTo<
      NeedsServer
    >()
    expect(Csrf.routeMiddleware.layer).type.toBe<
      "Need to .combine(middleware) that satisfy the missing request dependencies"
    >()
  })
})
