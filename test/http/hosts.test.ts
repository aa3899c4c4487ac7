/**
 * Host × outcome × use: status, number of Set-Cookie, x-request-id and counted store calls; through web handlers and on the
 * Node server's socket.
 */
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApp,
  HttpLayerRouter,
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse,
  OpenApi
} from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schema, Scope, Stream } from "effect"
import {
  KeyRing,
  RequestContext,
  RequestContextApi,
  RequestId,
  SessionError,
  SessionKey,
  SessionStore
} from "effect-session"
import * as Http from "node:http"
import { apiApp, apiServices } from "../support/apiHost.js"
import { countingStore } from "../support/counting.js"

const Value = SessionKey.make("value", Schema.String)

const outcomes = ["success", "typed4xx", "typed5xx", "defect", "404", "stream", "abort"] as const
const uses = ["untouched", "read", "write", "flush"] as const
type Outcome = typeof outcomes[number]
type Use = typeof uses[number]

class Teapot extends Schema.TaggedError<Teapot>()("Teapot", { status: Schema.Number }) {
  toResponse() {
    return HttpServerResponse.empty({ status: this.status })
  }
}

/** What the titles say of them. */
const ends: Record<Outcome, string> = {
  success: "succeeds",
  typed4xx: "fails with a typed 4xx",
  typed5xx: "fails with a typed 5xx",
  defect: "dies",
  "404": "responds with a 404",
  stream: "streams its response",
  abort: "is aborted"
}
const does: Record<Use, string> = {
  untouched: "does not use",
  read: "reads",
  write: "changes",
  flush: "ends"
}

/** Called when a handler has used the session and now waits to be aborted. */
let waiting: () => void = () => {}

const act = (use: Use) => {
  switch (use) {
    case "untouched":
      return Effect.void
    case "read":
      return RequestContext.get(Value)
    case "write":
      return Effect.suspend(() => RequestContext.insert(Value, `written ${Math.random()}`))
    case "flush":
      return RequestContext.flush
  }
}

const conclude = (outcome: Outcome): Effect.Effect<HttpServerResponse.HttpServerResponse, Teapot> => {
  switch (outcome) {
    case "success":
      return Effect.succeed(HttpServerResponse.text("done"))
    case "typed4xx":
      return Effect.fail(new Teapot({ status: 418 }))
    case "typed5xx":
      return Effect.fail(new Teapot({ status: 502 }))
    case "defect":
      return Effect.die(new Error("a defect of the test"))
    case "404":
      return Effect.succeed(HttpServerResponse.empty({ status: 404 }))
    case "stream":
      return Effect.succeed(HttpServerResponse.stream(Stream.make("a", "b").pipe(Stream.encodeText)))
    case "abort":
      return Effect.suspend(() => {
        waiting()
        return Effect.interruptible(Effect.never)
      })
  }
}

/** Typed failures become responses the way each host's users write it: by failing with a response. */
const handle = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const [, , outcome, use] = new URL(request.url, "http://localhost").pathname.split("/")
  yield* act(use as Use)
  return yield* Effect.catchAll(
    conclude(outcome as Outcome),
    (error) => Effect.fail(error.toResponse())
  )
})

/** For hosts whose routes may not fail with a type that they do not know: the response is the defect. */
const respondable = Effect.orDie(handle)

// ── the hosts ──

type Handler = (request: Request) => Promise<Response>

interface Running {
  readonly web: Handler
  readonly origin: string
  readonly dispose: () => Promise<void>
}

const router = HttpRouter.empty.pipe(HttpRouter.all("/x/:outcome/:use", handle))

const plain = handle.pipe(RequestContext.middleware, RequestId.middleware)
const routed = router.pipe(RequestContext.middleware, RequestId.middleware)

