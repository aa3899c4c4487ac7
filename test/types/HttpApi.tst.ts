import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Effect, type Layer, Option, Schema } from "effect"
import {
  RequestContext,
  RequestContextApi,
  RequestId,
  SessionError,
  SessionKey,
  type SessionStore
} from "effect-session"
import { describe, expect, test } from "tstyche"

const Count = SessionKey.make("count", Schema.Int)

const endpoint = HttpApiEndpoint.get("count", "/count").addSuccess(Schema.Int)

const reading = Effect.map(RequestContext.get(Count), Option.getOrElse(() => 0))

const writing = Effect.gen(function*() {
  const count = yield* reading
  yield* RequestContext.insert(Count, count + 1)
  return yield* RequestContext.modify(Count, (count) => [Option.getOrElse(count, () => 0), count] as const)
})

const withRead = HttpApi.make("api").add(
  HttpApiGroup.make("group").add(endpoint.addError(SessionError.ReadError)).middleware(RequestContextApi.Session)
)

const withWrite = HttpApi.make("api").add(
  HttpApiGroup.make("group").add(endpoint.addError(SessionError.WriteError)).middleware(RequestContextApi.Session)
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
    expect<Layer.Layer.Context<typeof _missing>>().type.toBe<RequestId.RequestId>()
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
})
