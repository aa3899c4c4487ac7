import {
  HttpApp,
  HttpLayerRouter,
  HttpMiddleware,
  HttpRouter,
  type HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Either, Layer, Logger, Option, Schema } from "effect"
import { RequestContext, RequestId, Session, SessionKey, Sessions, SessionStore } from "effect-session"

const Count = SessionKey.make("count", Schema.Int).withDefault(() => 0)

const answer = Effect.gen(function*() {
  const count = yield* RequestContext.update(Count, (n) => n + 1)
  return HttpServerResponse.text(`${count} ${yield* RequestId.RequestId}`)
})

const routes = HttpRouter.empty.pipe(HttpRouter.get("/count", answer))

const memory = SessionStore.layerMemory({ secure: false })

const serve = (
  app: HttpApp.Default<unknown, SessionStore.SessionStore>,
  store: Layer.Layer<SessionStore.SessionStore, unknown> = memory
) => {
  const lines: Array<string> = []
  const logger = Logger.replace(Logger.defaultLogger, Logger.map(Logger.logfmtLogger, (line) => void lines.push(line)))
  const { dispose, handler } = HttpApp.toWebHandlerLayer(app, Layer.merge(store, logger))
  const request = (path: string, headers: Record<string, string> = {}) =>
    handler(new Request(`http://localhost${path}`, { headers }))
  return { request, lines, dispose }
}

type Provided = RequestContext.RequestContext | RequestId.RequestId

const cookieOf = (response: Response) => response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")

describe("the one-line middleware", () => {
  it("M11: gives handlers the session and the id, and every response the id, a 404 too", async () => {
    const { dispose, request } = serve(routes.pipe(Session.middleware))
    const first = await request("/count", { "x-request-id": "one" })
    expect([await first.text(), first.headers.get("x-request-id")]).toEqual(["1 one", "one"])
    const second = await request("/count", { cookie: cookieOf(first) })
    expect(await second.text()).toBe(`2 ${second.headers.get("x-request-id")}`)
    const missing = await request("/nothing", { "x-request-id": "two" })
    expect([missing.status, missing.headers.get("x-request-id"), missing.headers.getSetCookie()]).toEqual([
      404,
      "two",
      []
    ])
    await dispose()
  })

  const nestings: Record<string, HttpApp.Default<unknown, SessionStore.SessionStore>> = {
    "itself": routes.pipe(Session.middleware, Session.middleware),
    "the two single ones": routes.pipe(Session.middleware, RequestContext.middleware, RequestId.middleware),
    "the one of the id": routes.pipe(Session.middleware, RequestId.middleware),
    "the single ones, which stand inside": routes.pipe(
      RequestContext.middleware,
      RequestId.middleware,
      Session.middleware
    )
  }
  it("M11: begins no second session where the app has taken the services away in between", async () => {
    const withoutServices = (context: Context.Context<never>): Context.Context<never> =>
      Context.omit(RequestContext.RequestContext, RequestId.RequestId)(context as Context.Context<Provided>)
    const within = Session.middleware(routes).pipe(
      Effect.mapInputContext((
        context: Context.Context<HttpServerRequest.HttpServerRequest | SessionStore.SessionStore>
      ) => withoutServices(context) as typeof context)
    )
    const { dispose, request } = serve(within.pipe(Session.middleware))
    const first = await request("/count", { "x-request-id": "one" })
    expect([await first.text(), first.headers.get("x-request-id")]).toEqual(["1 one", "one"])
    expect(first.headers.getSetCookie()).toHaveLength(1)
    const second = await request("/count", { cookie: cookieOf(first) })
    expect(await second.text()).toBe(`2 ${second.headers.get("x-request-id")}`)
    await dispose()
  })

  for (const [outer, app] of Object.entries(nestings)) {
    it(`M13: shares one session and one id with an outer middleware (${outer})`, async () => {
      const { dispose, request } = serve(app)
      const first = await request("/count")
      expect(first.headers.getSetCookie()).toHaveLength(1)
      expect(await first.text()).toBe(`1 ${first.headers.get("x-request-id")}`)
      expect(await (await request("/count", { cookie: cookieOf(first) })).text()).toMatch(/^2 /)
      await dispose()
    })
  }

  it("F5: with sessions disabled, the handler gets a typed error, and the response the id", async () => {
    const app = HttpRouter.empty.pipe(
      HttpRouter.get(
        "/",
        Effect.map(
          Effect.either(RequestContext.get(Count)),
          (result) => HttpServerResponse.text(Either.isLeft(result) ? result.left._tag : "read")
        )
      ),
      Session.middleware
    )
    const { dispose, request } = serve(app, SessionStore.layerMemory({ enable: false }))
    const response = await request("/", { "x-request-id": "id" })
    expect([await response.text(), response.headers.get("x-request-id")]).toEqual(["SessionDisabled", "id"])
    await dispose()
  })

  it("R2: the log lines of the handler have the id", async () => {
    const app = HttpRouter.empty.pipe(
      HttpRouter.get("/", Effect.as(Effect.log("handled"), HttpServerResponse.empty())),
      Session.middleware
    )
    const { dispose, lines, request } = serve(app)
    await request("/", { "x-request-id": "the-id" })
    expect(lines.filter((line) => line.includes("handled"))).toEqual([expect.stringContaining("request_id=the-id")])
    await dispose()
  })

  it("R4: the options of the id are those of RequestId", async () => {
    const { dispose, request } = serve(routes.pipe(Session.middlewareWith({ trustInbound: false, header: "x-trace" })))
    const response = await request("/count", { "x-trace": "mine" })
    expect(response.headers.get("x-trace")).toMatch(/^[0-9a-f-]{36}$/)
    await dispose()
  })

  it("M9: Cookie stays in Vary behind the platform's CORS", async () => {
    const cors = HttpMiddleware.cors({ allowedOrigins: ["https://app.test", "https://other.test"] })
    const { dispose, request } = serve(routes.pipe(cors, Session.middleware))
    const response = await request("/count", { origin: "https://app.test" })
    expect(response.headers.get("vary")?.split(", ").sort()).toEqual(["Cookie", "Origin"])
    await dispose()
  })
})