const startApp = async (
  app: HttpApp.Default<unknown, SessionStore.SessionStore | Scope.Scope>,
  store: Layer.Layer<SessionStore.SessionStore, unknown>
): Promise<Running> => {
  const scope = Effect.runSync(Scope.make())
  const context = await Effect.runPromise(
    Layer.buildWithScope(
      Layer.merge(store, NodeHttpServer.layer(Http.createServer, { port: 0, host: "127.0.0.1" })),
      scope
    )
  )
  const runtime = await Effect.runPromise(Effect.provide(Effect.runtime<SessionStore.SessionStore>(), context))
  await Effect.runPromise(
    HttpServer.serveEffect(app).pipe(Effect.provide(context), Scope.extend(scope))
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  return {
    web: HttpApp.toWebHandlerRuntime(runtime)(app),
    origin: address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : "",
    dispose: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const LayerRoute = HttpLayerRouter.add("*", "/x/:outcome/:use", respondable)

/** Of the layer router: what `HttpLayerRouter.toHttpEffect` gives is an app like any other. */
const startRouter = async (
  routes: Layer.Layer<never, unknown, HttpLayerRouter.HttpRouter | SessionStore.SessionStore>,
  store: Layer.Layer<SessionStore.SessionStore, unknown>
): Promise<Running> => {
  const scope = Effect.runSync(Scope.make())
  const context = await Effect.runPromise(Layer.buildWithScope(store, scope))
  const app = await Effect.runPromise(
    // the requirements of a request are met by the middleware's layers; the types cannot say so of a widened one
    HttpLayerRouter.toHttpEffect(routes as Layer.Layer<never, never, HttpLayerRouter.HttpRouter>).pipe(
      Effect.provide(context as Context.Context<never>),
      Scope.extend(scope)
    )
  )
  const running = await startApp(app, Layer.succeedContext(context))
  return {
    ...running,
    dispose: async () => {
      await running.dispose()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }
}

class ApiSession extends RequestContextApi.Tag<ApiSession>()("ApiSession", { cookieName: "session" }) {}

const path = { outcome: Schema.String, use: Schema.String }
const endpoint = HttpApiEndpoint.get("act", "/x/:outcome/:use").setPath(Schema.Struct(path)).addSuccess(Schema.Void)
  .addError(SessionError.SessionStoreError)
const api = HttpApi.make("api").add(
  HttpApiGroup.make("group").add(endpoint).middleware(ApiSession)
)

const startApi = (store: Layer.Layer<SessionStore.SessionStore, unknown>): Promise<Running> => {
  const GroupLive = HttpApiBuilder.group(
    api,
    "group",
    (handlers) => handlers.handleRaw("act", () => respondable)
  ).pipe(Layer.provide(RequestContextApi.layer(ApiSession)))
  const ApiLive = HttpApiBuilder.api(api).pipe(Layer.provide(GroupLive))
  return startApp(apiApp as never, Layer.provideMerge(apiServices(ApiLive), store) as never)
}

interface Host {
  readonly name: string
  /** whether an unmatched path goes through the middleware */
  readonly unmatched: boolean
  readonly start: (store: Layer.Layer<SessionStore.SessionStore, unknown>) => Promise<Running>
}

const hosts: ReadonlyArray<Host> = [
  { name: "HttpApp", unmatched: false, start: (store) => startApp(plain, store) },
  { name: "HttpRouter", unmatched: true, start: (store) => startApp(routed, store) },
  {
    name: "HttpLayerRouter, global",
    unmatched: true,
    start: (store) =>
      startRouter(
        LayerRoute.pipe(Layer.provide(RequestContext.layerRouter), Layer.provide(RequestId.layerRouter)),
        store
      )
  },
  {
    name: "HttpLayerRouter, by route",
    unmatched: false,
    start: (store) =>
      startRouter(
        LayerRoute.pipe(Layer.provide(RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer)),
        store
      )
  },
  { name: "HttpApi", unmatched: false, start: startApi }
]

// ── what must be seen ──

const status: Record<Outcome, number> = {
  success: 200,
  typed4xx: 418,
  typed5xx: 502,
  defect: 500,
  "404": 404,
  stream: 200,
  abort: 499
}

const commits = (outcome: Outcome) => status[outcome] < 499

const expectedCalls = (outcome: Outcome, use: Use) => ({
  find: use === "read" ? 1 : 0,
  insert: 0,
  update: use === "write" && commits(outcome) ? 1 : 0,
  remove: use === "flush" ? 1 : 0,
  removeExpired: 0
})

const expectedCookies = (kind: "server" | "client", outcome: Outcome, use: Use) =>
  use === "flush" ? 1 : use === "write" && kind === "client" && commits(outcome) ? 1 : 0

interface Seen {
  readonly status: number
  readonly setCookie: ReadonlyArray<string>
  readonly requestId: string | null
  readonly vary: string | null
}

const overWeb = async (web: Handler, path: string, method: string, cookie: string, abort: boolean): Promise<Seen> => {
  const controller = new AbortController()
  waiting = () => setTimeout(() => controller.abort(), 5)
  const response = await web(
    new Request(`http://localhost${path}`, { method, headers: { cookie }, signal: abort ? controller.signal : null })
  )
  await response.text()
  return {
    status: response.status,
    setCookie: response.headers.getSetCookie(),
    requestId: response.headers.get("x-request-id"),
    vary: response.headers.get("vary")
  }
}

/** undefined: aborted, there is nothing to see but in the store. */
const overSocket = (origin: string, path: string, method: string, cookie: string): Promise<Seen | undefined> =>
  new Promise((resolve, reject) => {
    const request = Http.request(`${origin}${path}`, { method, headers: { cookie }, agent: false }, (response) => {
      response.resume()
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          setCookie: response.headers["set-cookie"] ?? [],
          requestId: response.headers["x-request-id"] as string | undefined ?? null,
          vary: response.headers.vary ?? null
        }))
    })
    waiting = () => setTimeout(() => request.destroy(), 5)
    request.on(
      "error",
      (error: NodeJS.ErrnoException) =>
        error.code === "ECONNRESET" ? setTimeout(() => resolve(undefined), 100) : reject(error)
    )
    request.end()
  })

const seedSession = async (running: Running): Promise<string> => {
  const seen = await overWeb(running.web, "/x/success/write", "GET", "", false)
  expect(seen.setCookie).toHaveLength(1)
  return seen.setCookie[0].split(";")[0]
}

for (const host of hosts) {
  for (const kind of ["server", "client"] as const) {
    describe(`${host.name}, ${kind} store`, () => {
      const counting = countingStore({ cleanupInterval: Infinity })
      let running: Running

      beforeAll(async () => {
        running = await host.start(
          kind === "server"
            ? counting.layer
            : SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
        )
      })
      afterAll(() => running.dispose())

      const check = (seen: Seen, outcome: Outcome, use: Use) => {
        expect(seen.status).toBe(status[outcome])
        expect(seen.requestId).toMatch(/^[0-9a-f-]{36}$/)
        expect(seen.setCookie).toHaveLength(expectedCookies(kind, outcome, use))
        if (use === "flush") {
          expect(seen.setCookie[0]).toMatch(/^session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/)
        }
        expect(seen.vary).toBe(use === "untouched" ? null : "Cookie")
        if (kind === "server") expect(counting.taken()).toEqual(expectedCalls(outcome, use))
      }

      for (const outcome of outcomes) {
        for (const use of uses) {
          const methods = outcome === "success" && host.name !== "HttpApi" ? ["GET", "HEAD"] : ["GET"]
          for (const method of methods) {
            it(`M11: a ${method} that ${ends[outcome]} and ${does[use]} the session has the promised store calls and cookies`, async () => {
              const cookie = await seedSession(running)
              counting.taken()
              const path = `/x/${outcome}/${use}`
              check(await overWeb(running.web, path, method, cookie, outcome === "abort"), outcome, use)
            })
            it(`M11: a ${method} on a socket that ${ends[outcome]} and ${does[use]} the session has the promised store calls and cookies`, async () => {
              const cookie = await seedSession(running)
              counting.taken()
              const seen = await overSocket(running.origin, `/x/${outcome}/${use}`, method, cookie)
              if (outcome !== "abort") return check(seen!, outcome, use)
              expect(seen).toBeUndefined()
              if (kind === "server") expect(counting.taken()).toEqual(expectedCalls(outcome, use))
            })
          }
        }
      }

      if (host.unmatched) {
        it("R3: the response of a path without a route has the request id, and costs no store call", async () => {
          counting.taken()
          const seen = await overSocket(running.origin, "/nowhere", "GET", "session=x")
          expect(seen).toMatchObject({ status: 404, setCookie: [], vary: null })
          expect(seen!.requestId).toHaveLength(36)
          expect(counting.taken()).toMatchObject({ find: 0, update: 0, insert: 0 })
        })
      }
    })
  }
}

describe("HttpApi", () => {
  it("M11: the OpenAPI document names the session's cookie", () => {
    const document = OpenApi.fromApi(api)
    expect(document.components.securitySchemes.session).toMatchObject({ type: "apiKey", name: "session", in: "cookie" })
  })

  it("M11: an app whose tag names another cookie than the store does not start", async () => {
    class Other extends RequestContextApi.Tag<Other>()("Other", { cookieName: "other" }) {}
    const exit = await Effect.runPromiseExit(
      Layer.build(RequestContextApi.layer(Other)).pipe(
        Effect.scoped,
        Effect.provide(SessionStore.layerMemory({ secure: false }))
      )
    )
    expect(String(Exit.isFailure(exit) && exit.cause)).toContain("give both the same name")
  })
})
