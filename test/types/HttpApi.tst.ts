import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Context, Effect, type Layer, Option, Schema } from "effect"
import {
  RequestContext,
  RequestContextApi,
  RequestId,
  SessionError,
  SessionKey,
  type SessionStore,
  Subject
} from "effect-session"
import { describe, expect, test } from "tstyche"

const Count = SessionKey.make("count", Schema.Int)

const reading = Effect.map(RequestContext.get(Count), Option.getOrElse(() => 0))

const writing = Effect.gen(function*() {
  const count = yield* reading
  yield* RequestContext.insert(Count, count + 1)
  return yield* RequestContext.modify(Count, (count) => [Option.getOrElse(count, () => 0), count] as const)
})

const withRead = HttpApi.make("api").add(
  HttpApiGroup.make("group")
    .add(HttpApiEndpoint.get("count", "/count").addSuccess(Schema.Int).addError(SessionError.ReadError))
    .middleware(RequestContextApi.Session)
)

const withWrite = HttpApi.make("api").add(
  HttpApiGroup.make("group")
    .add(HttpApiEndpoint.get("count", "/count").addSuccess(Schema.Int).addError(SessionError.WriteError))
    .middleware(RequestContextApi.Session)
)

const withId = HttpApi.make("api").add(
  HttpApiGroup.make("group").add(HttpApiEndpoint.get("id", "/id").addSuccess(Schema.String))
    .middleware(RequestContextApi.RequestId)
)

const withoutId = HttpApi.make("api").add(
  HttpApiGroup.make("group").add(HttpApiEndpoint.get("id", "/id").addSuccess(Schema.String))
)

