import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity,
  type HttpApp,
  HttpServer,
  OpenApi
} from "@effect/platform"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Logger, Option, Schema } from "effect"
import { RequestContext, RequestContextApi, RequestId, SessionError, SessionKey, SessionStore } from "effect-session"

const Value = SessionKey.make("value", Schema.String)

const responses = (document: OpenApi.OpenAPISpec, path: string) => document.paths[path].get!.responses

describe("the OpenAPI document", () => {
  const errors = [
    SessionError.SessionStoreError,
    SessionError.SessionSchemaError,
    SessionError.SessionTooLarge,
    SessionError.SessionClosed,
    SessionError.SessionDisabled,
    SessionError.TooManySessions,
    SessionError.SessionEnded,
    SessionError.SessionNotFresh,
    SessionError.CsrfRefused,
    SessionError.MissingRequestId,
    SessionError.SessionConfigError
  ]

  it("M11: the library's errors are components of the document, with allowed names and a description", () => {
    const exported = Object.entries(SessionError).filter(([name]) => name !== "ReadError" && name !== "WriteError")
    expect(exported.map(([, error]) => error)).toEqual(expect.arrayContaining(errors))
    expect(exported).toHaveLength(errors.length)
    const endpoint = HttpApiEndpoint.get("all", "/all").addSuccess(Schema.Void).addError(Schema.Union(...errors))
    const document = OpenApi.fromApi(HttpApi.make("api").add(HttpApiGroup.make("group").add(endpoint)))
    const names = Object.keys(document.components.schemas)
    // OpenAPI 3.1, 4.8.7: the keys of components
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9._-]+$/)
    for (const [name, error] of exported) {
      expect(names).toContain(name)
      expect(error.name).toBe(name)
    }
    for (const error of errors.slice(0, -2)) {
      const schema = document.components.schemas[error.name]
      expect(schema).toMatchObject({ description: expect.stringMatching(/^[A-Z].*\.$/) })
    }
    for (const [, error] of exported) {
      // the tags are what clients match on
      expect(JSON.stringify(document.components.schemas[error.name])).toContain(`"enum":["${error.name}"]`)
    }
  })

  it("M11: ReadError and WriteError declare each error with its status", () => {
    const api = HttpApi.make("api").add(
      HttpApiGroup.make("group")
        .add(HttpApiEndpoint.get("read", "/read").addSuccess(Schema.Void).addError(SessionError.ReadError))
        .add(HttpApiEndpoint.get("write", "/write").addSuccess(Schema.Void).addError(SessionError.WriteError))
    )
    const document = OpenApi.fromApi(api)
    expect(Object.keys(responses(document, "/read")).sort()).toEqual(["204", "400", "500", "503"])
    const inWrite = JSON.stringify(responses(document, "/write"))
    for (const name of ["SessionSchemaError", "SessionDisabled", "SessionTooLarge", "SessionClosed", "SessionEnded"]) {
      expect(inWrite).toContain(`#/components/schemas/${name}"`)
    }
    expect(JSON.stringify(responses(document, "/write")[503])).toContain("SessionStoreError")
  })

  class Bearer extends HttpApiMiddleware.Tag<Bearer>()("Bearer", { security: { bearer: HttpApiSecurity.bearer } }) {}

  const endpoints = HttpApi.make("api")
    .add(HttpApiGroup.make("session").add(HttpApiEndpoint.get("a", "/a")).middleware(RequestContextApi.Session))
    .add(
      HttpApiGroup.make("both").add(HttpApiEndpoint.get("b", "/b"))
        .middleware(RequestContextApi.Session).middleware(Bearer)
    )
    .add(HttpApiGroup.make("bearer").add(HttpApiEndpoint.get("c", "/c")).middleware(Bearer))
    .add(HttpApiGroup.make("none").add(HttpApiEndpoint.get("d", "/d").annotate(OpenApi.Override, { summary: "d" })))

  it("M11: the security scheme names the cookie, and says that anonymous requests pass", () => {
    const document = OpenApi.fromApi(endpoints)
    expect(document.components.securitySchemes.session).toEqual({
      type: "apiKey",
      name: "__Host-session",
      in: "cookie",
      description: "The session. Requests without it are anonymous, and pass. "
        + "Elsewhere the cookie may be called __Secure-session or session."
    })
    // what the platform makes of a middleware; it has no way to say that the security is optional
    expect(document.paths["/a"].get!.security).toEqual([{ session: [] }])
  })

  it("M11: openApiTransform says in the document that the session is optional", () => {
    const before = JSON.parse(JSON.stringify(OpenApi.fromApi(endpoints)))
    const document = OpenApi.fromApi(
      endpoints.middleware(RequestContextApi.Session).annotate(OpenApi.Transform, RequestContextApi.openApiTransform)
    )
    const plain = OpenApi.fromApi(endpoints.annotate(OpenApi.Transform, RequestContextApi.openApiTransform))
    const security = (path: string) => plain.paths[path].get!.security
    expect(security("/a")).toEqual([{ session: [] }, {}])
    expect(security("/b")).toEqual([{ bearer: [], session: [] }, { bearer: [] }])
    expect(security("/c")).toEqual([{ bearer: [] }])
    expect(security("/d")).toEqual([])
    expect(plain.security).toEqual([])
    expect(document.security).toEqual([{ session: [] }, {}])
    // the rest is as it was
    for (const path of Object.keys(plain.paths)) before.paths[path].get.security = security(path)
    expect(JSON.parse(JSON.stringify(plain))).toEqual(before)
  })
})

