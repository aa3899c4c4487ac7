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
import { ensure, given, supply } from "./internal/http/requestContext.js"
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
import type { Sessions } from "./internal/store/subjectContract.js"
import { RequestId } from "./RequestId.js"
import type {
  ReadError,
  SessionClosed,
  SessionDisabled,
  SessionStoreError,
  TooManySessions,
  WriteError
} from "./SessionError.js"
import { NotSignedIn, SessionNotFresh } from "./SessionError.js"
import { keysOf, presence, type SessionKey, type Struct } from "./SessionKey.js"

export { type Client, RequestContext, type RequestContextService, type SignedIn } from "./internal/request/contract.js"
export type { ReadError, WriteError } from "./SessionError.js"

// ── operations ──

/** `Effect.flatMap(RequestContext, use)` in one step of the fiber instead of three: every operation begins here. */
const withContext = <A, E, R>(
  use: (context: RequestContextService) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | RequestContext> =>
  Effect.withFiberRuntime((fiber) => use(Context.unsafeGet(fiber.currentContext, RequestContext)))

/**
 * Returns the value of a key, or `None` if the key has no value. `null` is a value. A key with a default reads as the value
 * itself, and as the default if it has none.
 *
 * The session is loaded once per request, by the first operation that needs it, and only this value is decoded. If the value
 * does not decode, `get` fails with `SessionSchemaError`, and the value stays in the session.
 *
 * It also fails with `SessionStoreError` when the session cannot be loaded, and with `SessionDisabled` when sessions are
 * disabled.
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
export const get = <A, I, R, Got>(
  key: SessionKey<A, I, R, Got>
): Effect.Effect<Got, ReadError, R | RequestContext> => withContext((context) => context.get(key))

/**
 * Returns whether a key has a value. Nothing is decoded, so that a value on which `get` would fail counts as well. A default
 * does not count, because it is not in the session, and neither does a value of a later version that reads as absent
 * (`whenNewer`).
 *
 * It fails with `SessionStoreError` when the session cannot be loaded, and with `SessionDisabled` when sessions are disabled.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Consent = SessionKey.make("consent", Schema.Date)
 *
 * const banner = Effect.map(RequestContext.has(Consent), (given) => HttpServerResponse.text(given ? "" : "May we count you?"))
 * ```
 *
 * @since 1.0.0
 * @category operations
 */
export const has = <A, I, R>(
  key: SessionKey<A, I, R, unknown>
): Effect.Effect<boolean, LoadError, RequestContext> =>
  // Sound: nothing is decoded that could fail.
  withContext((context) => context.get(presence(key)) as Effect.Effect<boolean, LoadError>)

/**
 * Returns the values of several keys as one object (`SessionKey.struct`). Each property is what {@link get} returns for its
 * key. The session is loaded once.
 *
 * It fails as {@link get} does, for the first value that does not decode.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Settings = SessionKey.struct({
 *   theme: SessionKey.make("theme", Schema.Literal("light", "dark")).withDefault(() => "light"),
 *   pageSize: SessionKey.make("pageSize", Schema.Int).withDefault(() => 20)
 * })
 *
 * const settings = Effect.flatMap(RequestContext.getStruct(Settings), ({ pageSize, theme }) =>
 *   HttpServerResponse.json({ pageSize, theme }))
 * ```
 *
 * @since 1.0.0
 * @category operations
 */
export const getStruct = <Fields extends Struct.Fields>(
  struct: Struct<Fields>
): Effect.Effect<Struct.Type<Fields>, ReadError, Struct.Context<Fields> | RequestContext> =>
  withContext((context) =>
    // Sound: each property has what its own key reads as.
    Effect.map(
      Effect.forEach(
        keysOf(struct),
        ([property, key]) => Effect.map(context.get(key), (value) => [property, value] as const)
      ),
      Object.fromEntries
    ) as Effect.Effect<Struct.Type<Fields>, ReadError, Struct.Context<Fields>>
  )

/**
 * Returns the names of the keys that have a value, in no particular order. It is for pages that show a session. It includes the
 * keys that this request has inserted, and leaves out those that it has removed.
 *
 * It fails with `SessionStoreError` when the session cannot be loaded, and with `SessionDisabled` when sessions are disabled.
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
 * The value is encoded now, and its JSON text is what is stored: changing the object afterwards changes nothing in the session.
 * The value is saved when the response is ready and its status is below 500. On a server store `insert` loads nothing, and a
 * value that another request writes under another key is kept.
 *
 * It fails with `SessionSchemaError` when the value does not encode to JSON, with `SessionTooLarge` when the session would not
 * fit its store, and with `SessionClosed` when the response's head has left and a cookie would be needed. In each case nothing
 * is changed.
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
  key: SessionKey<A, I, R, unknown>,
  value: A
): Effect.Effect<void, ChangeError, R | RequestContext> => withContext((context) => context.insert(key, value))

/**
 * Changes several keys of a `SessionKey.struct` at once. Each property takes what {@link getStruct} returns for it: `Some`, or
 * the value of a key with a default, sets the key, and `None` removes it. Properties that are absent or `undefined` stay as
 * they are.
 *
 * The patch sends only the keys that it names, and of a session that is loaded only those that are different. What other
 * requests change under other keys is kept. On a server store `patch` loads nothing. After the response's head has left, the
 * whole patch is one save.
 *
 * It fails as {@link insert} does. In each case none of the keys is changed.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Option, Schema } from "effect"
 *
 * const Checkout = SessionKey.struct({
 *   address: SessionKey.make("checkout.address", Schema.String),
 *   voucher: SessionKey.make("checkout.voucher", Schema.String),
 *   gift: SessionKey.make("checkout.gift", Schema.Boolean).withDefault(() => false)
 * })
 *
 * // the voucher is removed, and the address stays
 * const wrapIt = RequestContext.patch(Checkout, { gift: true, voucher: Option.none() })
 * ```
 *
 * @since 1.0.0
 * @category operations
 */
export const patch = <Fields extends Struct.Fields>(
  struct: Struct<Fields>,
  changes: Struct.Patch<Fields>
): Effect.Effect<void, ChangeError, Struct.Context<Fields> | RequestContext> =>
  withContext((context) => context.patch(struct, changes))

/**
 * Removes a key and returns the value that it had. A value that does not decode is removed all the same, and the call fails
 * with `SessionSchemaError`.
 *
 * It also fails with `SessionStoreError` when the session cannot be loaded. After the response's head has left, a server store
 * saves the removal at once, and the call fails as a write does. On the cookie store it then fails with `SessionClosed`.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Option, Schema } from "effect"
 *
 * const ReturnTo = SessionKey.make("returnTo", Schema.String)
 *
 * // where the user wanted to go before the sign-in; used once
 * const goOn = Effect.map(RequestContext.remove(ReturnTo), (path) =>
 *   HttpServerResponse.redirect(Option.getOrElse(path, () => "/")))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const remove = <A, I, R>(
  key: SessionKey<A, I, R, unknown>
): Effect.Effect<Option.Option<A>, ChangeError, R | RequestContext> => withContext((context) => context.remove(key))

/**
 * Computes the new value of a key from the old one, as `Ref.modify` does, and returns a result. `None` means that the key has
 * no value, before or after. For a key with a default, `f` takes the value itself.
 *
 * On a stored session of a server store, `modify` is atomic across requests and processes, and its change is saved when it
 * returns: a later 5xx does not undo it. `f` must be pure, because it may run more than once. On a new session, on a key that
 * this request has already changed, and on the cookie store, `f` is applied locally, and the result is committed with the
 * request's other changes.
 *
 * If other processes win too often, `modify` fails with a `SessionStoreError` whose reason is `Contention`. If another request
 * has ended the session in the meantime (signed it out, renewed or revoked it), nothing is changed, and `modify` fails with
 * `SessionEnded`. For `SessionTooLarge`, the size includes what is stored and what is yet to be saved; a key that this request
 * has removed takes up its room until `commit`.
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
export const modify = <A, I, R, Got, B>(
  key: SessionKey<A, I, R, Got>,
  f: (current: Got) => readonly [B, Option.Option<A>]
): Effect.Effect<B, WriteError, R | RequestContext> => withContext((context) => context.modify(key, f))

/**
 * Computes the new value of a key from what {@link get} returns for it, and returns the new value. It makes the same promises
 * as {@link modify}: on a stored session of a server store no update is lost, and `f` must be pure, because it may run more than
 * once.
 *
 * It fails as {@link modify} does.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Visits = SessionKey.make("visits", Schema.Int).withDefault(() => 0)
 *
 * const count = Effect.map(RequestContext.update(Visits, (n) => n + 1), (n) => HttpServerResponse.text(`visit ${n}`))
 * ```
 *
 * @since 1.0.0
 * @category operations
 */
export const update = <A, I, R, Got>(
  key: SessionKey<A, I, R, Got>,
  f: (current: Got) => A
): Effect.Effect<A, WriteError, R | RequestContext> =>
  modify(key, (current) => {
    const next = f(current)
    return [next, Option.some(next)]
  })

/**
 * Removes every key. The session and its id live on; to sign out, use {@link flush}.
 *
 * If there is no session, it does nothing. After the response's head has left, a server store saves the change at once. On the
 * cookie store it then fails with `SessionClosed`.
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
 * Ends the session. This is how a user signs out. A server store deletes the record at once, whatever the response's status,
 * and the browser gets a removal cookie. A later `insert` in the same request starts a new session under a new id.
 *
 * With the cookie store, the browser removes its cookie, but a copy of the sealed cookie still opens until it expires. With
 * `SessionStore.layerCookieRevocable` no copy opens any more.
 *
 * It fails with `SessionStoreError` when the store could not delete the record. The session then continues, and the user is
 * not signed out. On the cookie store without revocation it fails with `SessionClosed` after the response's head has left.
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
 * Gives the session a new id when the response is ready. Its data, its creation time and its own expiry stay. Call it whenever
 * the rights of the session change (OWASP Session Management: renew the session id after any privilege level change).
 *
 * The call only marks the session, and the commit carries out the renewal, so a response that is dropped renews nothing. If there
 * is no session, it does nothing. On a server store, other requests that still carry the old token see no session. If they had
 * loaded the session before the renewal, their changes are dropped without an error.
 *
 * It fails with `SessionStoreError` when the session cannot be loaded, and with `SessionClosed` after the response's head has
 * left.
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
 * Sets an expiry for this session alone ("remember me"), which is kept on later requests. It is either an idle time of at least
 * a second and at most 400 days, which never reaches past the absolute expiry, or `"browser-session"` for a cookie without
 * Max-Age.
 *
 * If there is no session, it does not make one. It then applies to the session that this request starts, if it starts one.
 *
 * It fails with `SessionStoreError` when the session cannot be loaded, and with `SessionClosed` after the response's head has
 * left.
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
 * Saves the changes now. It is for streams, server-sent events and WebSockets, whose head leaves before their body runs. The
 * cookie is sent with the head, whatever the response's status. After the head has left, `commit` saves nothing, because changes
 * are then saved when they are made.
 *
 * It fails with `SessionStoreError` when the store fails, and with `SessionTooLarge` when parallel requests have filled the
 * session in the meantime. In both cases the changes are still to be saved. If the session has ended in the meantime, `commit`
 * succeeds and writes nothing. If the commit of the response has already failed, `commit` fails with the same error after the
 * head has left.
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
 * Signs a subject in. From now on the session belongs to that subject, under a new id and with a new absolute expiry. It is saved
 * at once, as by {@link commit}, because the handler has to learn now whether the bound on the subject's sessions leaves room
 * (`TooManySessions`).
 *
 * The session keeps its data if it was anonymous or already belonged to the same subject. If it belonged to another subject, the
 * new session holds only what this request itself has inserted, and none of the first subject's data is handed on.
 *
 * It needs `Sessions`, which the server stores and the cookie store with revocation provide, so it does not compile with
 * `SessionStore.layerCookie`. The cookie store keeps neither the User-Agent nor the address.
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
 * Returns who has signed in and when, or `None` if nobody has.
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

/**
 * Returns who has signed in, or fails with `NotSignedIn` when nobody has. If the handler does not handle that error, the
 * response is a 401. It is for handlers that are only for users: the rest of the handler has a subject, and no `Option`.
 *
 * It also fails with `SessionStoreError` when the session cannot be loaded, and with `SessionDisabled` when sessions are
 * disabled.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext } from "effect-session"
 * import { Effect } from "effect"
 *
 * const account = HttpRouter.get(
 *   "/account",
 *   Effect.gen(function*() {
 *     const { subject } = yield* RequestContext.requireSignedIn // unhandled, a 401
 *     return HttpServerResponse.text(`the account of ${subject}`)
 *   })
 * )
 * ```
 *
 * @since 1.0.0
 * @category sign-in
 */
export const requireSignedIn: Effect.Effect<SignedIn, NotSignedIn | LoadError, RequestContext> = Effect.flatMap(
  signedIn,
  Option.match({ onNone: () => Effect.fail(new NotSignedIn()), onSome: (who) => Effect.succeed(who) })
)

/** How far the clocks of two servers may differ. A sign-in on one of them may seem to lie in the future on the other. */
const clockSkewMillis = 10_000

/** A sign-in that lies in the future shows that the clock went back, and does not show how long ago the sign-in was. */
const isWithin = (age: number, millis: number): boolean => age >= -clockSkewMillis && age <= millis

/**
 * Returns who has signed in, and fails with `SessionNotFresh` unless that was at most `within` ago. Use it before actions that
 * nobody should be able to take in a session that was left open (ASVS 7.5: re-authentication before sensitive changes). A sign-in
 * that lies more than 10 seconds in the future, because the clock went back, is not fresh either.
 *
 * @example
 * ```ts
 * import { RequestContext, Sessions } from "effect-session"
 * import { Effect } from "effect"
 *
 * const deleteAccount = Effect.gen(function*() {
 *   const { subject } = yield* RequestContext.requireFresh("5 minutes") // unhandled, a 403
 *   yield* Sessions.revokeAll(subject)
 *   yield* RequestContext.flush // removes the cookie of this browser, too
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
 * Returns the id of the stored session, the same as in the list of a subject's sessions, or `None` if there is no session.
 * Nobody can sign in with this id.
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
 * The middleware for an `HttpApp`. In the pipe it comes before `RequestId.middleware`, which wraps it.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, RequestId, SessionKey } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Alan = SessionKey.make("alan", Schema.String)
 *
 * const remember = Effect.as(RequestContext.insert(Alan, "turing"), HttpServerResponse.text("turing"))
 *
 * // needs a SessionStore
 * const app = remember.pipe(
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
 * The session of the current request as a layer. It can be built only within a request, because it needs the
 * `HttpServerRequest`. Inside the middleware it provides the middleware's session.
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

/**
 * For `HttpLayerRouter`. The store, and `Sessions` and `SessionList` if the store has them, come from the layer, and the id
 * comes from the request.
 */
const fromStore = Effect.map(
  given,
  (given) =>
  (
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, HttpLayerRouter.unhandled, RequestContext>
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    HttpLayerRouter.unhandled,
    HttpServerRequest.HttpServerRequest | RequestId
  > => supply(app, given)
)

/**
 * Middleware for single routes of an `HttpLayerRouter`:
 * `RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer`. Its own `.layer` does not compile, because the
 * middleware needs the request's id.
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
 * The global middleware of an `HttpLayerRouter`. It covers every route, and also the 404s of the router. Provide it first, and
 * `RequestId.layerRouter` after it.
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

/** @internal For `HttpApi`, whose middleware may not require any service. `RequestContextApi` takes care of the id. */
export const beginApi = (
  store: SessionStoreService
): Effect.Effect<RequestContextService, never, HttpServerRequest.HttpServerRequest> =>
  ensure(store, RequestFiber.append)
