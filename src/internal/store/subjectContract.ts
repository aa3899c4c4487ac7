/**
 * What an app can do with the sessions of one subject: the contract that `server/subjectSessions` implements, and
 * `cookie/revocable` in part.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { SessionStoreError } from "../../SessionError.js"

/**
 * One session of a subject, as an account page shows it.
 *
 * - `id`: names the session for `revoke`; it is a hash and signs nobody in.
 * - `lastSeenAt`: the last refresh, therefore up to `refreshAfter` of the idle time late.
 * - `userAgent`, `address`: as given to `RequestContext.bind`; the user agent defaults to the request's header.
 * - `current`: whether it is the session of the request in which it was listed.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionInfo {
  readonly id: string
  readonly subject: string
  readonly createdAt: DateTime.Utc
  readonly authenticatedAt: DateTime.Utc
  readonly lastSeenAt: DateTime.Utc
  readonly expiresAt: DateTime.Utc
  readonly userAgent: Option.Option<string>
  readonly address: Option.Option<string>
  readonly current: boolean
}

/**
 * Ends the sessions of a subject; the functions of this module call it.
 *
 * - `revokeAll`: ends all, except the session with the id `except`. It returns how many, or undefined where the store keeps
 *   no list of them (`SessionStore.layerCookieRevocable`).
 *
 * A revoked session is gone at once: its next request is anonymous, and a request that is under way writes nothing. A
 * socket or a stream that is open learns of it with its next change. With the cookie store, which asks once in each request,
 * a request that is under way may still write to its cookie, which no later request opens.
 *
 * Fails with `SessionStoreError` when the store does.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionsService {
  readonly revokeAll: (subject: string, except?: string) => Effect.Effect<number | undefined, SessionStoreError>
}

/**
 * The tag of the service. The server stores provide it beside `SessionStore`, and so does the cookie store with `Revocation`.
 *
 * @example
 * ```ts
 * import { Sessions, SessionStore } from "effect-session"
 * import { Effect } from "effect"
 *
 * // outside of a request: a job that signs a subject out
 * const job = Effect.flatMap(Sessions.Sessions, (sessions) => sessions.revokeAll("user-1"))
 *
 * const program = Effect.provide(job, SessionStore.layerMemory())
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Sessions extends Context.Tag("effect-session/Sessions")<Sessions, SessionsService>() {}

/**
 * Lists the sessions of a subject, and ends one of them; the functions of this module call it.
 *
 * - `list`: the live sessions, oldest first.
 * - `revoke`: ends one session of the subject; false when the subject has none of that id.
 *
 * Each fails with `SessionStoreError` when the store does.
 *
 * @since 1.0.0
 * @category models
 */
export interface SessionListService {
  readonly list: (subject: string) => Effect.Effect<ReadonlyArray<Omit<SessionInfo, "current">>, SessionStoreError>
  readonly revoke: (subject: string, id: string) => Effect.Effect<boolean, SessionStoreError>
}

/**
 * The tag of the list. Only the server stores provide it: they keep the sessions, and can say which there are.
 *
 * @since 1.0.0
 * @category tags
 */
export class SessionList extends Context.Tag("effect-session/SessionList")<SessionList, SessionListService>() {}
