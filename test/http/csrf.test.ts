/**
 * `Csrf` in every host: the table of headers through web handlers, and what of it a socket can show; the token of forms.
 */
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApp,
  HttpIncomingMessage,
  HttpLayerRouter,
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse,
  OpenApi
} from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Schema } from "effect"
import {
  Csrf,
  KeyRing,
  RequestContext,
  RequestContextApi,
  RequestId,
  SessionError,
  SessionKey,
  SessionStore
} from "effect-session"
import * as Testing from "effect-session/Testing"
import * as Http from "node:http"
import { countOf } from "../../src/internal/edition/metric.js"
import { cells, type Outcome, safe, shop, trusted, unsafe } from "../csrf/table.js"
import { collectLogs } from "../support/collectLogs.js"
import { cookieOf, countingStore } from "../support/counting.js"
import { listen, serve } from "../support/server.js"
import { onMessage } from "../support/socket.js"
import { type Span, tracing } from "../support/tracing.js"

// ── the hosts ──

const options: Csrf.Options = {
  trustedOrigins: [trusted],
  exempt: (request) => request.url.endsWith("/webhook")
}

/** How often a handler has run. */
let runs = 0

const run = Effect.sync(() => {
  runs++
  return HttpServerResponse.text("ran")
})

/** A page with a token. */
const page = Effect.map(Csrf.token, (token) => HttpServerResponse.text(token))

/** What the handler of a form reads. */
const form = Effect.flatMap(run, () => HttpServerRequest.schemaBodyUrlParams(Schema.Struct({ amount: Schema.String })))
  .pipe(
    Effect.map(({ amount }) => HttpServerResponse.text(amount))
  )

const signIn = Effect.as(RequestContext.renew, HttpServerResponse.text("signed in"))

const routes = HttpRouter.empty.pipe(
  HttpRouter.all("/act", run),
  HttpRouter.all("/webhook", run),
  HttpRouter.get("/page", page),
  HttpRouter.post("/form", form),
  HttpRouter.get("/sign-in", signIn),
  HttpRouter.mount("/mounted", HttpRouter.empty.pipe(HttpRouter.post("/form", form)))
)

/** The same without a router. */
const plain = Effect.flatMap(
  HttpServerRequest.HttpServerRequest,
  ({ url }): HttpApp.Default<unknown, RequestContext.RequestContext> => {
    switch (url.split("?")[0]) {
      case "/act":
      case "/webhook":
        return run
      case "/page":
        return page
      case "/form":
        return form
      case "/sign-in":
        return signIn
      default:
        return HttpServerResponse.empty({ status: 404 })
    }
  }
)

const LayerRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("*", "/act", run),
  HttpLayerRouter.route("*", "/webhook", run),
  HttpLayerRouter.route("GET", "/page", Effect.orDie(page)),
  HttpLayerRouter.route("POST", "/form", Effect.orDie(form)),
  HttpLayerRouter.route("GET", "/sign-in", Effect.orDie(signIn))
])

const endpoint = <const Name extends string, M extends "GET" | "POST" | "PUT" | "PATCH" | "DELETE">(
  method: M,
  name: Name,
  path: `/${string}`
) => HttpApiEndpoint.make(method)(name, path).addSuccess(Schema.Unknown)

const group = HttpApiGroup.make("group")
  .add(endpoint("GET", "get", "/act"))
  .add(endpoint("POST", "post", "/act"))
  .add(endpoint("PUT", "put", "/act"))
  .add(endpoint("PATCH", "patch", "/act"))
  .add(endpoint("DELETE", "delete", "/act"))
  .add(endpoint("POST", "webhook", "/webhook"))
  .add(endpoint("GET", "page", "/page"))
  .add(endpoint("POST", "form", "/form"))
  .add(endpoint("GET", "signIn", "/sign-in"))

class ApiSession extends RequestContextApi.Tag<ApiSession>()("ApiSession", { cookieName: "session" }) {}

/** The middleware that was added last runs first. */
const apis = {
  "HttpApi, before the session": HttpApi.make("api").add(
    group.middleware(ApiSession).middleware(RequestContextApi.Csrf)
  ),
  "HttpApi, after the session": HttpApi.make("api").add(group.middleware(RequestContextApi.Csrf).middleware(ApiSession))
}

