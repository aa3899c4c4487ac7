/**
 * An API for notes, as a description: the server implements it, the client is derived from it, and so is the OpenAPI document.
 */
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Context, Schema } from "effect"
import { RequestContextApi, SessionError } from "effect-session"

export class User extends Schema.Class<User>("User")({ email: Schema.String, name: Schema.String }) {}

/** What the handlers of a signed-in user read. */
export class CurrentUser extends Context.Tag("http-api/CurrentUser")<CurrentUser, User>() {}

/** Turns everybody else away with a 401. */
export class SignedIn extends RequestContextApi.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}

export class WrongPassword extends Schema.TaggedError<WrongPassword>()(
  "WrongPassword",
  {},
  HttpApiSchema.annotations({ status: 401, description: "The address or the password is wrong." })
) {}

const account = HttpApiGroup.make("account")
  .add(
    HttpApiEndpoint.post("signIn", "/sign-in")
      .setPayload(Schema.Struct({ email: Schema.String, password: Schema.String }))
      .addSuccess(User)
      .addError(WrongPassword)
      .addError(SessionError.TooManySessions)
      .addError(SessionError.WriteError)
  )
  .add(HttpApiEndpoint.get("me", "/me").addSuccess(User).middleware(SignedIn))
  .add(HttpApiEndpoint.post("signOut", "/sign-out").addError(SessionError.WriteError))
  .add(
    HttpApiEndpoint.post("signOutEverywhere", "/sign-out-everywhere")
      .addSuccess(Schema.Int)
      .addError(SessionError.WriteError)
      .middleware(SignedIn)
  )
  .middleware(RequestContextApi.Csrf)
  .middleware(RequestContextApi.Session)

const notes = HttpApiGroup.make("notes")
  .add(HttpApiEndpoint.get("list", "/notes").addSuccess(Schema.Array(Schema.String)).addError(SessionError.ReadError))
  .add(
    HttpApiEndpoint.post("add", "/notes")
      .setPayload(Schema.Struct({ text: Schema.NonEmptyString.pipe(Schema.maxLength(200)) }))
      .addSuccess(Schema.Array(Schema.String))
      .addError(SessionError.WriteError)
  )
  .middleware(SignedIn)
  .middleware(RequestContextApi.Csrf)
  .middleware(RequestContextApi.Session)

export const api = HttpApi.make("notes").add(account).add(notes).annotate(
  OpenApi.Transform,
  RequestContextApi.openApiTransform
)
