/**
 * `Flash` in every host: through redirects, and past requests whose page nobody sees.
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
  HttpServerResponse
} from "@effect/platform"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Flash, KeyRing, RequestContext, RequestContextApi, RequestId, SessionStore } from "effect-session"
import * as Testing from "effect-session/Testing"
import { collectLogs } from "../support/collectLogs.js"
import { countingStore } from "../support/counting.js"
import { messages } from "../support/messages.js"
import { listen } from "../support/server.js"

const Notice = Flash.make("notice", Schema.String)
const SignUp = Flash.form("sign-up", { secrets: ["password"] })

const redirect = (to: string, status: number) => HttpServerResponse.redirect(to, { status })

const save = Effect.as(Flash.add(Notice, "saved"), redirect("/moved", 303))
const moved = Effect.succeed(redirect("/further", 302))
const further = Effect.succeed(redirect("/page", 307))
const page = Effect.map(Flash.take(Notice), (notices) => HttpServerResponse.text(notices.join(",")))
const broken = Effect.zipRight(Flash.take(Notice), Effect.succeed(HttpServerResponse.empty({ status: 500 })))

const Fields = Schema.Struct({
  email: Schema.String.pipe(Schema.pattern(/@/, { message: () => "no address" })),
  password: Schema.String.pipe(Schema.minLength(12))
})

const signUp = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const input = yield* request.urlParamsBody
  yield* Schema.decodeUnknown(Fields, { errors: "all" })(Object.fromEntries(input)).pipe(
    Effect.tapError((errors) => Flash.failForm(SignUp, { input, errors }))
  )
  return redirect("/page", 303)
}).pipe(Effect.catchTag("ParseError", () => Effect.succeed(redirect("/form", 303))))

const form = Effect.map(Flash.refill(SignUp), (form) =>
  HttpServerResponse.text(JSON.stringify([
    form.failed,
    form.value("email"),
    form.error("email"),
    form.value("password"),
    form.error("password")
  ])))

const handlers = { save, moved, further, page, broken, signUp, form }
type Handlers = typeof handlers

const orDie = <K extends keyof Handlers>(name: K) => Effect.orDie(handlers[name] as Handlers["save"])

// ── the hosts ──

type Handler = (request: Request) => Promise<Response>
type Store = Layer.Layer<SessionStore.SessionStore, unknown>

interface Host {
  readonly name: string
  readonly head: boolean
  readonly start: (store: Store) => { readonly handler: Handler; readonly dispose: () => Promise<void> }
}

const routes = HttpRouter.empty.pipe(
  HttpRouter.post("/save", save),
  HttpRouter.get("/moved", moved),
  HttpRouter.get("/further", further),
  HttpRouter.all("/page", page),
  HttpRouter.get("/broken", broken),
  HttpRouter.post("/sign-up", signUp),
  HttpRouter.get("/form", form)
)

const LayerRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("POST", "/save", orDie("save")),
  HttpLayerRouter.route("GET", "/moved", orDie("moved")),
  HttpLayerRouter.route("GET", "/further", orDie("further")),
  HttpLayerRouter.route("*", "/page", orDie("page")),
  HttpLayerRouter.route("GET", "/broken", orDie("broken")),
  HttpLayerRouter.route("POST", "/sign-up", orDie("signUp")),
  HttpLayerRouter.route("GET", "/form", orDie("form"))
])

const get = <const Name extends string>(name: Name, path: `/${string}`) =>
  HttpApiEndpoint.get(name, path).addSuccess(Schema.Unknown)
const post = <const Name extends string>(name: Name, path: `/${string}`) =>
  HttpApiEndpoint.post(name, path).addSuccess(Schema.Unknown)

class ApiSession extends RequestContextApi.Tag<ApiSession>()("ApiSession", { cookieName: "session" }) {}

const api = HttpApi.make("api").add(
  HttpApiGroup.make("group")
    .add(post("save", "/save"))
    .add(get("moved", "/moved"))
    .add(get("further", "/further"))
    .add(get("page", "/page"))
    .add(get("broken", "/broken"))
    .add(post("signUp", "/sign-up"))
    .add(get("form", "/form"))
    .middleware(ApiSession)
)

const router = (app: Layer.Layer<never, unknown, any>): Host["start"] => (store) =>
  HttpLayerRouter.toWebHandler(Layer.provide(app, store) as Layer.Layer<never, never, HttpLayerRouter.HttpRouter>, {
    disableLogger: true
  })

const hosts: ReadonlyArray<Host> = [
  {
    name: "HttpRouter",
    head: true,
    start: (store) =>
      HttpApp.toWebHandlerLayer(
        routes.pipe(RequestContext.middleware, RequestId.middleware),
        store as Layer.Layer<SessionStore.SessionStore>
      )
  },
  {
    name: "HttpLayerRouter, global",
    head: true,
    start: router(
      LayerRoutes.pipe(Layer.provide(RequestContext.layerRouter), Layer.provide(RequestId.layerRouter))
    )
  },
  {
    name: "HttpLayerRouter, by route",
    head: true,
    start: router(
      Layer.provide(LayerRoutes, RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer)
    )
  },
  {
    name: "HttpApi",
    head: false,
    start: (store) => {
      const GroupLive = HttpApiBuilder.group(api, "group", (handlers) =>
        handlers
          .handleRaw("save", () => orDie("save"))
          .handleRaw("moved", () => orDie("moved"))
          .handleRaw("further", () => orDie("further"))
          .handleRaw("page", () => orDie("page"))
          .handleRaw("broken", () => orDie("broken"))
          .handleRaw("signUp", () => orDie("signUp"))
          .handleRaw("form", () => orDie("form")))
      const ApiLive = HttpApiBuilder.api(api).pipe(
        Layer.provide(GroupLive),
        Layer.provide(RequestContextApi.layer(ApiSession)),
        Layer.provide(store)
      )
      return HttpApiBuilder.toWebHandler(Layer.merge(ApiLive as Layer.Layer<HttpApi.Api>, HttpServer.layerContext))
    }
  }
]

const stores: Readonly<Record<string, () => Store>> = {
  memory: () => SessionStore.layerMemory({ secure: false, cleanupInterval: Infinity }),
  cookie: () => SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
}

/** A browser that follows no redirect by itself. */
const browserOf = (handler: Handler) => {
  const browser = Effect.runSync(Testing.browser(handler, { origin: "http://app.test" }))
  return async (path: string, init: RequestInit = {}) => {
    const response = await Effect.runPromise(browser.fetch(path, init))
    return {
      status: response.status,
      location: response.headers.get("location") ?? "",
      text: await response.text(),
      vary: response.headers.get("vary"),
      cookies: response.headers.getSetCookie().length
    }
  }
}

