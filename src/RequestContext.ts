/**
 * The session of the current request: a service for handlers, and the middleware that provides it.
 *
 * Nothing is read before a handler asks for something, and nothing is written before the response is ready, except where
 * an operation says so.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ensure, supply } from "./internal/http/requestContext.js"
import * as RequestFiber from "./internal/http/requestFiber.js"
import { unshared } from "./internal/http/routeMiddleware.js"
import {
  type ChangeError,
  type Client,
  type LoadError,
  RequestContext,
  type RequestContextService,
  type SaveError,
  type SignedIn
} from "./internal/request/contract.js"
import { SessionStore, type SessionStoreService } from "./internal/store/contract.js"
import { Sessions } from "./internal/store/subjectContract.js"
import { RequestId } from "./RequestId.js"
import type {
  ReadError,
  SessionClosed,
  SessionDisabled,
  SessionStoreError,
  TooManySessions,
  WriteError
} from "./SessionError.js"
import { SessionNotFresh } from "./SessionError.js"
import type { SessionKey } from "./SessionKey.js"

export { type Client, RequestContext, type RequestContextService, type SignedIn } from "./internal/request/contract.js"
export type { ReadError, WriteError } from "./SessionError.js"

// ── operations ──

/** `Effect.flatMap(RequestContext, use)` in one step of the fiber instead of three: every operation begins here. */
const withContext = <A, E, R>(
  use: (context: RequestContextService) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | RequestContext> =>
  Effect.withFiberRuntime((fiber) => use(Context.unsafeGet(fiber.currentContext, RequestContext)))

/**
 * The value under a key: `None` when there is none (`null` is a value).
 *
 * The session is loaded once a request, on the first operation that needs it; nothing is decoded but this value. A value
 * that does not decode is a `SessionSchemaError`, and stays.
 *
 * Fails besides with `SessionStoreError` when the session cannot be loaded, and with `SessionDisabled`.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Option, Schema } from "effect"
 *
 * const Theme = SessionKey.make("theme", Schema.Literal("light", "dark"))
 *
 * const handler = Effect.gen(function*() {
 *   const theme = yield* RequestContext.get(Theme)
 *   return HttpServerResponse.text(Option.getOrElse(theme, () => "light"))
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const get = <A, I, R>(
  key: SessionKey<A, I, R>
): Effect.Effect<Option.Option<A>, ReadError, R | RequestContext> => withContext((context) => context.get(key))

/**
 * The names of the keys that have a value, for pages that show a session; in no particular order. What this request has
 * inserted and removed counts.
 *
 * Fails with `SessionStoreError` when the session cannot be loaded.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * // every value as JSON
 * const dump = Effect.gen(function*() {
 *   const names = yield* RequestContext.keys
 *   return yield* Effect.forEach(names, (name) => RequestContext.get(SessionKey.make(name, Schema.Unknown)))
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const keys: Effect.Effect<ReadonlyArray<string>, LoadError, RequestContext> = withContext(
  (context) => context.keys
)

/**
 * Sets the value under a key.
 *
 * The value is encoded now, and its JSON text counts: changing the object afterwards changes nothing. Saved when the
 * response is ready and its status is below 500. On a server store this loads nothing, and a value that another request
 * writes under another key is kept.
 *
 * Fails with `SessionSchemaError` when the value does not encode to JSON, `SessionTooLarge` when the session would not
 * fit its store, `SessionClosed` when the response's head has left and a cookie would be needed; nothing is changed then.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Schema } from "effect"
 *
 * const Cart = SessionKey.make("cart", Schema.Array(Schema.Struct({ sku: Schema.String, quantity: Schema.Int })))
 *
 * const program = RequestContext.insert(Cart, [{ sku: "tea", quantity: 2 }])
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const insert = <A, I, R>(
  key: SessionKey<A, I, R>,
  value: A
): Effect.Effect<void, ChangeError, R | RequestContext> => withContext((context) => context.insert(key, value))

/**
 * Removes a key and answers the value it had. A value that does not decode is removed all the same, and reported as
 * `SessionSchemaError`.
 *
 * Fails besides with `SessionStoreError` when the session cannot be loaded. After the response's head it is saved at once
 * on a server store, and fails as a write does; on the cookie store it is `SessionClosed` then.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Option, Schema } from "effect"
 *
 * const Flash = SessionKey.make("flash", Schema.String)
 *
 * // shown once
 * const flash = Effect.map(RequestContext.remove(Flash), (message) =>
 *   HttpServerResponse.text(Option.getOrElse(message, () => "")))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const remove = <A, I, R>(
  key: SessionKey<A, I, R>
): Effect.Effect<Option.Option<A>, ChangeError, R | RequestContext> => withContext((context) => context.remove(key))

/**
 * Like `Ref.modify`, over `Option`: `None` is "no value", before and after.
 *
 * On a stored session of a server store it is atomic across requests and processes, and done when it returns: a later 5xx
 * does not undo it. `f` must be pure, because it may run again. On a new session, on a key that this request has already
 * changed, and on the cookie store it is applied locally and committed with the rest. Unhandled contention is a
 * `SessionStoreError` with reason `Contention`. Where another request has ended the session in the meantime (signed out,
 * renewed, revoked), nothing is changed and it fails with `SessionEnded`. `SessionTooLarge` counts what is stored and what is yet to be saved; what
 * this request has removed takes its room until `commit`.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Option, Schema } from "effect"
 *
 * const Count = SessionKey.make("count", Schema.Int)
 *
 * const increment = RequestContext.modify(Count, (count) => {
 *   const next = Option.getOrElse(count, () => 0) + 1
 *   return [next, Option.some(next)]
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const modify = <A, I, R, B>(
  key: SessionKey<A, I, R>,
  f: (current: Option.Option<A>) => readonly [B, Option.Option<A>]
): Effect.Effect<B, WriteError, R | RequestContext> => withContext((context) => context.modify(key, f))

/**
 * Removes every key; the session and its id live on. To sign out use {@link flush}.
 *
 * On an absent session it does nothing. After the response's head it is saved at once on a server store; on the cookie
 * store it is `SessionClosed` then.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Language = SessionKey.make("language", Schema.String)
 *
 * // all but the language is forgotten
 * const startOver = Effect.zipRight(RequestContext.clear, RequestContext.insert(Language, "en"))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const clear: Effect.Effect<void, SaveError, RequestContext> = withContext(
  (context) => context.clear
)

/**
 * Ends the session: signing out. A server store deletes the record at once, whatever the response's status; the browser
 * gets a removal cookie. A later `insert` in the same request starts a new session under a new id.
 *
 * With the cookie store the browser is told to forget, and a copy of the sealed cookie still opens until it expires.
 *
 * Fails with `SessionStoreError` when the store could not delete the record: the session stands then, and the user is not
 * signed out. On the cookie store it is `SessionClosed` after the response's head.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext } from "effect-session"
 * import { Effect } from "effect"
 *
 * const signOut = Effect.as(RequestContext.flush, HttpServerResponse.redirect("/"))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const flush: Effect.Effect<void, SessionStoreError | SessionClosed | SessionDisabled, RequestContext> =
  withContext((context) => context.flush)

/**
 * Gives the session a new id, when the response is ready; its data, creation time and own expiry stay. Call it whenever
 * the rights of the session change (OWASP Session Management: renew the session id after any privilege level change).
 *
 * It marks, and the commit carries it out: a response that is dropped renews nothing. On an absent session it does nothing.
 * Other requests that still come with the old token are nobody's: those that had loaded the session end quietly.
 *
 * Fails with `SessionStoreError` when the session cannot be loaded, and with `SessionClosed` after the response's head.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Role = SessionKey.make("role", Schema.Literal("customer", "clerk"))
 *
 * const promote = Effect.zipRight(RequestContext.insert(Role, "clerk"), RequestContext.renew)
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const renew: Effect.Effect<void, SessionStoreError | SessionClosed | SessionDisabled, RequestContext> =
  withContext((context) => context.renew)

/**
 * An expiry of this session alone ("remember me"), kept on later requests: its idle time, at least a second and at most
 * 400 days and never past the absolute expiry; or `"browser-session"` for a cookie without Max-Age.
 *
 * On an absent session it makes none; it counts for the one that this request starts.
 *
 * Fails with `SessionStoreError` when the session cannot be loaded, and with `SessionClosed` after the response's head.
 *
 * @example
 * ```ts
 * import { RequestContext } from "effect-session"
 *
 * const rememberMe = RequestContext.setExpiry("30 days")
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const setExpiry = (
  expiry: Duration.DurationInput | "browser-session"
): Effect.Effect<void, SaveError, RequestContext> => withContext((context) => context.setExpiry(expiry))

/**
 * Saves now, for streams, server-sent events and WebSockets, whose head leaves before their body runs. The cookie goes out
 * with the head, whatever its status. After the head it does nothing: changes are then saved when they are made.
 *
 * Fails with `SessionStoreError` when the store did, and with `SessionTooLarge` when parallel requests have filled the
 * session meanwhile; the changes are still to be saved then. A session that was ended meanwhile is no failure: nothing is
 * written. After the head it fails with what the response's own commit failed with.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema, Stream } from "effect"
 *
 * const Progress = SessionKey.make("progress", Schema.Int)
 *
 * const download = Effect.gen(function*() {
 *   yield* RequestContext.insert(Progress, 0)
 *   yield* RequestContext.commit // the cookie goes out with the head
 *   const context = yield* Effect.context<RequestContext.RequestContext>()
 *   const parts = Stream.range(1, 3).pipe(
 *     Stream.tap((part) => RequestContext.insert(Progress, part)), // saved at once
 *     Stream.map((part) => `part ${part}\n`),
 *     Stream.encodeText,
 *     Stream.provideContext(context)
 *   )
 *   return HttpServerResponse.stream(parts)
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const commit: Effect.Effect<void, SaveError, RequestContext> = withContext(
  (context) => context.commit
)

/**
 * Signs in: the session is the subject's from now on, under a new id, with a new absolute expiry. Saved at once, as by
 * {@link commit}, because a bound on the subject's sessions has to answer now (`TooManySessions`).
 *
 * What an anonymous session holds comes along, and what the session of the same subject does. Bound to another subject a
 * session starts empty: nothing of the first subject is handed on, only what this request itself has inserted.
 *
 * Needs `Sessions`, which only server stores provide: with the cookie store it does not compile.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext } from "effect-session"
 * import { Effect } from "effect"
 *
 * declare const checkPassword: Effect.Effect<{ readonly userId: string }>
 *
 * const signIn = Effect.gen(function*() {
 *   const { userId } = yield* checkPassword
 *   yield* RequestContext.bind(userId)
 *   return HttpServerResponse.empty()
 * }).pipe(
 *   Effect.catchTag("TooManySessions", ({ limit }) => HttpServerResponse.text(`at most ${limit} devices`, { status: 409 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category sign-in
 */
export const bind = (
  subject: string,
  client?: Client
): Effect.Effect<void, TooManySessions | SaveError, RequestContext | Sessions> =>
  withContext((context) => context.bind(subject, client))

/**
 * Whose session it is: none when nobody has signed in.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext } from "effect-session"
 * import { Effect, Option } from "effect"
 *
 * const whoAmI = Effect.map(RequestContext.signedIn, Option.match({
 *   onNone: () => HttpServerResponse.empty({ status: 401 }),
 *   onSome: ({ subject }) => HttpServerResponse.text(subject)
 * }))
 * ```
 *
 * @since 0.1.0
 * @category sign-in
 */
export const signedIn: Effect.Effect<Option.Option<SignedIn>, LoadError, RequestContext> = withContext(
  (context) => context.signedIn
)

/** By how much two servers' clocks may differ: a sign-in on one of them has just happened on the other. */
const clockSkewMillis = 10_000

/** A sign-in from the future says that the clock went back, and not how long ago it was. */
const isWithin = (age: number, millis: number): boolean => age >= -clockSkewMillis && age <= millis

/**
 * Fails with `SessionNotFresh` unless the subject signed in at most `within` ago: for what must not rest on a session that
 * was left open (ASVS 7.5: re-authentication before sensitive changes). A sign-in that lies more than 10 seconds in the
 * future, because the clock went back, is not fresh either.
 *
 * @example
 * ```ts
 * import { RequestContext, Sessions } from "effect-session"
 * import { Effect } from "effect"
 *
 * const deleteAccount = Effect.gen(function*() {
 *   const { subject } = yield* RequestContext.requireFresh("5 minutes") // unhandled, a 403
 *   yield* Sessions.revokeAll(subject)
 * })
 * ```
 *
 * @since 0.1.0
 * @category sign-in
 */
export const requireFresh = (
  within: Duration.DurationInput
): Effect.Effect<SignedIn, SessionNotFresh | LoadError, RequestContext> =>
  Effect.flatMap(
    Effect.zip(signedIn, Clock.currentTimeMillis),
    ([who, now]) =>
      Option.isSome(who) && isWithin(now - who.value.authenticatedAt, Duration.toMillis(within))
        ? Effect.succeed(who.value)
        : Effect.fail(new SessionNotFresh())
  )

/**
 * What names the stored session, as in the list of a subject's sessions; it signs nobody in. None on an absent session.
 *
 * @example
 * ```ts
 * import { RequestContext } from "effect-session"
 * import { Effect, Option } from "effect"
 *
 * // for support: names the session in logs, and opens nothing
 * const logSession = Effect.flatMap(RequestContext.sessionId, Option.match({
 *   onNone: () => Effect.log("no session yet"),
 *   onSome: (id) => Effect.log("session", id)
 * }))
 * ```
 *
 * @since 0.1.0
 * @category sign-in
 */
export const sessionId: Effect.Effect<Option.Option<string>, LoadError, RequestContext> = withContext(
  (context) => context.sessionId
)

/**
 * Middleware for an `HttpApp`; in the pipe it comes before `RequestId.middleware`, which is outside of it.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, RequestId, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Alan = SessionKey.make("alan", Schema.String)
 *
 * // HttpApp that needs a SessionStore
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.post("/session", Effect.as(RequestContext.insert(Alan, "turing"), HttpServerResponse.text("turing"))),
 *   RequestContext.middleware,
 *   RequestId.middleware
 * )
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const middleware = <E, R>(
  app: HttpApp.Default<E, R>
): HttpApp.Default<E, Exclude<R, RequestContext> | RequestId | SessionStore> => supply(app, undefined)

/**
 * The session of the current request as a layer; within a request only (it needs the `HttpServerRequest`). Inside of
 * the middleware it is the middleware's.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  RequestContext,
  never,
  HttpServerRequest.HttpServerRequest | RequestId | SessionStore
> = Layer.effect(
  RequestContext,
  Effect.flatMap(Effect.zipLeft(SessionStore, RequestId), (store) => ensure(store, RequestFiber.share))
)

/** For `HttpLayerRouter`: the store, and `Sessions` where it has them, are the layer's; the id is the request's. */
const fromStore = Effect.map(
  Effect.zip(SessionStore, Effect.serviceOption(Sessions)),
  ([store, sessions]) =>
  (
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, HttpLayerRouter.unhandled, RequestContext>
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    HttpLayerRouter.unhandled,
    HttpServerRequest.HttpServerRequest | RequestId
  > => supply(app, { store, sessions: Option.getOrUndefined(sessions) })
)

/**
 * Middleware for single routes of an `HttpLayerRouter`:
 * `RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer`. Its own `.layer` is no layer, because it needs
 * the request's id.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, RequestId, SessionKey } from "effect-session"
 * import { Effect, Layer, Option, Schema } from "effect"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const Me = HttpLayerRouter.add(
 *   "GET",
 *   "/me",
 *   Effect.map(RequestContext.get(User), (user) => HttpServerResponse.text(Option.getOrElse(user, () => "nobody")))
 * )
 *
 * // Layer that needs a SessionStore; routes without it have no session
 * const MeLive = Layer.provide(Me, RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer)
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const routeMiddleware: HttpLayerRouter.Middleware<{
  provides: RequestContext
  handles: never
  error: never
  requires: RequestId
  layerError: never
  layerRequires: SessionStore
}> = unshared(HttpLayerRouter.middleware<{ provides: RequestContext }>()(fromStore))

/**
 * The global middleware of an `HttpLayerRouter`: every route, and its 404s. Provide it first, and `RequestId.layerRouter`
 * after it.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"
 * import { Effect, Layer, Option, Schema } from "effect"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const Me = HttpLayerRouter.add(
 *   "GET",
 *   "/me",
 *   Effect.map(RequestContext.get(User), (user) => HttpServerResponse.text(Option.getOrElse(user, () => "nobody")))
 * )
 *
 * const AppLive = Me.pipe(
 *   Layer.provide(RequestContext.layerRouter),
 *   Layer.provide(RequestId.layerRouter),
 *   Layer.provide(SessionStore.layerMemory())
 * )
 *
 * const { dispose, handler } = HttpLayerRouter.toWebHandler(AppLive)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRouter = HttpLayerRouter.middleware<{ provides: RequestContext }>()(fromStore, { global: true })

/** @internal for `HttpApi`, whose middleware may require nothing: `RequestContextApi` sees to the id */
export const beginApi = (
  store: SessionStoreService
): Effect.Effect<RequestContextService, never, HttpServerRequest.HttpServerRequest> =>
  ensure(store, RequestFiber.append)
