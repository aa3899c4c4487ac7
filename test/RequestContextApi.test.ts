import {
  HttpApi,
  HttpApiBuilder,
  HttpApiClient,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiSchema,
  type HttpApp,
  HttpClient,
  HttpClientRequest,
  HttpLayerRouter,
  HttpServer,
  HttpServerResponse,
  OpenApi
} from "@effect/platform"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Logger, Option, Schema } from "effect"
import {
  RequestContext,
  RequestContextApi,
  RequestId,
  SessionError,
  SessionKey,
  SessionStore,
  Subject
} from "effect-session"
import * as Testing from "effect-session/Testing"
import { apiWebHandler, Bearer } from "./support/apiWebHandler.js"
import { componentOf, descriptionOf, documentOf } from "./support/openApi.js"

const Value = SessionKey.make("value", Schema.String)

const silent = Logger.remove(Logger.defaultLogger)

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
    SessionError.NotSignedIn,
    SessionError.MissingRequestId,
    SessionError.SessionConfigError
  ]

  it("M11: the library's errors are components of the document, with allowed names and a description", () => {
    const exported = Object.entries(SessionError).filter(([name]) => name !== "ReadError" && name !== "WriteError")
    expect(exported.map(([, error]) => error)).toEqual(expect.arrayContaining(errors))
    expect(exported).toHaveLength(errors.length)
    const document = documentOf(errors)
    const names = Object.keys(document.components.schemas)
    // OpenAPI 3.1, 4.8.7: the keys of components
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9._-]+$/)
    for (const [name, error] of exported) {
      expect(names).toContain(componentOf(name))
      expect(error.name).toBe(name)
    }
    for (const error of errors.slice(0, -2)) expect(descriptionOf(document, error.name)).toMatch(/^[A-Z].*\.$/)
    for (const [, error] of exported) {
      // the tags are what clients match on
      expect(JSON.stringify(document.components.schemas[componentOf(error.name)])).toContain(`"enum":["${error.name}"]`)
    }
  })

  it("M11: ReadError and WriteError declare each error with its status", () => {
    const api = HttpApi.make("api").add(
      HttpApiGroup.make("group")
        .add(HttpApiEndpoint.get("read", "/read").addSuccess(Schema.Void).addError(SessionError.ReadError))
        .add(HttpApiEndpoint.get("write", "/write").addSuccess(Schema.Void).addError(SessionError.WriteError))
    )
    const document = OpenApi.fromApi(api)
    expect(Object.keys(responses(document, "/read"))).toEqual(expect.arrayContaining(["500", "503"]))
    const inWrite = JSON.stringify(responses(document, "/write"))
    for (const name of ["SessionSchemaError", "SessionDisabled", "SessionTooLarge", "SessionClosed", "SessionEnded"]) {
      expect(inWrite).toContain(`#/components/schemas/${componentOf(name)}"`)
    }
    expect(JSON.stringify(responses(document, "/write")[503])).toContain("SessionStoreError")
  })

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
    // Effect 3 says it of the whole document, and Effect 4 of each operation.
    expect([document.security, document.paths["/d"].get!.security]).toContainEqual([{ session: [] }, {}])
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
    apiWebHandler(
      HttpApiBuilder.api(api).pipe(
        Layer.provide(GroupsLive),
        Layer.provide(
          Layer.merge(RequestContextApi.layer(Session, options), RequestContextApi.layerRequestId(options))
        ),
        Layer.provide(SessionStore.layerMemory({ secure: false })),
        Layer.provideMerge(Logger.replace(Logger.defaultLogger, logger))
      ),
      middleware
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

describe("the current user", () => {
  const UserId = Schema.NumberFromString.pipe(Schema.int(), Schema.brand("UserId"))
  type UserId = typeof UserId.Type
  const Account = Subject.make(UserId)

  class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}

  class UsersAreAway extends Schema.TaggedError<UsersAreAway>()(
    "UsersAreAway",
    {},
    HttpApiSchema.annotations({ status: 502 })
  ) {}

  class SignedIn extends RequestContextApi.SignedInTag<SignedIn>()("SignedIn", {
    provides: CurrentUser,
    failure: UsersAreAway
  }) {}

  class Users extends Context.Tag("Users")<Users, {
    readonly find: (id: string) => Effect.Effect<Option.Option<{ readonly name: string }>, UsersAreAway>
  }>() {}

  const signIn = HttpApiEndpoint.post("signIn", "/sign-in/:user").setPath(Schema.Struct({ user: Schema.String }))
  const me = HttpApiEndpoint.get("me", "/me").addSuccess(Schema.Array(Schema.String))
  const group = HttpApiGroup.make("account").add(signIn.middleware(RequestContextApi.Session))
  const groups = {
    "added before the session's": group.add(me.middleware(SignedIn).middleware(RequestContextApi.Session)),
    "added after the session's": group.add(me.middleware(RequestContextApi.Session).middleware(SignedIn))
  }

  let loads = 0
  const counted = (store: SessionStore.SessionStoreService): SessionStore.SessionStoreService => ({
    ...store,
    load: (tokens, now) => {
      loads++
      return store.load(tokens, now)
    }
  })
  const countedStore = (options: SessionStore.MemoryOptions) =>
    Layer.map(
      SessionStore.layerMemory({ secure: false, ...options }),
      (context) =>
        Context.add(context, SessionStore.SessionStore, counted(Context.get(context, SessionStore.SessionStore)))
    )

  const UsersLive = Layer.succeed(Users, {
    find: (id) =>
      id === "away" ? new UsersAreAway() : Effect.succeed(id === "deleted" ? Option.none() : Option.some({ name: id }))
  })

  /** The look-up uses a service of the app, the session and the request's id. */
  const find = (id: string) =>
    Effect.gen(function*() {
      const users = yield* Users
      expect(Option.getOrThrow(yield* Effect.orDie(RequestContext.signedIn)).subject).toBe(id)
      yield* Effect.log(`looked up ${yield* RequestId.RequestId}`)
      return yield* users.find(id)
    })

  const start = (group: typeof groups["added before the session's"], options: SessionStore.MemoryOptions = {}) => {
    const api = HttpApi.make("shop").add(group)
    const handle = Effect.gen(function*() {
      const again = yield* Effect.orDie(RequestContext.requireSignedIn)
      return [(yield* CurrentUser).name, again.subject]
    })
    const GroupLive = HttpApiBuilder.group(api, "account", (handlers) =>
      handlers
        .handle("signIn", ({ path }) => Effect.orDie(RequestContext.bind(path.user)))
        .handle("me", () => handle))
    const Live = HttpApiBuilder.api(api).pipe(
      Layer.provide(GroupLive),
      Layer.provide(RequestContextApi.layer(RequestContextApi.Session)),
      Layer.provide(RequestContextApi.layerSignedIn(SignedIn, find)),
      Layer.provide(UsersLive),
      Layer.provide(countedStore(options))
    )
    const { dispose, handler } = apiWebHandler(Layer.provideMerge(Live, silent))
    const ask = (path: string, cookie = "", method = "GET") =>
      handler(new Request(`http://localhost${path}`, { method, headers: { cookie } }))
    const signedInAs = async (user: string) =>
      (await ask(`/sign-in/${user}`, "", "POST")).headers.getSetCookie()[0].split(";")[0]
    return { ask, dispose, handler, signedInAs }
  }

  for (const [place, group] of Object.entries(groups)) {
    describe(`its middleware ${place}`, () => {
      let app: ReturnType<typeof start>
      beforeAll(() => {
        app = start(group as typeof groups["added before the session's"])
      })
      afterAll(() => app.dispose())

      it("U2: handlers get the user who has signed in, and the session is loaded once", async () => {
        const cookie = await app.signedInAs("alan")
        loads = 0
        const response = await app.ask("/me", cookie)
        expect([response.status, await response.json(), loads]).toEqual([200, ["alan", "alan"], 1])
        expect(response.headers.get("x-request-id")).toHaveLength(36)
        expect(response.headers.get("vary")).toBe("Cookie")
      })

      it("U2: an anonymous request and a user whom the app does not know are a 401", async () => {
        for (const cookie of ["", "session=unknown", await app.signedInAs("deleted")]) {
          const response = await app.ask("/me", cookie)
          expect([response.status, await response.json()]).toEqual([401, { _tag: "NotSignedIn" }])
          expect(response.headers.getSetCookie()).toEqual([])
        }
      })

      it("U2: what the look-up fails with is the response that the tag declares", async () => {
        const response = await app.ask("/me", await app.signedInAs("away"))
        expect([response.status, await response.json()]).toEqual([502, { _tag: "UsersAreAway" }])
      })
    })
  }

  it("U2: a store that fails is a 503, and disabled sessions are a 500, never a user and never a 401", async () => {
    const api = HttpApi.make("shop").add(HttpApiGroup.make("account").add(me).middleware(SignedIn))
    const statusOver = async (store: Layer.Layer<SessionStore.SessionStore, unknown>) => {
      const Live = HttpApiBuilder.api(api).pipe(
        Layer.provide(
          HttpApiBuilder.group(api, "account", (handlers) => handlers.handle("me", () => Effect.succeed([])))
        ),
        Layer.provide(RequestContextApi.layerSignedIn(SignedIn, find)),
        Layer.provide(UsersLive),
        Layer.provide(store)
      )
      const { dispose, handler } = apiWebHandler(Layer.provideMerge(Live, silent))
      const cookie = `session=${"A".repeat(43)}`
      const { status } = await handler(new Request("http://localhost/me", { headers: { cookie } }))
      await dispose()
      return status
    }
    const broken = Layer.provide(
      SessionStore.layerBackend({ secure: false }),
      Testing.faulty(Testing.memory, { find: "fails" })
    )
    expect(await statusOver(broken)).toBe(503)
    expect(await statusOver(SessionStore.layerMemory({ secure: false, enable: false }))).toBe(500)
    expect(await statusOver(SessionStore.layerMemory({ secure: false }))).toBe(401)
  })

  it("U2: without the session's middleware, and with a typed subject", async () => {
    class Numbered extends RequestContextApi.SignedInTag<Numbered>()("Numbered", { provides: CurrentUser }) {}
    const api = HttpApi.make("shop").add(
      HttpApiGroup.make("account")
        .add(signIn.middleware(RequestContextApi.Session))
        .add(HttpApiEndpoint.get("me", "/me").addSuccess(Schema.String).middleware(Numbered))
    )
    const found: Array<UserId> = []
    const Live = HttpApiBuilder.api(api).pipe(
      Layer.provide(HttpApiBuilder.group(api, "account", (handlers) =>
        handlers
          .handle("signIn", ({ path }) => Effect.orDie(RequestContext.bind(path.user)))
          .handle("me", () => Effect.map(CurrentUser, ({ name }) => name)))),
      Layer.provide(RequestContextApi.layer(RequestContextApi.Session)),
      Layer.provide(RequestContextApi.layerSignedIn(Numbered, (id) => {
        found.push(id)
        return Effect.succeedSome({ name: `user ${id + 0}` })
      }, { subject: Account })),
      Layer.provide(countedStore({}))
    )
    const { dispose, handler } = apiWebHandler(Layer.provideMerge(Live, silent))
    const ask = (path: string, cookie = "", method = "GET") =>
      handler(new Request(`http://localhost${path}`, { method, headers: { cookie } }))
    const signedInAs = async (user: string) =>
      (await ask(`/sign-in/${user}`, "", "POST")).headers.getSetCookie()[0].split(";")[0]
    const cookie = await signedInAs("7")
    loads = 0
    const response = await ask("/me", cookie)
    expect([response.status, await response.json(), loads, found]).toEqual([200, "user 7", 1, [7]])
    expect((await ask("/me")).status).toBe(401)
    const misfit = await ask("/me", await signedInAs("seven"))
    expect([misfit.status, await misfit.json()]).toEqual([500, {
      _tag: "SessionSchemaError",
      direction: "decode",
      key: "(subject)",
      path: ""
    }])
    expect(found).toEqual([7])
    await dispose()
  })

  it("U2: a client that is derived from the api gets NotSignedIn with its type", async () => {
    const app = start(groups["added before the session's"])
    const program = Effect.gen(function*() {
      const { client } = yield* Testing.browser((request) => app.handler(request), { origin: "http://localhost" })
      const derived = yield* HttpApiClient.makeWith(HttpApi.make("shop").add(groups["added before the session's"]), {
        httpClient: HttpClient.mapRequestInput(client, HttpClientRequest.prependUrl("http://localhost"))
      })
      expect(yield* Effect.flip(derived.account.me())).toEqual(new SessionError.NotSignedIn())
      yield* client.post("http://localhost/sign-in/alan")
      expect(yield* derived.account.me()).toEqual(["alan", "alan"])
    })
    await Effect.runPromise(program)
    await app.dispose()
  })

  it("U2: in an HttpLayerRouter it shares the session, and its one load, with the global middleware", async () => {
    const api = HttpApi.make("shop").add(HttpApiGroup.make("account").add(me).middleware(SignedIn))
    const Live = HttpLayerRouter.addHttpApi(api).pipe(
      Layer.provide(
        HttpApiBuilder.group(
          api,
          "account",
          (handlers) => handlers.handle("me", () => Effect.map(CurrentUser, ({ name }) => [name]))
        )
      ),
      Layer.provide(RequestContextApi.layerSignedIn(SignedIn, find)),
      Layer.provide(UsersLive),
      Layer.merge(
        HttpLayerRouter.add(
          "POST",
          "/sign-in",
          Effect.as(Effect.orDie(RequestContext.bind("alan")), HttpServerResponse.empty())
        )
      ),
      Layer.provide(RequestContext.layerRouter),
      Layer.provide(RequestId.layerRouter),
      Layer.provideMerge(countedStore({})),
      Layer.provideMerge(silent)
    )
    const { dispose, handler } = HttpLayerRouter.toWebHandler(Live.pipe(Layer.provide(HttpServer.layerContext)), {
      disableLogger: true
    })
    const signedIn = await handler(new Request("http://localhost/sign-in", { method: "POST" }))
    const cookie = signedIn.headers.getSetCookie()[0].split(";")[0]
    loads = 0
    const response = await handler(new Request("http://localhost/me", { headers: { cookie } }))
    expect([response.status, await response.json(), loads]).toEqual([200, ["alan"], 1])
    expect((await handler(new Request("http://localhost/me"))).status).toBe(401)
    await dispose()
  })

  it("U2: the OpenAPI document has the 401, and does not call the session optional there", () => {
    for (const group of Object.values(groups)) {
      const document = OpenApi.fromApi(
        HttpApi.make("shop").add(group).annotate(OpenApi.Transform, RequestContextApi.openApiTransform)
      )
      const endpoint = document.paths["/me"].get!
      expect(Object.keys(endpoint.responses)).toEqual(expect.arrayContaining(["200", "401", "500", "502", "503"]))
      expect(endpoint.responses[401].content).toEqual({
        "application/json": { schema: { $ref: `#/components/schemas/${componentOf("NotSignedIn")}` } }
      })
      expect(endpoint.security).toEqual([{ session: [] }])
      expect(document.paths["/sign-in/{user}"].post!.security).toEqual([{ session: [] }, {}])
    }
  })
})