for (const [kind, store] of Object.entries(stores)) {
  for (const host of hosts) {
    describe(`${host.name}, ${kind} store`, () => {
      let started: ReturnType<Host["start"]>
      beforeAll(() => {
        started = host.start(store())
      })
      afterAll(() => started.dispose())

      it("L2: a message survives a chain of redirects, and is on the page at its end, once", async () => {
        const visit = browserOf(started.handler)
        const first = await visit("/save", { method: "POST" })
        const statuses = [first.status]
        let { location, text } = first
        while (location !== "") {
          const next = await visit(location)
          statuses.push(next.status)
          location = next.location
          text = next.text
        }
        expect(statuses).toEqual([303, 302, 307, 200])
        expect(text).toBe("saved")
        expect((await visit("/page")).text).toBe("")
      })

      it("L3: a prefetch of the page takes no message, and does not touch the session", async () => {
        const visit = browserOf(started.handler)
        await visit("/save", { method: "POST" })
        for (
          const headers of [
            { "sec-purpose": "prefetch" },
            { "sec-purpose": "prefetch;prerender" },
            { purpose: "prefetch" }
          ] as ReadonlyArray<Record<string, string>>
        ) {
          expect(await visit("/page", { headers })).toMatchObject({ status: 200, text: "", vary: null, cookies: 0 })
        }
        if (host.head) expect(await visit("/page", { method: "HEAD" })).toMatchObject({ status: 200, cookies: 0 })
        expect((await visit("/page")).text).toBe("saved")
      })

      it("L6: a form that failed is refilled after the redirect, without its password", async () => {
        const visit = browserOf(started.handler)
        const body = new URLSearchParams({ email: "ada", password: "short" })
        const { location } = await visit("/sign-up", { method: "POST", body })
        expect(location).toBe("/form")
        expect(JSON.parse((await visit("/form", { headers: { "sec-purpose": "prefetch" } })).text)[0]).toBe(false)
        expect(JSON.parse((await visit(location)).text)).toEqual([
          true,
          "ada",
          "no address",
          "",
          messages.tooShort(12)
        ])
        expect(JSON.parse((await visit(location)).text)).toEqual([false, "", "", "", ""])
      })

      it("L2: of a page that fails, a server store has handed the messages out, and a cookie store has not", async () => {
        const visit = browserOf(started.handler)
        await visit("/save", { method: "POST" })
        expect((await visit("/broken")).status).toBe(500)
        expect((await visit("/page")).text).toBe(kind === "memory" ? "" : "saved")
      })
    })
  }
}