describe("the cookie's name", () => {
  const start = <Self>(tag: Parameters<typeof RequestContextApi.layer<Self>>[0], options: SessionStore.MemoryOptions) =>
    Effect.exit(
      Effect.scoped(Layer.build(Layer.provide(RequestContextApi.layer(tag), SessionStore.layerMemory(options))))
    )

  class Shop extends RequestContextApi.Tag<Shop>()("Shop", { cookieName: ["__Host-shop", "shop"] }) {}
  class One extends RequestContextApi.Tag<One>()("One", { cookieName: "shop" }) {}

  it.effect("M11: one tag serves production and development, with any of its cookie names", () =>
    Effect.gen(function*() {
      for (const options of [{}, { secure: false }, { path: "/app" }, { domain: "example.com" }]) {
        expect(Exit.isSuccess(yield* start(RequestContextApi.Session, options))).toBe(true)
      }
      expect(Exit.isSuccess(yield* start(Shop, { name: "__Host-shop" }))).toBe(true)
      expect(Exit.isSuccess(yield* start(Shop, { name: "shop", secure: false }))).toBe(true)
      expect(Exit.isSuccess(yield* start(One, { name: "shop" }))).toBe(true)
      for (const [tag, names] of [[Shop, "\"__Host-shop\" or \"shop\""], [One, "\"shop\""]] as const) {
        const exit = yield* start(tag as typeof Shop, { name: "other" })
        if (Exit.isSuccess(exit)) throw new Error("it started")
        const { mistakes } = Cause.squash(exit.cause) as SessionError.SessionConfigError
        expect(mistakes).toEqual([{
          path: "cookieName",
          message:
            `the API says that the session's cookie is ${names}, the store calls it "other": give both the same name`
        }])
      }
    }))

  it("M11: the document shows the first of a tag's cookie names", () => {
    expect(Shop.security.session.key).toBe("__Host-shop")
    expect(One.security.session.key).toBe("shop")
    const api = HttpApi.make("api").add(
      HttpApiGroup.make("group").add(HttpApiEndpoint.get("a", "/a")).middleware(One)
    )
    expect(OpenApi.fromApi(api).components.securitySchemes.session.description).toBe(
      "The session. Requests without it are anonymous, and pass."
    )
  })
})