type Handler = (request: Request) => Promise<Response>

interface Host {
  readonly name: string
  readonly methods: ReadonlyArray<string>
  readonly start: (
    store: Layer.Layer<SessionStore.SessionStore, unknown>
  ) => { readonly handler: Handler; readonly dispose: () => Promise<void> }
}

const methods = [...safe, ...unsafe]

const router = (app: Layer.Layer<never, unknown, any>): Host["start"] => (store) =>
  HttpLayerRouter.toWebHandler(Layer.provide(app, store) as Layer.Layer<never, never, HttpLayerRouter.HttpRouter>, {
    disableLogger: true
  })

const hosts: ReadonlyArray<Host> = [
  {
    name: "HttpApp",
    methods,
    start: (store) =>
      HttpApp.toWebHandlerLayer(
        plain.pipe(Csrf.middlewareWith(options), RequestContext.middleware, RequestId.middleware),
        store as Layer.Layer<SessionStore.SessionStore>
      )
  },
  {
    name: "HttpRouter",
    methods,
    start: (store) => {
      const app = HttpRouter.empty.pipe(
        HttpRouter.concat(routes),
        Csrf.middlewareWith(options),
        RequestContext.middleware,
        RequestId.middleware
      )
      return HttpApp.toWebHandlerLayer(app, store as Layer.Layer<SessionStore.SessionStore>)
    }
  },
  {
    name: "HttpLayerRouter, global",
    methods,
    start: router(
      LayerRoutes.pipe(
        Layer.provide(Csrf.layerRouterWith(options)),
        Layer.provide(RequestContext.layerRouter),
        Layer.provide(RequestId.layerRouter)
      )
    )
  },
  {
    name: "HttpLayerRouter, by route",
    methods,
    start: router(
      Layer.provide(
        LayerRoutes,
        Csrf.routeMiddlewareWith(options).combine(RequestContext.routeMiddleware).combine(RequestId.routeMiddleware)
          .layer
      )
    )
  },
  ...Object.entries(apis).map(([name, api]): Host => ({
    name,
    methods: ["GET", ...unsafe],
    start: (store) => {
      const GroupLive = HttpApiBuilder.group(api, "group", (handlers) =>
        handlers
          .handleRaw("get", () => run)
          .handleRaw("post", () => run)
          .handleRaw("put", () => run)
          .handleRaw("patch", () => run)
          .handleRaw("delete", () => run)
          .handleRaw("webhook", () => run)
          .handleRaw("page", () => Effect.orDie(page))
          .handleRaw("form", () => Effect.orDie(form))
          .handleRaw("signIn", () => Effect.orDie(signIn)))
      const ApiLive = HttpApiBuilder.api(api as (typeof apis)["HttpApi, after the session"]).pipe(
        Layer.provide(GroupLive),
        Layer.provide(RequestContextApi.layer(ApiSession)),
        Layer.provide(RequestContextApi.layerCsrf(options)),
        Layer.provide(store)
      )
      return HttpApiBuilder.toWebHandler(
        Layer.merge(ApiLive as Layer.Layer<HttpApi.Api>, HttpServer.layerContext)
      )
    }
  }))
]

interface Sent {
  readonly site?: string | undefined
  readonly origin?: string | undefined
  readonly host?: string | undefined
  readonly cookie?: string | undefined
  readonly token?: string | undefined
  readonly body?: BodyInit | undefined
  readonly others?: Readonly<Record<string, string>>
}