describe("the store's calls", () => {
  const counting = countingStore({ cleanupInterval: Infinity })
  const { dispose, handler } = hosts[0].start(counting.layer)
  afterAll(dispose)

  it("L5: reading costs nothing without a session, one look-up with one, and one change more with messages", async () => {
    const visit = browserOf(handler)
    const calls = async (path: string, init: RequestInit = {}) => {
      counting.taken()
      await visit(path, init)
      const { find, insert, remove, update } = counting.taken()
      return { find, insert, update, remove }
    }
    expect(await calls("/page")).toEqual({ find: 0, insert: 0, update: 0, remove: 0 })
    expect(await calls("/save", { method: "POST" })).toEqual({ find: 0, insert: 1, update: 0, remove: 0 })
    expect(await calls("/moved")).toEqual({ find: 0, insert: 0, update: 0, remove: 0 })
    expect(await calls("/page")).toEqual({ find: 1, insert: 0, update: 1, remove: 0 })
    expect(await calls("/page")).toEqual({ find: 1, insert: 0, update: 0, remove: 0 })
    expect(await calls("/page", { headers: { "sec-purpose": "prefetch" } })).toEqual({
      find: 0,
      insert: 0,
      update: 0,
      remove: 0
    })
  })
})

describe("a server's socket", () => {
  it("L3: takes messages in a GET, and none in a prefetch", async () => {
    const server = await listen(routes, stores["memory"]())
    const visit = browserOf((request) =>
      fetch(request.url.replace("http://app.test", `http://127.0.0.1:${server.port}`), {
        method: request.method,
        headers: request.headers,
        redirect: "manual"
      })
    )
    await visit("/save", { method: "POST" })
    expect((await visit("/page", { headers: { "sec-purpose": "prefetch" } })).text).toBe("")
    expect((await visit("/page", { method: "HEAD" })).text).toBe("")
    expect((await visit("/page")).text).toBe("saved")
    await server.close()
  })
})

describe("messages that cannot be read", () => {
  it("L7: are dropped with one warning, which does not repeat them", async () => {
    const lines: Array<string> = []
    const Old = Flash.make("notice", Schema.Struct({ secret: Schema.String }))
    const program = Effect.gen(function*() {
      yield* Flash.add(Old, { secret: "hunter2" })
      yield* Testing.respond()
      const taken = yield* Flash.take(Notice)
      yield* Testing.respond()
      return [...taken, ...(yield* Flash.take(Notice))]
    })
    const taken = await Effect.runPromise(
      Effect.provide(program, Layer.provideMerge(Testing.layerTest(), collectLogs(lines)))
    )
    expect(taken).toEqual([])
    expect(lines).toEqual([expect.stringMatching(/^WARN .*flash messages.*effect-session\/Flash\/notice/)])
    expect(lines.join()).not.toContain("hunter2")
  })
})
