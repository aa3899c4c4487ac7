/**
 * The calls, as server and client know them. A middleware says what the handler of a call uses.
 */
import { Rpc, RpcGroup } from "@effect/rpc"
import { Context, Schema } from "effect"
import { SessionError } from "effect-session"
import * as RequestContextRpc from "effect-session/RequestContextRpc"

/** What the handlers of a signed-in user read. */
export class CurrentUser extends Context.Tag("rpc/CurrentUser")<CurrentUser, { readonly name: string }>() {}

/** Fails with `NotSignedIn` for everybody else. */
export class SignedIn extends RequestContextRpc.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}

export class WrongPassword extends Schema.TaggedError<WrongPassword>()("WrongPassword", {}) {}

export class Rpcs extends RpcGroup.make(
  Rpc.make("signIn", { payload: { email: Schema.String, password: Schema.String }, error: WrongPassword })
    .middleware(RequestContextRpc.Session),
  Rpc.make("count", { success: Schema.Int, error: SessionError.WriteError }).middleware(RequestContextRpc.Session),
  Rpc.make("me", { success: Schema.String }).middleware(SignedIn),
  Rpc.make("signOut").middleware(RequestContextRpc.Session)
) {}