describe("RequestId", () => {
  class Session extends RequestContextApi.Tag<Session>()("Session", { cookieName: "session" }) {}

  const endpoint = <const Name extends string>(name: Name) =>
    HttpApiEndpoint.get(name, `/${name}`).addSuccess(Schema.String).addError(SessionError.WriteError)

  const api = HttpApi.make("api")
    // the platform runs what is added later first
    .add(
      HttpApiGroup.make("inner").add(endpoint("inner"))
        .middleware(RequestContextApi.RequestId).middleware(Session)
    )
    .add(
      HttpApiGroup.make("outer").add(endpoint("outer"))
        .middleware(Session).middleware(RequestContextApi.RequestId)
    )
    .add(HttpApiGroup.make("alone").add(endpoint("alone")).middleware(RequestContextApi.RequestId))

  /** The id as the handler has it, and as its log line has it. */
  const logged = Effect.zipRight(Effect.log("handled"), RequestId.RequestId)

  const withSession = Effect.gen(function*() {
    const id = yield* logged
    yield* RequestContext.insert(Value, id)
    yield* RequestContext.commit
    expect(yield* RequestContext.get(Value)).toEqual(Option.some(id))
    return id
  })

  const GroupsLive = Layer.mergeAll(
    HttpApiBuilder.group(api, "inner", (handlers) => handlers.handle("inner", () => withSession)),
    HttpApiBuilder.group(api, "outer", (handlers) => handlers.handle("outer", () => withSession)),
    HttpApiBuilder.group(api, "alone", (handlers) => handlers.handle("alone", () => logged))
  )

  let lines: Array<string> = []
  const logger = Logger.logfmtLogger.pipe(Logger.map((line) => void lines.push(line)))

  const serve = (
    options: RequestId.Options | undefined,
    middleware: (app: HttpApp.Default) => HttpApp.Default = (app) => app
  ) =>
    HttpApiBuilder.toWebHandler(
      Layer.mergeAll(
        HttpApiBuilder.api(api).pipe(
          Layer.provide(GroupsLive),
          Layer.provide(
            Layer.merge(RequestContextApi.layer(Session, options), RequestContextApi.layerRequestId(options))
          ),
          Layer.provide(SessionStore.layerMemory({ secure: false }))
        ),
        HttpServer.layerContext,
        Logger.replace(Logger.defaultLogger, logger)
      ),
      { middleware }
    )

  type Web = ReturnType<typeof serve>
  let trusting: Web
  let own: Web
  let outer: Web

  beforeAll(() => {
    trusting = serve(undefined)
    own = serve({ trustInbound: false })
    outer = serve(undefined, RequestId.middlewareWith({ trustInbound: false }))
  })
  afterAll(() => Promise.all([trusting.dispose(), own.dispose(), outer.dispose()]))

  const ask = async (web: Web, path: string, inbound?: string) => {
    lines = []
    const headers: Record<string, string> = inbound === undefined ? {} : { "x-request-id": inbound }
    const response = await web.handler(new Request(`http://localhost${path}`, { headers }))
    return { response, body: await response.json().catch(() => ""), id: response.headers.get("x-request-id") }
  }

  const place = {
    inner: "its middleware inside the session's",
    outer: "its middleware outside the session's",
    alone: "its middleware alone"
  }
  for (const name of ["inner", "outer", "alone"] as const) {
    it(`R2: the handler, the log and the response have the same id (${place[name]})`, async () => {
      for (const inbound of [undefined, "from=the=client"]) {
        const { body, id, response } = await ask(trusting, `/${name}`, inbound)
        expect(response.status).toBe(200)
        expect(id).toMatch(inbound === undefined ? /^[0-9a-f-]{36}$/ : /^fromtheclient$/)
        expect(body).toBe(id)
        const handled = lines.filter((line) => line.includes("message=handled"))
        expect(handled).toHaveLength(1)
        expect(handled[0]).toContain(`request_id=${id}`)
        expect(handled[0].match(/request_id=/g)).toHaveLength(1)
      }
    })

    it(`R4: trustInbound: false ignores the client's header (${place[name]})`, async () => {
      const { body, id } = await ask(own, `/${name}`, "client")
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      expect(body).toBe(id)
    })

    it(`R3: the handler has the id of an outer middleware, and a 404 has one too (${place[name]})`, async () => {
      const { body, id } = await ask(outer, `/${name}`, "client")
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      expect(body).toBe(id)
      const missing = await ask(outer, "/nowhere")
      expect(missing.response.status).toBe(404)
      expect(missing.id).toMatch(/^[0-9a-f-]{36}$/)
    })
  }
})

