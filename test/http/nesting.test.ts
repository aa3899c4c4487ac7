/** Layers, apps and requests inside the handler of a request. */
import { HttpApp, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Schedule } from "effect"
import { RequestContext, RequestId, SessionStore } from "effect-session"
import { cookieOf, countingStore } from "../support/counting.js"
import { callWith } from "../support/nested.js"
import { serve } from "../support/server.js"
import { A, B, C } from "../support/sessionKeys.js"

const { text } = HttpServerResponse
const memory = () => SessionStore.layerMemory({ secure: false })
const insert = (value: string) => Effect.as(RequestContext.insert(A, value), text("ok"))
const both = Effect.map(
  Effect.all([RequestContext.get(A), RequestContext.get(B)]),
  (values) => text(values.map(Option.getOrNull).join(" "))
)

describe("layers and apps inside a handler", () => {
  it("M13: layers inside a handler share the middleware's request id and session, with one load and one commit", async () => {
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
    const { request } = serve(app, memory())
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

describe("a request within a request", () => {
  const inner = HttpRouter.empty.pipe(
    HttpRouter.post("/set", insert("sub")),
    RequestContext.middleware,
    RequestId.middleware
  )
  const subRequest = Effect.map(
    HttpServerRequest.HttpServerRequest,
    ({ headers }) =>
      new Request("http://localhost/set", { method: "POST", headers: { cookie: headers["cookie"] ?? "" } })
  )

  it("C11: an app that a handler runs as an effect saves what it writes, and sets its cookie on its own response", async () => {
    const asEffect = Effect.flatMap(
      subRequest,
      (request) => Effect.provideService(inner, HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request))
    )
    const { logs, request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/begin", Effect.as(RequestContext.insert(B, "b"), text("ok"))),
        HttpRouter.post("/batch", asEffect),
        HttpRouter.get("/both", both)
      ),
      memory()
    )
    const cookie = cookieOf(await request("/begin", { method: "POST" }))
    expect((await request("/batch", { method: "POST", cookie })).status).toBe(200)
    expect(await (await request("/both", { cookie })).text()).toBe("sub b")
    const fresh = await request("/batch", { method: "POST" })
    expect(await (await request("/both", { cookie: cookieOf(fresh) })).text()).toBe("sub ")
    expect(logs.filter(({ level }) => level === "ERROR")).toEqual([])
  })

  it("R3: a web handler that a handler calls with its context has the same request id, in its own response too", async () => {
    const outer = Effect.gen(function*() {
      const context = yield* Effect.context<SessionStore.SessionStore>()
      const request = yield* subRequest
      const response = yield* Effect.promise(() => callWith(inner, context, request))
      return text(`${response.status} ${response.headers.get("x-request-id")}`)
    })
    const { request } = serve(outer, memory())
    const response = await request("/", { headers: { "x-request-id": "outer" } })
    expect([await response.text(), response.headers.get("x-request-id")]).toEqual(["200 outer", "outer"])
  })
})

describe("one session for each request", () => {
  const handle = (app: HttpApp.Default<unknown, SessionStore.SessionStore>, store = memory()) =>
    HttpApp.toWebHandlerLayer(app, store).handler
  const get = (cookie = "") => new Request("http://localhost/", { headers: { cookie } })

  it("M13: layers that are built side by side lose no commit and no id", async () => {
    const session = Layer.provide(RequestContext.layer, RequestId.layer)
    for (const layers of [Layer.mergeAll(session, RequestId.layer), Layer.mergeAll(RequestId.layer, session)]) {
      const response = await handle(Effect.provide(insert("x"), layers))(get())
      expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(response.headers.get("x-request-id")).toHaveLength(36)
    }
  })

  it("M13: layers that are used twice in one request give one session and one id", async () => {
    const twice = Effect.gen(function*() {
      const layers = RequestContext.layer.pipe(Layer.provideMerge(RequestId.layer))
      const first = yield* Effect.provide(Effect.zipRight(RequestContext.insert(A, "1"), RequestId.RequestId), layers)
      const second = yield* Effect.provide(Effect.zipRight(RequestContext.insert(B, "2"), RequestId.RequestId), layers)
      return text(String(first === second))
    })
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const response = await HttpApp.toWebHandlerLayer(twice, layer).handler(get())
    expect(await response.text()).toBe("true")
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken().insert).toBe(1)
  })

  it("M13: a mounted app that passes a request on and the app that takes over share its session and data", async () => {
    const first = HttpRouter.empty.pipe(
      HttpRouter.mountApp(
        "/shop",
        Effect.zipRight(insert("first"), Effect.fail("pass" as const)).pipe(RequestContext.middleware)
      )
    )
    const app = Effect.catchIf(
      first,
      (error) => error === "pass",
      () => Effect.as(RequestContext.insert(B, "second"), text("ok")).pipe(RequestContext.middleware)
    ).pipe(RequestId.middleware)
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const response = await HttpApp.toWebHandlerLayer(app, layer).handler(new Request("http://localhost/shop"))
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken().insert).toBe(1)
  })

  it("M13: an app that is retried commits once", async () => {
    let tries = 0
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const app = Effect.suspend(() =>
      tries++ === 0 ? Effect.zipRight(RequestContext.insert(A, "a"), Effect.fail("once")) : insert("again")
    ).pipe(RequestContext.middleware, RequestId.middleware, Effect.retry(Schedule.recurs(1)))
    const response = await HttpApp.toWebHandlerLayer(app, layer).handler(get())
    expect([tries, taken().insert, response.headers.getSetCookie().length]).toEqual([2, 1, 1])
  })

  it("M13: the same web Request object counts as two requests when it is handled twice", async () => {
    const handler = handle(insert("x").pipe(RequestContext.middleware, RequestId.middleware))
    const request = get()
    for (const response of [await handler(request), await handler(request)]) {
      expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(response.headers.get("x-request-id")).toHaveLength(36)
    }
  })
})
