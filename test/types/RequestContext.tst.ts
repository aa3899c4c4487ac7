import { HttpLayerRouter, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import type { HttpApp, HttpServerRequest } from "@effect/platform"
import type { SqlClient } from "@effect/sql"
import { type ConfigError, Context, Effect, Layer, Option, Schema } from "effect"
import {
  KeyRing,
  RequestContext,
  RequestContextApi,
  RequestId,
  SessionBackend,
  SessionConfig,
  type SessionError,
  SessionKey,
  Sessions,
  SessionStore,
  Subject
} from "effect-session"
import * as RedisStore from "effect-session/SessionStore/Redis"
import * as SqlStore from "effect-session/SessionStore/Sql"
import { describe, expect, test } from "tstyche"

const Alan = SessionKey.make("alan", Schema.String)
const When = SessionKey.make("when", Schema.Date)

type Read = SessionError.SessionSchemaError | SessionError.SessionStoreError | SessionError.SessionDisabled
type Write = Read | SessionError.SessionTooLarge | SessionError.SessionClosed

const handler = Effect.map(RequestContext.get(Alan), () => HttpServerResponse.empty())
const keys = Effect.runSync(KeyRing.generate)

describe("operations", () => {
  test("C2: get, insert and remove are typed by their key", () => {
    expect(RequestContext.get(Alan)).type.toBe<
      Effect.Effect<Option.Option<string>, Read, RequestContext.RequestContext>
    >()
    expect(RequestContext.get(When)).type.toBe<
      Effect.Effect<Option.Option<Date>, Read, RequestContext.RequestContext>
    >()
    expect(RequestContext.insert(When, new Date())).type.toBe<
      Effect.Effect<void, Write, RequestContext.RequestContext>
    >()
    expect(RequestContext.insert).type.not.toBeCallableWith(When, "2026-11-23")
    expect(RequestContext.insert).type.not.toBeCallableWith(Alan, 1)
    expect(RequestContext.remove(Alan)).type.toBe<
      Effect.Effect<Option.Option<string>, Write, RequestContext.RequestContext>
    >()
  })

  test("C13: a key with a default reads as its value, and is written as any other", () => {
    const Visits = SessionKey.make("visits", Schema.Int).withDefault(() => 0)
    expect(RequestContext.get(Visits)).type.toBe<Effect.Effect<number, Read, RequestContext.RequestContext>>()
    expect(RequestContext.insert(Visits, 1)).type.toBe<Effect.Effect<void, Write, RequestContext.RequestContext>>()
    expect(RequestContext.remove(Visits)).type.toBe<
      Effect.Effect<Option.Option<number>, Write, RequestContext.RequestContext>
    >()
    const _modify = RequestContext.modify(Visits, (n) => {
      expect(n).type.toBe<number>()
      return ["done", Option.some(n + 1)] as const
    })
    const _plain = RequestContext.modify(When, (date) => {
      expect(date).type.toBe<Option.Option<Date>>()
      return [1, date] as const
    })
    expect<Effect.Effect.Success<typeof _modify>>().type.toBe<"done">()
    expect<Effect.Effect.Success<typeof _plain>>().type.toBe<1>()
  })

  test("C14: update takes what get returns, and returns the value; has needs no schema", () => {
    const Visits = SessionKey.make("visits", Schema.Int).withDefault(() => 0)
    expect(RequestContext.update(Visits, (n) => n + 1)).type.toBe<
      Effect.Effect<number, Write | SessionError.SessionEnded, RequestContext.RequestContext>
    >()
    const _plain = RequestContext.update(When, (date) => {
      expect(date).type.toBe<Option.Option<Date>>()
      return new Date()
    })
    expect<Effect.Effect.Success<typeof _plain>>().type.toBe<Date>()
    expect(RequestContext.has(When)).type.toBe<
      Effect.Effect<
        boolean,
        SessionError.SessionStoreError | SessionError.SessionDisabled,
        RequestContext.RequestContext
      >
    >()
  })

  test("C15: a struct reads as what its keys read as, and a patch takes any of that", () => {
    class Currency extends Context.Tag("Currency")<Currency, string>() {}
    const Price = Schema.transformOrFail(Schema.String, Schema.Number, {
      strict: true,
      decode: (text) => Effect.as(Currency, Number(text)),
      encode: (number) => Effect.as(Currency, String(number))
    })
    const Order = SessionKey.struct({
      alan: Alan,
      visits: SessionKey.make("visits", Schema.Int).withDefault(() => 0),
      price: SessionKey.make("price", Price)
    })
    type Order = {
      readonly alan: Option.Option<string>
      readonly visits: number
      readonly price: Option.Option<number>
    }
    expect(RequestContext.getStruct(Order)).type.toBe<
      Effect.Effect<Order, Read, Currency | RequestContext.RequestContext>
    >()
    const _patch = RequestContext.patch(Order, { visits: 1, alan: Option.some("turing"), price: undefined })
    expect<typeof _patch>().type.toBe<Effect.Effect<void, Write, Currency | RequestContext.RequestContext>>()
    type Changes = SessionKey.Struct.Patch<typeof Order.fields>
    expect<Order>().type.toBeAssignableTo<Changes>()
    expect<{ visits: Option.Option<number> }>().type.not.toBeAssignableTo<Changes>()
    expect<{ alan: string }>().type.not.toBeAssignableTo<Changes>()
    expect<{ other: 1 }>().type.not.toBeAssignableTo<Changes>()
    expect(SessionKey.struct).type.not.toBeCallableWith({ alan: Schema.String })
  })

  test("C10: bind needs Sessions, so that it does not compile with the cookie store", () => {
    const app = RequestContext.bind("ada").pipe(
      Effect.as(HttpServerResponse.empty()),
      RequestContext.middleware,
      RequestId.middleware
    )
    expect(HttpServer.serve(app).pipe(Layer.provide(SessionStore.layerMemory()))).type.toBeAssignableTo<
      Layer.Layer<never, SessionError.SessionConfigError, HttpServer.HttpServer>
    >()
    expect(HttpServer.serve(app).pipe(Layer.provide(SessionStore.layerCookie({ keys })))).type.not.toBeAssignableTo<
      Layer.Layer<never, SessionError.SessionConfigError, HttpServer.HttpServer>
    >()
    expect(Sessions.list("ada")).type.not.toBeAssignableTo<Effect.Effect<unknown, unknown>>()
  })
})

describe("who has signed in", () => {
  test("U1: requireSignedIn is not optional, and adds one error to those of a load", () => {
    expect(RequestContext.requireSignedIn).type.toBe<
      Effect.Effect<
        RequestContext.SignedIn,
        SessionError.NotSignedIn | SessionError.SessionStoreError | SessionError.SessionDisabled,
        RequestContext.RequestContext
      >
    >()
    expect<SessionError.NotSignedIn>().type.not.toBeAssignableTo<SessionError.WriteError>()
    expect<RequestContext.SignedIn["subject"]>().type.toBe<string>()
  })

  test("U4: a typed subject takes its own ids only, and returns them", () => {
    const UserId = Schema.String.pipe(Schema.brand("UserId"))
    const _OrderId = Schema.String.pipe(Schema.brand("OrderId"))
    const User = Subject.make(UserId)
    type Taken = Parameters<typeof User.bind>[0]
    expect<Taken>().type.toBe<typeof UserId.Type>()
    expect<string>().type.not.toBeAssignableTo<Taken>()
    expect<typeof _OrderId.Type>().type.not.toBeAssignableTo<Taken>()
    expect(User.bind(UserId.make("ada"))).type.toBe<
      Effect.Effect<void, Write | SessionError.TooManySessions, RequestContext.RequestContext | Sessions.Sessions>
    >()
    expect(User.signedIn).type.toBe<
      Effect.Effect<Option.Option<RequestContext.SignedIn<typeof UserId.Type>>, Read, RequestContext.RequestContext>
    >()
    expect(User.requireSignedIn).type.toBe<
      Effect.Effect<
        RequestContext.SignedIn<typeof UserId.Type>,
        Read | SessionError.NotSignedIn,
        RequestContext.RequestContext
      >
    >()
    expect(User.requireFresh("1 minute")).type.toBe<
      Effect.Effect<
        RequestContext.SignedIn<typeof UserId.Type>,
        Read | SessionError.SessionNotFresh,
        RequestContext.RequestContext
      >
    >()
    // what is stored is text
    expect(Subject.make).type.not.toBeCallableWith(Schema.Number)
    expect(Subject.make).type.toBeCallableWith(Schema.NumberFromString)
  })
})

describe("HttpApp", () => {
  type App<R> = HttpApp.Default<Read, R>

  test("R5: a handler without the middleware, or the middleware without its services, does not compile as an app", () => {
    expect(handler).type.not.toBeAssignableTo<App<SessionStore.SessionStore>>()
    expect(handler.pipe(RequestContext.middleware)).type.toBeAssignableTo<
      App<SessionStore.SessionStore | RequestId.RequestId>
    >()
    expect(handler.pipe(RequestContext.middleware)).type.not.toBeAssignableTo<App<SessionStore.SessionStore>>()
    expect(handler.pipe(RequestContext.middleware, RequestId.middleware)).type.toBeAssignableTo<
      App<SessionStore.SessionStore>
    >()
    expect(handler.pipe(RequestContext.middleware, RequestId.middleware)).type.not.toBeAssignableTo<App<never>>()
    // the other way round the id is asked for after it was given
    expect(handler.pipe(RequestId.middleware, RequestContext.middleware)).type.not.toBeAssignableTo<
      App<SessionStore.SessionStore>
    >()
  })

  test("R5: the router's pipe keeps the requirements", () => {
    const _app = HttpRouter.empty.pipe(
      HttpRouter.get("/", handler),
      RequestContext.middleware,
      RequestId.middleware
    )
    expect<Effect.Effect.Context<typeof _app>>().type.toBe<
      SessionStore.SessionStore | HttpServerRequest.HttpServerRequest
    >()
  })

  test("R5: the layers need the request, and the session's layer needs the id and the store", () => {
    expect<Layer.Layer.Context<typeof RequestContext.layer>>().type.toBe<
      HttpServerRequest.HttpServerRequest | RequestId.RequestId | SessionStore.SessionStore
    >()
    expect(RequestId.layer).type.toBe<Layer.Layer<RequestId.RequestId, never, HttpServerRequest.HttpServerRequest>>()
  })
})

describe("HttpLayerRouter", () => {
  const Route = HttpLayerRouter.add("GET", "/", Effect.orDie(handler))
  type Runs = Layer.Layer<never, SessionError.SessionConfigError, HttpServer.HttpServer>

  test("R5: serve does not compile without the middleware, the id and the store", () => {
    const store = SessionStore.layerMemory()
    const global = Route.pipe(Layer.provide(RequestContext.layerRouter), Layer.provide(RequestId.layerRouter))
    expect(HttpLayerRouter.serve(global.pipe(Layer.provide(store)))).type.toBeAssignableTo<Runs>()
    expect(HttpLayerRouter.serve(global)).type.not.toBeAssignableTo<Runs>()
    expect(HttpLayerRouter.serve(Route.pipe(Layer.provide(store)))).type.not.toBeAssignableTo<Runs>()
    expect(HttpLayerRouter.serve(Route.pipe(Layer.provide(RequestContext.layerRouter), Layer.provide(store)))).type.not
      .toBeAssignableTo<Runs>()
  })

  test("R5: the middleware of single routes does not compile without the id and the store", () => {
    const store = SessionStore.layerMemory()
    const { layer } = RequestContext.routeMiddleware.combine(RequestId.routeMiddleware)
    expect(HttpLayerRouter.serve(Route.pipe(Layer.provide(layer), Layer.provide(store)))).type.toBeAssignableTo<Runs>()
    expect(HttpLayerRouter.serve(Route.pipe(Layer.provide(layer)))).type.not.toBeAssignableTo<Runs>()
    // alone, the layer is a sentence that says what to combine
    expect<typeof RequestContext.routeMiddleware.layer>().type.toBe<
      "Need to .combine(middleware) that satisfy the missing request dependencies"
    >()
  })
})

describe("HttpApi", () => {
  test("R5: the middleware of an HttpApi needs the store, and supplies the id itself", () => {
    expect(RequestContextApi.layer(RequestContextApi.Session)).type.toBe<
      Layer.Layer<RequestContextApi.Session, SessionError.SessionConfigError, SessionStore.SessionStore>
    >()
  })
})

describe("layers of stores", () => {
  test("C10: a server store with an index provides Sessions, and the cookie store does not", () => {
    expect(SessionStore.layerMemory()).type.toBe<
      Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerCookie({ keys })).type.toBe<
      Layer.Layer<SessionStore.SessionStore, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerCookie).type.not.toBeCallableWith({})
  })

  test("F8: layerCookieConfig takes the name of a variable, and needs nothing", () => {
    expect(SessionStore.layerCookieConfig("SESSION_SECRET", { expiry: "1 hour" })).type.toBe<
      Layer.Layer<SessionStore.SessionStore, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerCookieConfig).type.not.toBeCallableWith("SESSION_SECRET", { keys })
  })

  test("F9: layerDevelopment provides what layerMemory does, and its cookie cannot be Secure", () => {
    expect(SessionStore.layerDevelopment()).type.toBe<
      Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerDevelopment).type.not.toBeCallableWith({ secure: true })
  })

  test("F2: layerConfig provides the store, and layerConfigServer provides Sessions too", () => {
    expect(SessionStore.layerConfig()).type.toBe<
      Layer.Layer<SessionStore.SessionStore, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerConfigServer()).type.toBe<
      Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerConfigServer({ server: RedisStore.layerBackend() })).type.toBe<
      Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, SessionError.SessionConfigError>
    >()
    expect(SessionStore.layerConfigServer({ server: SqlStore.layer, from: SessionConfig.fromConfig })).type.toBe<
      Layer.Layer<
        SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList,
        SessionError.SessionConfigError,
        SqlClient.SqlClient
      >
    >()
    expect(SessionStore.layerConfig({ server: SqlStore.layerBackend() })).type.toBe<
      Layer.Layer<SessionStore.SessionStore, SessionError.SessionConfigError, SqlClient.SqlClient>
    >()
  })

  test("F2: behind a configuration bind compiles only with layerConfigServer", () => {
    type Runs = Layer.Layer<never, SessionError.SessionConfigError, HttpServer.HttpServer>
    const app = RequestContext.bind("ada").pipe(
      Effect.as(HttpServerResponse.empty()),
      RequestContext.middleware,
      RequestId.middleware
    )
    expect(HttpServer.serve(app).pipe(Layer.provide(SessionStore.layerConfigServer()))).type.toBeAssignableTo<Runs>()
    expect(HttpServer.serve(app).pipe(Layer.provide(SessionStore.layerConfig()))).type.not.toBeAssignableTo<Runs>()
  })

  test("F2: layerConfigServer accepts no server without an index, and a subject's bound needs an index", () => {
    const plain = Layer.succeed(SessionBackend.SessionBackend, {} as SessionBackend.SessionBackendService)
    const cookie = () => SessionStore.layerCookie({ keys })
    expect(SessionStore.layerConfig).type.toBeCallableWith({ server: plain })
    expect(SessionStore.layerConfig).type.toBeCallableWith({ options: { commitWhen: () => true } })
    expect(SessionStore.layerConfigServer).type.not.toBeCallableWith({ server: plain })
    expect(SessionStore.layerConfigServer).type.not.toBeCallableWith({ server: cookie })
    const options = { subjectBound: { max: 5, whenFull: "refuse" as const } }
    expect(SessionStore.layerConfigServer).type.toBeCallableWith({ options })
    expect(SessionStore.layerConfigServer).type.not.toBeCallableWith({ options: { subjectBound: { max: 5 } } })
    expect(SessionStore.layerConfig).type.not.toBeCallableWith({
      options: { subjectBound: { max: 5, whenFull: "refuse" } }
    })
  })

  test("F2: every layerConfig accepts a duration from the environment", () => {
    expect(RedisStore.layerConfig({ expiry: SessionConfig.duration("SESSION_EXPIRY") })).type.toBe<
      Layer.Layer<
        SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList,
        SessionError.SessionConfigError | ConfigError.ConfigError
      >
    >()
    expect(RedisStore.layerConfig).type.toBeCallableWith({})
  })
})