describe("a middleware of the app's own that reads the session", () => {
  class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, string>() {}

  class NotSignedIn extends Schema.TaggedError<NotSignedIn>()(
    "NotSignedIn",
    {},
    HttpApiSchema.annotations({ status: 401 })
  ) {}

  class SignedIn extends HttpApiMiddleware.Tag<SignedIn>()("SignedIn", {
    provides: CurrentUser,
    failure: NotSignedIn
  }) {}

  let loads = 0
  const SignedInLive = Layer.effect(
    SignedIn,
    Effect.map(SessionStore.SessionStore, (store) =>
      Effect.orDie(RequestContext.signedIn).pipe(
        Effect.flatMap(
          Option.match({ onNone: () => new NotSignedIn(), onSome: ({ subject }) => Effect.succeed(subject) })
        ),
        Effect.provide(RequestContext.layer),
        Effect.provide(RequestId.layer),
        Effect.provideService(SessionStore.SessionStore, store)
      ))
  )

  const signIn = HttpApiEndpoint.post("signIn", "/sign-in")
  const me = HttpApiEndpoint.get("me", "/me").addSuccess(Schema.String)
  const group = HttpApiGroup.make("account").add(signIn)
  const groups = {
    "added before the session's": group.add(me.middleware(SignedIn)).middleware(RequestContextApi.Session),
    "added after the session's": group.add(me.middleware(RequestContextApi.Session).middleware(SignedIn))
      .middleware(RequestContextApi.Session)
  }

  for (const [place, group] of Object.entries(groups)) {
    it(`M11: finds the session of the request, and shares its load with the handler (${place})`, async () => {
      const api = HttpApi.make("shop").add(group)
      const handle = Effect.map(
        Effect.zip(CurrentUser, Effect.orDie(RequestContext.signedIn)),
        ([user, again]) => `${user}, ${Option.getOrThrow(again).subject}`
      )
      const Live = HttpApiBuilder.api(api).pipe(
        Layer.provide(
          HttpApiBuilder.group(
            api,
            "account",
            (handlers) =>
              handlers.handle("signIn", () => Effect.orDie(RequestContext.bind("alan"))).handle("me", () => handle)
          )
        ),
        Layer.provide(RequestContextApi.layer(RequestContextApi.Session)),
        Layer.provide(SignedInLive),
        Layer.provide(
          Layer.map(
            SessionStore.layerMemory({ secure: false }),
            (context) =>
              Context.add(context, SessionStore.SessionStore, counted(Context.get(context, SessionStore.SessionStore)))
          )
        )
      )
      const { dispose, handler } = HttpApiBuilder.toWebHandler(Layer.merge(Live, HttpServer.layerContext))
      expect((await handler(new Request("http://localhost/me"))).status).toBe(401)
      const signedIn = await handler(new Request("http://localhost/sign-in", { method: "POST" }))
      const cookie = signedIn.headers.getSetCookie()[0].split(";")[0]
      loads = 0
      const answer = await handler(new Request("http://localhost/me", { headers: { cookie } }))
      expect([answer.status, await answer.json(), loads]).toEqual([200, "alan, alan", 1])
      await dispose()
    })
  }

  const counted = (store: SessionStore.SessionStoreService): SessionStore.SessionStoreService => ({
    ...store,
    load: (tokens, now) => {
      loads++
      return store.load(tokens, now)
    }
  })
})
