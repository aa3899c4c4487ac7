/**
 * Signing in and out, over whatever store was chosen. An app that has decided for one store needs only one half of this file:
 * with a server store it calls `User.bind`, `User.requireSignedIn` and `Sessions` where it needs them.
 */
import { Context, Effect, Layer, Option } from "effect"
import { RequestContext, SessionError, SessionKey, Sessions } from "effect-session"
import { User, UserId } from "./session.js"

type In<A, E> = Effect.Effect<A, E, RequestContext.RequestContext>

/** What a server store knows of the sessions of a user: it lists them, and ends them. */
type ServerSessions = Sessions.SessionsService & Sessions.SessionListService

export class SignIn extends Context.Tag("web/SignIn")<SignIn, {
  /** Signs a user in, under a new id: an id that somebody learned before is worth nothing after it. */
  readonly bind: (id: UserId) => In<void, SessionError.WriteError | SessionError.TooManySessions>
  readonly user: In<Option.Option<UserId>, SessionError.ReadError>
  readonly requireUser: In<UserId, SessionError.ReadError | SessionError.NotSignedIn>
  /** The sessions of a user, which the server can list and end; None where the store keeps nothing on the server. */
  readonly sessions: Option.Option<ServerSessions>
}>() {}

/** A server store knows whose a session is. */
const onServer = (sessions: ServerSessions): typeof SignIn.Service => ({
  bind: (id) => Effect.provideService(User.bind(id), Sessions.Sessions, sessions),
  user: Effect.map(User.signedIn, Option.map(({ subject }) => subject)),
  requireUser: Effect.map(User.requireSignedIn, ({ subject }) => subject),
  sessions: Option.some(sessions)
})

const SignedInUser = SessionKey.make("app.user", UserId)

/** In a sealed cookie the user is a value like any other, and nobody but the browser can end the session. */
const inCookie: typeof SignIn.Service = {
  bind: (id) => Effect.zipRight(RequestContext.insert(SignedInUser, id), RequestContext.renew),
  user: RequestContext.get(SignedInUser),
  requireUser: Effect.flatMap(
    RequestContext.get(SignedInUser),
    Option.match({ onNone: () => Effect.fail(new SessionError.NotSignedIn()), onSome: (id) => Effect.succeed(id) })
  ),
  sessions: Option.none()
}

/** The store provides `Sessions` and `SessionList` or does not: that decides. */
export const SignInLive = Layer.effect(
  SignIn,
  Effect.map(
    Effect.all([Effect.serviceOption(Sessions.Sessions), Effect.serviceOption(Sessions.SessionList)]),
    ([sessions, list]) =>
      Option.isSome(sessions) && Option.isSome(list) ? onServer({ ...sessions.value, ...list.value }) : inCookie
  )
)
