/** Layers, apps and requests inside the handler of a request. */
import { HttpApp, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { RequestContext, RequestId, SessionStore } from "effect-session"
import { cookieOf, countingStore } from "../support/counting.js"
import { serve } from "../support/server.js"
import { A, B, C } from "../support/sessionKeys.js"

describe("layers and apps inside a handler", () => {
  it("M13: layers inside a handler use the middleware's request id and session: one id, one load, one commit", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const inner = Effect.gen(function*() {
      yield* RequestContext.get(A)
      yield* RequestContext.insert(B, "inner")
      return yield* RequestId.RequestId
    }).pipe(Effect.provide(RequestContext.layer.pipe(Layer.provideMerge(RequestId.layer))))
    const { request } = serve(
      Effect.gen(function*() {
        yield* RequestContext.get(A)
        yield* RequestContext.insert(A, "outer")
        const ids = [yield* RequestId.RequestId, yield* inner]
        return HttpServerResponse.unsafeJson({ ids, b: Option.getOrNull(yield* RequestContext.get(B)) })
      }),
      layer
    )
    const response = await request("/")
    const { b, ids } = await response.json()
    expect([b, ids[0], response.headers.get("x-request-id")]).toEqual(["inner", ids[1], ids[1]])
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken()).toEqual({ find: 0, insert: 1, update: 0, remove: 0, removeExpired: 0 })
    await request("/", { cookie: cookieOf(response) })
    expect(taken()).toEqual({ find: 1, insert: 0, update: 0, remove: 0, removeExpired: 0 })
  })

  it("M10: a request that a handler makes has the session of its own cookie, not the handler's", async () => {
    const named = Effect.map(
      RequestContext.get(A),
      (value) => HttpServerResponse.text(Option.getOrElse(value, () => "nobody"))
    )
    const app = HttpRouter.empty.pipe(
      HttpRouter.post(
        "/begin/:name",
        Effect.gen(function*() {
          const { name } = yield* HttpRouter.params
          yield* RequestContext.insert(A, name ?? "")
          return HttpServerResponse.text("begun")
        })
      ),
      HttpRouter.get("/name", named),
      HttpRouter.get(
        "/written",
        Effect.map(
          Effect.all([RequestContext.get(B), RequestContext.get(C)]),
          (values) => HttpServerResponse.text(values.map(Option.getOrNull).join(" "))
        )
      ),
      HttpRouter.get("/mounted", Effect.provide(named, RequestContext.layer)),
      HttpRouter.get(
        "/inner",
        Effect.gen(function*() {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const runtime = yield* Effect.runtime<
            RequestContext.RequestContext | RequestId.RequestId | SessionStore.SessionStore
          >()
          const inner = HttpApp.toWebHandlerRuntime(runtime)(
            named.pipe(RequestContext.middleware, RequestId.middleware)
          )
          const ask = (cookie: string) =>
            Effect.promise(async () => {
              const response = await inner(new Request("http://localhost/", { headers: { cookie } }))
              expect(response.headers.getSetCookie()).toEqual([])
              expect(response.headers.get("x-request-id")).toHaveLength(36)
              return response.text()
            })
          yield* RequestContext.insert(B, "before")
          const answers = `${yield* ask(headers["x-other"] ?? "")} ${yield* ask("")}`
          yield* RequestContext.insert(C, "after")
          return HttpServerResponse.text(answers)
        })
      )
    )
    const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
    const ada = cookieOf(await request("/begin/ada", { method: "POST" }))
    const grace = cookieOf(await request("/begin/grace", { method: "POST" }))
    const response = await request("/inner", { cookie: ada, headers: { "x-other": grace } })
    expect(await response.text()).toBe("grace nobody")
    const anonymous = await request("/inner")
    expect(anonymous.headers.getSetCookie()).toHaveLength(1)
    for (const cookie of [ada, cookieOf(anonymous)]) {
      expect(await (await request("/written", { cookie })).text()).toBe("before after")
    }
    expect(await (await request("/mounted", { cookie: ada })).text()).toBe("ada")
  })
})
