import { Rpc, RpcGroup } from "@effect/rpc"
import { Context, Effect, type Layer, Schema } from "effect"
import { RequestContext, Subject } from "effect-session"
import * as RequestContextRpc from "effect-session/RequestContextRpc"
import { describe, expect, test } from "tstyche"

class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}
class Away extends Schema.TaggedError<Away>()("Away", {}) {}
class Users extends Context.Tag("Users")<Users, { readonly name: string }>() {}
class SignedIn extends RequestContextRpc.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}
class Failing extends RequestContextRpc.SignedInTag<Failing>()("Failing", { provides: CurrentUser, failure: Away }) {}

describe("RPCs", () => {
  test("U3: handlers need neither the session nor the user, in either order", () => {
    const handle = Effect.map(
      Effect.zip(CurrentUser, Effect.orDie(RequestContext.requireSignedIn)),
      ([{ name }]) => name
    )
    const me = Rpc.make("me", { success: Schema.String })
    const before = RpcGroup.make(me.middleware(SignedIn).middleware(RequestContextRpc.Session))
    const after = RpcGroup.make(me.middleware(RequestContextRpc.Session).middleware(SignedIn))
    const alone = RpcGroup.make(me)
    const _before = before.toLayer({ me: () => handle })
    const _after = after.toLayer({ me: () => handle })
    const _alone = alone.toLayer({ me: () => handle })
    expect<Layer.Layer.Context<typeof _before>>().type.toBe<never>()
    expect<Layer.Layer.Context<typeof _after>>().type.toBe<never>()
    expect<Layer.Layer.Context<typeof _alone>>().type.toBe<CurrentUser | RequestContext.RequestContext>()
    expect(RequestContextRpc.layer).type.toBe<Layer.Layer<RequestContextRpc.Session>>()
  })

  test("U3: the look-up gives the tag's user, and fails as the tag says", () => {
    const found = Effect.succeedSome({ name: "ada" })
    expect(RequestContextRpc.layerSignedIn(SignedIn, () => found)).type.toBe<Layer.Layer<SignedIn>>()
    expect(RequestContextRpc.layerSignedIn(SignedIn, () => Effect.zipRight(RequestContext.RequestContext, found))).type
      .toBe<Layer.Layer<SignedIn>>()
    expect(RequestContextRpc.layerSignedIn(SignedIn, () => Effect.asSome(Users))).type.toBe<
      Layer.Layer<SignedIn, never, Users>
    >()
    expect(RequestContextRpc.layerSignedIn).type.not.toBeCallableWith(SignedIn, () => Effect.succeedSome({ name: 1 }))
    expect(RequestContextRpc.layerSignedIn).type.not.toBeCallableWith(SignedIn, () => Effect.fail(new Away()))
    expect(RequestContextRpc.layerSignedIn).type.toBeCallableWith(Failing, () => Effect.fail(new Away()))
    const byId = (_id: number) => found
    expect(RequestContextRpc.layerSignedIn).type.not.toBeCallableWith(SignedIn, byId)
    expect(RequestContextRpc.layerSignedIn).type.toBeCallableWith(SignedIn, byId, {
      subject: Subject.make(Schema.NumberFromString)
    })
  })
})