const requestOf = (
  path: string,
  method: string,
  { body, cookie, host, origin, others, site, token }: Sent
): Request => {
  const headers = new Headers(others)
  const set = (name: string, value: string | undefined) => value !== undefined && headers.set(name, value)
  set("sec-fetch-site", site)
  set("origin", origin)
  set("host", host)
  set("cookie", cookie)
  set(Csrf.headerName, token)
  return new Request(`http://in.side${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
}

const stores = {
  memory: () => SessionStore.layerMemory({ secure: false, cleanupInterval: Infinity }),
  cookie: () => SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
}

// ── the table ──

/** Web handlers need no turn of the event loop; the test runner does, now and then. */
let sendings = 0

for (const host of hosts) {
  describe(host.name, () => {
    const counting = countingStore({ cleanupInterval: Infinity })
    let started: ReturnType<Host["start"]>
    beforeAll(() => {
      started = host.start(counting.layer)
    })
    afterAll(() => started.dispose())

    /** What becomes of a request, and whether its session was looked at. */
    const send = async (path: string, method: string, sent: Sent) => {
      if (++sendings % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
      const before = runs
      const response = await started.handler(requestOf(path, method, sent))
      const body = await response.text()
      return { status: response.status, body, ran: runs - before, vary: response.headers.get("vary") }
    }

    const refused = { status: 403, body: host.name.startsWith("HttpApi") ? "{\"_tag\":\"CsrfRefused\"}" : "", ran: 0 }

    for (const method of host.methods) {
      const isSafe = !(unsafe as ReadonlyArray<string>).includes(method)
      it(`X8: the method ${method} ${isSafe ? "passes" : "passes or is refused"}, for each cell of the table`, async () => {
        counting.taken()
        const wrong: Array<unknown> = []
        for (const cell of cells((cell) => cell)) {
          const got = await send("/act", method, cell)
          const passes = isSafe || cell.outcome === "passes"
          // only where a token has to decide is the session looked at, and these requests have no session
          const should = {
            ...(passes ? { status: 200, body: method === "HEAD" ? "" : "ran", ran: 1 } : refused),
            vary: !isSafe && cell.outcome === "token" ? "Cookie" : null
          }
          if (JSON.stringify(got) !== JSON.stringify(should)) wrong.push({ ...cell, got, should })
        }
        expect(wrong).toEqual([])
        expect(counting.taken()).toEqual({ find: 0, insert: 0, update: 0, remove: 0, removeExpired: 0 })
      })
    }

    it("X1: a request that the app exempts passes, whatever its headers", async () => {
      for (const cell of cells((cell) => cell).filter(({ host, outcome }) => host === shop && outcome !== "passes")) {
        expect(await send("/webhook", "POST", cell)).toMatchObject({ status: 200, ran: 1 })
      }
    })
  })
}

// ── the token ──

for (const [kind, store] of Object.entries(stores)) {
  for (const host of hosts) {
    describe(`${host.name}, ${kind} store`, () => {
      let started: ReturnType<Host["start"]>
      beforeAll(() => {
        started = host.start(store())
      })
      afterAll(() => started.dispose())

      const open = async (cookie = "") => {
        const response = await started.handler(requestOf("/page", "GET", { cookie }))
        return { token: await response.text(), cookie: cookieOf(response) || cookie }
      }
      const post = async (path: string, sent: Sent) => {
        const before = runs
        const response = await started.handler(requestOf(path, "POST", sent))
        return { status: response.status, body: await response.text(), ran: runs - before }
      }
      const fields = (token: string) => new URLSearchParams({ amount: "7", [Csrf.fieldName]: token })

      it("X5: a form of a browser that says nothing of where it comes from passes with its token, and is read by its handler", async () => {
        const { cookie, token } = await open()
        expect(await post("/form", { cookie, body: fields(token) })).toEqual({ status: 200, body: "7", ran: 1 })
        expect(await post("/form", { cookie, token, body: new URLSearchParams({ amount: "8" }) })).toMatchObject({
          status: 200,
          body: "8"
        })
        expect(await post("/act", { cookie, token })).toMatchObject({ status: 200, ran: 1 })
        // a page without a Referer has the origin null in its own forms
        expect(await post("/form", { cookie, origin: "null", body: fields(token) })).toMatchObject({ status: 200 })
      })

      it("X5: without the session's token such a request is refused", async () => {
        const mine = await open()
        const hers = await open()
        const { cookie } = mine
        const attempts: ReadonlyArray<Sent> = [
          { cookie },
          { cookie, body: new URLSearchParams({ amount: "7" }) },
          { cookie, body: fields(hers.token) },
          { cookie, body: fields("") },
          { cookie, token: hers.token },
          { cookie, token: "", body: fields(mine.token) },
          { body: fields(mine.token) },
          { cookie, body: JSON.stringify({ [Csrf.fieldName]: mine.token }) },
          { cookie, site: "cross-site", token: mine.token },
          { cookie, origin: "http://evil.example", token: mine.token }
        ]
        for (const sent of attempts) expect(await post("/form", sent)).toMatchObject({ status: 403, ran: 0 })
        expect(await post(`/form?${Csrf.fieldName}=${mine.token}`, { cookie })).toMatchObject({ status: 403, ran: 0 })
      })

      it("X6: a token ends with the id that the session had", async () => {
        const { cookie, token } = await open()
        const response = await started.handler(requestOf("/sign-in", "GET", { cookie }))
        const signedIn = cookieOf(response)
        expect(signedIn).not.toBe("")
        expect(await post("/form", { cookie: signedIn, body: fields(token) })).toMatchObject({ status: 403, ran: 0 })
        const again = await open(signedIn)
        expect(await post("/form", { cookie: again.cookie, body: fields(again.token) })).toMatchObject({ status: 200 })
      })
    })
  }
}

describe("the body of a form", () => {
  const app = routes.pipe(Csrf.middleware)

  it("X5: is read by the handler of a mounted router too, although its token was looked for before", async () => {
    const { dispose, request } = serve(app as HttpApp.Default<unknown, RequestContext.RequestContext>, stores.memory())
    const opened = await request("/page")
    const body = new URLSearchParams({ amount: "9", [Csrf.fieldName]: await opened.text() })
    const response = await request("/mounted/form", { method: "POST", cookie: cookieOf(opened), body })
    expect([response.status, await response.text()]).toEqual([200, "9"])
    await dispose()
  })

  it("X5: is read by the handler on a socket too, with and without a mounted router", async () => {
    const server = await listen(app, stores.memory())
    const at = `http://127.0.0.1:${server.port}`
    const opened = await fetch(`${at}/page`)
    const headers = { cookie: cookieOf(opened), "content-type": "application/x-www-form-urlencoded; charset=utf-8" }
    const body = new URLSearchParams({ amount: "9", [Csrf.fieldName]: await opened.text() }).toString()
    for (const path of ["/form", "/mounted/form"]) {
      expect(await ask(`${at}${path}`, "POST", headers, body)).toMatchObject({ status: 200, body: "9" })
    }
    await server.close()
  })

  it("X5: is read up to 1 MiB for its token, or up to the app's own limit", async () => {
    const limited = app.pipe(HttpIncomingMessage.withMaxBodySize(Option.some(200)))
    for (
      const [app, fits, tooMuch] of [[routes.pipe(Csrf.middleware), 900_000, 1_100_000], [limited, 50, 300]] as const
    ) {
      const server = await listen(app, stores.memory())
      const at = `http://127.0.0.1:${server.port}`
      const opened = await fetch(`${at}/page`)
      const token = await opened.text()
      const headers = { cookie: cookieOf(opened), "content-type": "application/x-www-form-urlencoded" }
      const post = (length: number) =>
        ask(`${at}/form`, "POST", headers, `amount=${"x".repeat(length)}&${Csrf.fieldName}=${token}`)
      expect((await post(fits)).status).toBe(200)
      expect((await post(tooMuch)).status).toBe(403)
      await server.close()
    }
  })
})

