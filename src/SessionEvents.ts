/**
 * What happens to sessions, as a stream of typed events: for an audit log, for alerts, and to tell users of a sign-in.
 *
 * An event says when something happened, to which session, and whose it is. It has a hash of the session's id, and never a
 * token, a key or a value of the session. Events belong to a store, and are published after the fact. Without a subscriber
 * nothing is computed for them.
 *
 * @since 1.0.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { fromLists } from "./internal/edition/streams.js"
import { deliver } from "./internal/events/deliver.js"
import { SessionStore } from "./internal/store/contract.js"
import * as Event from "./internal/store/event.js"

export type { Events, EvictionReason, ForeignReason, Inbox, SignOutReason } from "./internal/store/event.js"

/**
 * Something that happened to a session.
 *
 * Every event has `at` (milliseconds since the epoch), `cookie` (the name of the session's cookie, which tells two stores of an
 * app apart) and, inside of a request, `requestId`. Most have `session`, a name of the session of 43 characters, and `subject`, who
 * has signed in. On a server store `session` is the id that `RequestContext.sessionId` and `Sessions.list` show: the SHA-256 of
 * the token. On the cookie store it is a hash of that id.
 *
 * - `Created`: a session began.
 * - `SignedIn`: a subject signed in with `bind`; `previous` is the session's name before it.
 * - `Renewed`: a session has a new id, after `renew` or by `renewEvery`; `previous` is its name before it.
 * - `SignedOut`: a session was ended by `flush` (`Flush`), or because somebody else signed in (`OtherSubject`).
 * - `Revoked`: a session was ended with `Sessions.revoke` or `Sessions.revokeAll`.
 * - `Expired`: the time of a session was found to be over.
 * - `Evicted`: a session had to make room, in the memory store (`StoreFull`) or among its subject's sessions (`SubjectBound`).
 * - `Refused`: a sign-in was refused because of `subjectBound` (`TooManySessions`), or a request by `Csrf`, for its reason.
 * - `OldIdUsed`: the id `previous` was used more than 10 seconds after a renewal or a sign-in had replaced it by `session`.
 * - `Tampered`: no session was opened, and a cookie's value was not of the store's form (`Malformed`), or none of the keys opened it
 *   (`NotAuthentic`).
 * - `Foreign`: a value was authentic and still no session of this store, see {@link ForeignReason}.
 * - `TooLarge`: a change was refused because the session would have been `size` bytes, and the limit is `limit`.
 * - `CommitFailed`: a change was not saved, because the store failed in `operation` for `reason`.
 * - `Dropped`: the subscriber has missed `count` events, because it was too slow for them.
 *
 * @example
 * ```ts
 * import type { SessionEvents } from "effect-session"
 *
 * const describe = (event: SessionEvents.SessionEvent): string =>
 *   event._tag === "SignedIn" ? `${event.subject} signed in` : event._tag
 * ```
 *
 * @since 1.0.0
 * @category models
 */
export type SessionEvent = Event.SessionEvent

/**
 * The schema of {@link SessionEvent}, to send events to another process. Its encoded form is plain JSON.
 *
 * @example
 * ```ts
 * import { SessionEvents } from "effect-session"
 * import { Schema } from "effect"
 *
 * const toJson = Schema.encodeSync(Schema.parseJson(SessionEvents.SessionEvent))
 * ```
 *
 * @since 1.0.0
 * @category schemas
 */
export const SessionEvent: Schema.Schema<SessionEvent, SessionEvent> = Event.SessionEvent

/**
 * Options of a subscriber.
 *
 * - `capacity`: how many events wait for a subscriber that is slow, 1,024 by default. What happens beyond that is dropped, and
 *   the next `Dropped` says how much. Events without a subject get half of the room only, because any client can cause as
 *   many of them as it likes.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options {
  readonly capacity?: number | undefined
}

const capacityOf = ({ capacity = 1024 }: Options): number => {
  if (Number.isSafeInteger(capacity) && capacity > 0) return capacity
  throw new RangeError("capacity must be a whole number above 0")
}

/**
 * Calls the handler for each event of the store, one after another, in a fiber of its own.
 *
 * A request never waits for the handler, and never fails because of it. What the handler fails with is logged as an error, at
 * most once a minute. When the layer's scope ends, the handler has 5 seconds for the events that are left: so build what serves the
 * app on top of this layer.
 *
 * Throws a `RangeError` when the capacity is not a whole number above 0.
 *
 * @example
 * ```ts
 * import { SessionEvents, SessionStore } from "effect-session"
 * import { Effect, Layer } from "effect"
 *
 * const Audit = SessionEvents.layerHandler(({ _tag, ...facts }) => Effect.logInfo(_tag, facts))
 *
 * const SessionsLive = Layer.provideMerge(Audit, SessionStore.layerMemory())
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerHandler = <E, R>(
  handler: (event: SessionEvent) => Effect.Effect<unknown, E, R>,
  options: Options = {}
): Layer.Layer<never, never, SessionStore | Exclude<R, Scope.Scope>> => {
  const capacity = capacityOf(options)
  return Layer.scopedDiscard(
    Effect.flatMap(SessionStore, ({ events }) => Effect.suspend(() => deliver(events.subscribe(capacity), handler)))
  )
}

/**
 * The events of the store from now on, as a stream that does not end by itself.
 *
 * Throws a `RangeError` when the capacity is not a whole number above 0.
 *
 * @since 1.0.0
 * @category streams
 */
export const streamWith = (options: Options): Stream.Stream<SessionEvent, never, SessionStore> => {
  const capacity = capacityOf(options)
  return fromLists(
    Effect.flatMap(SessionStore, ({ events }) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => events.subscribe(capacity)),
          (inbox) => Effect.sync(() => inbox.close())
        ),
        (inbox) =>
          Effect.flatMap(inbox.take(capacity), (taken) => taken === undefined ? Effect.never : Effect.succeed(taken))
      ))
  )
}

/**
 * {@link streamWith} the default options.
 *
 * @example
 * ```ts
 * import { SessionEvents } from "effect-session"
 * import { Console, Stream } from "effect"
 *
 * const stolen = SessionEvents.stream.pipe(
 *   Stream.filter((event) => event._tag === "OldIdUsed"),
 *   Stream.runForEach((event) => Console.warn("an old session id is in use", event))
 * )
 * ```
 *
 * @since 1.0.0
 * @category streams
 */
export const stream: Stream.Stream<SessionEvent, never, SessionStore> = streamWith({})