describe("HttpApi", () => {
  test("C2: one line declares what the operations fail with", () => {
    const _read = HttpApiBuilder.group(withRead, "group", (handlers) => handlers.handle("count", () => reading))
    const _write = HttpApiBuilder.group(withWrite, "group", (handlers) => handlers.handle("count", () => writing))
    expect<Layer.Layer.Context<typeof _read>>().type.toBe<RequestContextApi.Session>()
    expect<Layer.Layer.Context<typeof _write>>().type.toBe<RequestContextApi.Session>()
    expect<Effect.Effect.Error<typeof reading>>().type.toBe<SessionError.ReadError>()
    expect<Effect.Effect.Error<typeof writing>>().type.toBe<SessionError.WriteError>()
    expect<SessionError.WriteError>().type.toBe<
      | SessionError.SessionStoreError
      | SessionError.SessionSchemaError
      | SessionError.SessionDisabled
      | SessionError.SessionTooLarge
      | SessionError.SessionClosed
      | SessionError.SessionEnded
    >()
    expect<SessionError.ReadError>().type.toBeAssignableTo<SessionError.WriteError>()
  })

  test("R5: handlers get the id from its middleware, and do not compile without it", () => {
    const _given = HttpApiBuilder.group(withId, "group", (handlers) => handlers.handle("id", () => RequestId.RequestId))
    expect<Layer.Layer.Context<typeof _given>>().type.toBe<RequestContextApi.RequestId>()
    const _missing = HttpApiBuilder.group(
      withoutId,
      "group",
      (handlers) => handlers.handle("id", () => RequestId.RequestId)
    )
    expect<Layer.Layer.Context<typeof _missing>>().type.not.toBe<never>()
    expect(RequestContextApi.layerRequestId({ trustInbound: false })).type.toBe<
      Layer.Layer<RequestContextApi.RequestId>
    >()
  })

  test("M11: a tag has at least one cookie name", () => {
    const _tag = RequestContextApi.Tag<never>()
    type Options = Parameters<typeof _tag>[1]
    expect<{ cookieName: "__Host-shop" }>().type.toBeAssignableTo<Options>()
    expect<{ cookieName: ["__Host-shop", "shop"] }>().type.toBeAssignableTo<Options>()
    expect<{ cookieName: [] }>().type.not.toBeAssignableTo<Options>()
    expect(RequestContextApi.layer(RequestContextApi.Session, { trustInbound: false })).type.toBe<
      Layer.Layer<RequestContextApi.Session, SessionError.SessionConfigError, SessionStore.SessionStore>
    >()
    withRead.annotate(OpenApi.Transform, RequestContextApi.openApiTransform)
  })

  class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}
  class Away extends Schema.TaggedError<Away>()("Away", {}) {}
  class SignedIn extends RequestContextApi.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}
  class Failing extends RequestContextApi.SignedInTag<Failing>()("Failing", { provides: CurrentUser, failure: Away }) {}
  class Users extends Context.Tag("Users")<Users, { readonly name: string }>() {}

  test("U2: handlers of its endpoints need no user and no session of their own, in either order", () => {
    const both = Effect.zip(CurrentUser, Effect.orDie(RequestContext.requireSignedIn))
    const me = HttpApiEndpoint.get("me", "/me").addSuccess(Schema.String)
    const group = HttpApiGroup.make("group")
    const before = HttpApi.make("api").add(
      group.add(me.middleware(SignedIn).middleware(RequestContextApi.Session))
    )
    const after = HttpApi.make("api").add(
      group.add(me.middleware(RequestContextApi.Session)).middleware(SignedIn)
    )
    const alone = HttpApi.make("api").add(group.add(me.middleware(SignedIn)))
    const handle = Effect.map(both, ([{ name }]) => name)
    const _before = HttpApiBuilder.group(before, "group", (handlers) => handlers.handle("me", () => handle))
    const _after = HttpApiBuilder.group(after, "group", (handlers) => handlers.handle("me", () => handle))
    const _alone = HttpApiBuilder.group(
      alone,
      "group",
      (handlers) => handlers.handle("me", () => Effect.map(CurrentUser, ({ name }) => name))
    )
    expect<Layer.Layer.Context<typeof _before>>().type.toBe<SignedIn | RequestContextApi.Session>()
    expect<Layer.Layer.Context<typeof _after>>().type.toBe<SignedIn | RequestContextApi.Session>()
    expect<Layer.Layer.Context<typeof _alone>>().type.toBe<SignedIn>()
  })

  test("U2: the look-up gives the tag's user, may use the request's services, and fails as the tag says", () => {
    const found = Effect.succeedSome({ name: "ada" })
    type Needs<R> = Layer.Layer<SignedIn, never, SessionStore.SessionStore | R>
    expect(RequestContextApi.layerSignedIn(SignedIn, () => found)).type.toBe<Needs<never>>()
    expect(RequestContextApi.layerSignedIn(SignedIn, () => Effect.asSome(Users))).type.toBe<Needs<Users>>()
    expect(
      RequestContextApi.layerSignedIn(
        SignedIn,
        () => Effect.zipRight(RequestId.RequestId, Effect.zipRight(RequestContext.RequestContext, found))
      )
    ).type.toBe<Needs<never>>()
    expect(RequestContextApi.layerSignedIn).type.not.toBeCallableWith(SignedIn, () => Effect.succeedSome({ name: 1 }))
    expect(RequestContextApi.layerSignedIn).type.not.toBeCallableWith(SignedIn, () => Effect.succeed({ name: "ada" }))
    expect(RequestContextApi.layerSignedIn).type.not.toBeCallableWith(SignedIn, () => Effect.fail(new Away()))
    expect(RequestContextApi.layerSignedIn).type.toBeCallableWith(Failing, () => Effect.fail(new Away()))
    // a middleware of another kind, whose endpoints do not declare the 401
    expect(RequestContextApi.layerSignedIn).type.not.toBeCallableWith(RequestContextApi.RequestId, () => found)
  })

  test("U4: the look-up takes the text, or what the schema of a typed subject decodes", () => {
    const UserId = Schema.NumberFromString.pipe(Schema.brand("UserId"))
    const Account = Subject.make(UserId)
    const byId = (_id: typeof UserId.Type) => Effect.succeedSome({ name: "ada" })
    expect(RequestContextApi.layerSignedIn).type.toBeCallableWith(SignedIn, byId, { subject: Account })
    expect(RequestContextApi.layerSignedIn).type.not.toBeCallableWith(SignedIn, byId)
    expect(RequestContextApi.layerSignedIn).type.not.toBeCallableWith(
      SignedIn,
      (_id: string) => Effect.succeedSome({ name: "ada" }),
      { subject: Account }
    )
  })
})