// ── on a socket ──

interface Answer {
  readonly status: number
  readonly body: string
}

/** A request with any header, and an upgrade that is given up at once. */
const ask = (
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: string
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = Http.request(url, { method, headers, agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk) => text += String(chunk))
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    request.on("upgrade", (_, socket) => {
      socket.destroy()
      resolve({ status: 101, body: "" })
    })
    request.on("error", reject)
    request.end(body)
  })

const headersOf = ({ host, origin, site }: Sent): Record<string, string> => ({
  ...(site === undefined ? {} : { "sec-fetch-site": site }),
  ...(origin === undefined ? {} : { origin }),
  ...(host === undefined ? {} : { host })
})

const socket = Effect.gen(function*() {
  const socket = yield* HttpServerRequest.upgrade
  yield* onMessage(socket, () => Effect.void)
  return HttpServerResponse.empty()
}).pipe(Effect.scoped, Effect.catchAll(() => Effect.succeed(HttpServerResponse.empty())))

describe("a server's socket", () => {
  let server: Awaited<ReturnType<typeof listen>>
  let at: string
  beforeAll(async () => {
    server = await listen(
      routes.pipe(HttpRouter.get("/socket", socket), Csrf.middlewareWith(options)),
      stores.memory()
    )
    at = `http://127.0.0.1:${server.port}`
  })
  afterAll(() => server.close())

  it("X8: a POST passes or is refused, for each cell of the table", async () => {
    for (const cell of cells((cell) => cell)) {
      const { status } = await ask(`${at}/act`, "POST", headersOf(cell))
      expect({ ...cell, status }).toEqual({ ...cell, status: cell.outcome === "passes" ? 200 : 403 })
    }
  })

  it("X4: the handshake of a WebSocket opens or is refused, for each cell of the table", async () => {
    const handshake = {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
    }
    for (const cell of cells((cell) => cell)) {
      const { status } = await ask(`${at}/socket`, "GET", { ...handshake, ...headersOf(cell) })
      const opens = cell.outcome === "passes" || (cell.outcome === "token" && cell.origin === undefined)
      expect({ ...cell, status }).toEqual({ ...cell, status: opens ? 101 : 403 })
    }
  })

  it("X4: a GET that offers another protocol is not a handshake, and passes", async () => {
    for (const upgrade of ["h2c", "websocket2"]) {
      const headers = { upgrade, connection: "Upgrade", "sec-fetch-site": "cross-site", origin: "http://evil.example" }
      expect(await ask(`${at}/act`, "GET", headers)).toMatchObject({ status: 200 })
    }
  })

  it("X3: no X-Forwarded header makes an origin the app's own", async () => {
    const origin = "https://public.example"
    const forwarded = {
      "x-forwarded-host": "public.example",
      "x-forwarded-proto": "https",
      forwarded: "host=public.example;proto=https",
      "x-original-host": "public.example"
    }
    expect(await ask(`${at}/act`, "POST", { origin, ...forwarded })).toMatchObject({ status: 403 })
  })
})