describe("the one-line layers of an HttpLayerRouter", () => {
  const route = (path: `/${string}`) => HttpLayerRouter.add("GET", path, Effect.orDie(answer))

  it("M11: the global one covers every route and the 404s, and routes find Sessions", async () => {
    const Devices = HttpLayerRouter.add(
      "GET",
      "/devices",
      Effect.map(Effect.orDie(Sessions.list("ada")), ({ length }) => HttpServerResponse.text(String(length)))
    )
    const { dispose, handler } = HttpLayerRouter.toWebHandler(
      Layer.mergeAll(route("/count"), Devices).pipe(Layer.provide(Session.layerRouter), Layer.provideMerge(memory)),
      { disableLogger: true }
    )
    const response = await handler(new Request("http://localhost/count"))
    expect(await response.text()).toBe(`1 ${response.headers.get("x-request-id")}`)
    expect((await handler(new Request("http://localhost/nothing"))).headers.get("x-request-id")).not.toBeNull()
    expect(await (await handler(new Request("http://localhost/devices"))).text()).toBe("0")
    await dispose()
  })

  it("M11: groups of routes with the middleware of single routes each use their own store", async () => {
    const group = (path: `/${string}`, name: string) =>
      Layer.provide(route(path), Session.routeMiddleware.layer).pipe(
        Layer.provide(SessionStore.layerMemory({ secure: false, name }))
      )
    const { dispose, handler } = HttpLayerRouter.toWebHandler(Layer.merge(group("/a", "one"), group("/b", "two")), {
      disableLogger: true
    })
    const names = async (path: string) =>
      (await handler(new Request(`http://localhost${path}`))).headers.getSetCookie().map((line) => line.split("=")[0])
    expect(await names("/a")).toEqual(["one"])
    expect(await names("/b")).toEqual(["two"])
    await dispose()
  })
})

it("C2: a value that was never set reads as the key's default behind the one-line middleware", async () => {
  const read = Effect.map(
    Effect.zip(RequestContext.get(Count), RequestContext.get(SessionKey.make("other", Schema.String))),
    ([count, other]) => HttpServerResponse.text(`${count} ${Option.isNone(other)}`)
  )
  const { dispose, request } = serve(HttpRouter.empty.pipe(HttpRouter.get("/", read), Session.middleware))
  expect(await (await request("/")).text()).toBe("0 true")
  await dispose()
})