describe("a web request without a Host header", () => {
  it("X3: has its host in its address", async () => {
    const { dispose, request } = serve(
      routes.pipe(Csrf.middleware) as HttpApp.Default<unknown, RequestContext.RequestContext>,
      stores.memory()
    )
    const post = async (origin: string) => (await request("/act", { method: "POST", headers: { origin } })).status
    expect(await post("http://localhost")).toBe(200)
    expect(await post(`http://${shop}`)).toBe(403)
    await dispose()
  })
})

// ── a refusal ──

describe("a refused request", () => {
  const Value = SessionKey.make("value", Schema.String)
  const refusals: ReadonlyArray<readonly [Exclude<Outcome, "passes" | "token"> | "NoToken" | "WrongToken", Sent]> = [
    ["CrossSite", { site: "cross-site", origin: "http://evil.example" }],
    ["SameSite", { site: "same-site" }],
    ["OtherOrigin", { origin: "http://evil.example" }],
    ["NoToken", {}],
    ["WrongToken", { token: "wrong" }]
  ]
  const counted = (reason: string): number => countOf("effect_session_csrf_refused_total", ["reason", reason])

  for (const [reason, sent] of refusals) {
    it(`X7: is an error with the reason ${reason}, logged at debug and counted, and the client does not learn it`, async () => {
      const lines: Array<string> = []
      const errors: Array<SessionError.CsrfRefused> = []
      const app = routes.pipe(
        Csrf.middleware,
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error._tag === "CsrfRefused") errors.push(error as SessionError.CsrfRefused)
          })
        )
      ) as HttpApp.Default<unknown, RequestContext.RequestContext>
      const { dispose, handler } = HttpApp.toWebHandlerLayer(
        app.pipe(RequestContext.middleware, RequestId.middleware) as HttpApp.Default<
          unknown,
          SessionStore.SessionStore
        >,
        Layer.merge(stores.memory(), collectLogs(lines)) as Layer.Layer<SessionStore.SessionStore>
      )
      const opened = await handler(requestOf("/page", "GET", {}))
      const cookie = cookieOf(opened)
      const token = await opened.text()
      const before = counted(reason)
      const others = { "x-secret": token }
      const response = await handler(requestOf(`/act?${token}`, "POST", { ...sent, cookie, others }))
      expect([response.status, await response.text()]).toEqual([403, ""])
      expect([...response.headers.keys()].sort()).toEqual(
        reason.endsWith("Token") ? ["vary", "x-request-id"] : ["x-request-id"]
      )
      expect(errors).toEqual([SessionError.CsrfRefused.of(reason)])
      const [error] = errors
      expect(error.reason).toBe(reason)
      expect(JSON.stringify(error)).not.toContain(reason)
      expect(`${String(error)} ${JSON.stringify({ ...error })}`).not.toContain(reason)
      const logged = lines.filter((line) => line.includes("another site"))
      expect(logged).toEqual([expect.stringMatching(new RegExp(`^DEBUG .*"reason":"${reason}"`))])
      expect(lines.join("\n")).not.toContain(token)
      expect(counted(reason) - before).toBe(1)
      await dispose()
    })
  }

  it("X7: changes nothing of its session", async () => {
    const read = Effect.map(
      RequestContext.get(Value),
      (value) => HttpServerResponse.text(Option.getOrElse(value, () => "-"))
    )
    const write = Effect.as(RequestContext.insert(Value, "changed"), HttpServerResponse.text("ok"))
    const app = HttpRouter.empty.pipe(HttpRouter.get("/", read), HttpRouter.post("/", write), Csrf.middleware)
    const { dispose, request } = serve(app, stores.memory())
    const begun = await request("/", { method: "POST", headers: { "sec-fetch-site": "same-origin" } })
    const cookie = cookieOf(begun)
    const refused = await request("/", { method: "POST", cookie, headers: { "sec-fetch-site": "cross-site" } })
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([403, []])
    expect(await (await request("/", { cookie })).text()).toBe("changed")
    await dispose()
  })

  it("X7: is a 403 in the OpenAPI document, and a store that fails is a 503", () => {
    for (const api of Object.values(apis)) {
      const { responses } = OpenApi.fromApi(api).paths["/act"].post!
      expect(JSON.stringify(responses[403])).toContain("CsrfRefused")
      expect(JSON.stringify(responses[503])).toContain("SessionStoreError")
    }
  })

  it("X7: where the session of a token cannot be loaded the response is a 503, and the handler does not run", async () => {
    const failing = SessionStore.layerBackend({ secure: false }).pipe(
      Layer.provide(Testing.faulty(Testing.memory, { find: "fails" }))
    )
    for (const host of hosts) {
      const { dispose, handler } = host.start(failing)
      const before = runs
      const response = await handler(requestOf("/act", "POST", { cookie: `session=${"A".repeat(43)}`, token: "any" }))
      expect([host.name, response.status, runs - before]).toEqual([host.name, 503, 0])
      await dispose()
    }
  })

  it("X7: the header of a token is in no span of the platform with Csrf.layerRedacted, and would be without it", async () => {
    const spansOf = async (redacted: Layer.Layer<never>) => {
      const spans: Array<Span> = []
      const Server = HttpServer.serve(routes.pipe(Csrf.middleware, RequestContext.middleware, RequestId.middleware))
        .pipe(
          Layer.provideMerge(NodeHttpServer.layer(Http.createServer, { port: 0, host: "127.0.0.1" })),
          Layer.provide(Layer.mergeAll(stores.memory(), redacted, tracing(spans)))
        )
      const program = Effect.flatMap(Layer.build(Server), (context) => {
        const { address } = Context.get(context, HttpServer.HttpServer)
        const port = address._tag === "TcpAddress" ? address.port : 0
        return Effect.promise(() => ask(`http://127.0.0.1:${port}/act`, "POST", { [Csrf.headerName]: "the-token" }))
      })
      const { status } = await Effect.runPromise(Effect.scoped(program))
      expect(status).toBe(403)
      return spans.flatMap(({ attributes }) =>
        [...attributes.values()].filter((value) => String(value).includes("the-token"))
      )
    }
    expect(await spansOf(Csrf.layerRedacted)).toEqual([])
    expect(await spansOf(Layer.empty)).toHaveLength(1)
  })

  it("X5: where sessions are switched off, there is no token, and such a request is refused", async () => {
    const { dispose, request } = serve(
      routes.pipe(Csrf.middleware) as HttpApp.Default<unknown, RequestContext.RequestContext>,
      SessionStore.layerMemory({ secure: false, enable: false })
    )
    expect((await request("/act", { method: "POST" })).status).toBe(403)
    expect((await request("/act", { method: "POST", headers: { "sec-fetch-site": "same-origin" } })).status).toBe(200)
    await dispose()
  })
})
