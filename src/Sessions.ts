/**
 * The sessions of a subject: list them, revoke them. The server stores that can index provide all of it. With the cookie store
 * none of these functions compiles, because a sealed cookie cannot be revoked; with `SessionStore.layerCookieRevocable`, what ends all
 * sessions of a subject does, and what needs a list of them does not.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { RequestContext } from "./internal/request/contract.js"
import { type SessionInfo, SessionList, Sessions } from "./internal/store/subjectContract.js"
import type { SessionDisabled, SessionStoreError } from "./SessionError.js"

export {
  type SessionInfo,
  SessionList,
  type SessionListService,
  Sessions,
  type SessionsService
} from "./internal/store/subjectContract.js"

/**
 * The live sessions of a subject, oldest first; within a request the current one is marked.
 *
 * Fails with `SessionStoreError` when the sessions, or the current one, cannot be read.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, Sessions } from "effect-session"
 * import { DateTime, Effect, Option } from "effect"
 *
 * // "Your devices"
 * const devices = Effect.gen(function*() {
 *   const { subject } = yield* RequestContext.requireSignedIn
 *   const sessions = yield* Sessions.list(subject)
 *   return yield* HttpServerResponse.json(sessions.map((session) => ({
 *     id: session.id,
 *     device: Option.getOrElse(session.userAgent, () => "unknown"),
 *     lastSeen: DateTime.formatIso(session.lastSeenAt),
 *     current: session.current
 *   })))
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const list = (
  subject: string
): Effect.Effect<ReadonlyArray<SessionInfo>, SessionStoreError | SessionDisabled, SessionList> =>
  Effect.gen(function*() {
    const sessions = yield* SessionList
    const context = yield* Effect.serviceOption(RequestContext)
    const current = Option.isSome(context) ? yield* context.value.sessionId : Option.none<string>()
    const infos = yield* sessions.list(subject)
    return infos.map((info) => ({ ...info, current: Option.contains(current, info.id) }))
  })

/**
 * Ends one session of the subject; false when the subject has none of that id: another subject's cannot be ended by it.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, Sessions } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * // DELETE /devices/:id
 * const signOutDevice = Effect.gen(function*() {
 *   const { subject } = yield* RequestContext.requireSignedIn
 *   const { id } = yield* HttpRouter.schemaPathParams(Schema.Struct({ id: Schema.String }))
 *   const ended = yield* Sessions.revoke(subject, id)
 *   return HttpServerResponse.empty({ status: ended ? 204 : 404 })
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const revoke = (subject: string, id: string): Effect.Effect<boolean, SessionStoreError, SessionList> =>
  Effect.flatMap(SessionList, (sessions) => sessions.revoke(subject, id))

/**
 * Ends every session of the subject, the current one too; returns how many it has ended, or undefined where the store keeps no list of
 * them (`SessionStore.layerCookieRevocable`). Sign-ins that come after it are not concerned.
 *
 * @example
 * ```ts
 * import { Sessions } from "effect-session"
 * import { Effect } from "effect"
 *
 * const afterPasswordReset = (userId: string) =>
 *   Effect.zipRight(Sessions.revokeAll(userId), Effect.log("signed out everywhere"))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const revokeAll = (subject: string): Effect.Effect<number | undefined, SessionStoreError, Sessions> =>
  Effect.flatMap(Sessions, (sessions) => sessions.revokeAll(subject))

/**
 * Ends every session of the subject but the current request's ("sign out everywhere else"); returns how many it has ended, as
 * {@link revokeAll} does.
 *
 * @example
 * ```ts
 * import { RequestContext, Sessions } from "effect-session"
 * import { Effect } from "effect"
 *
 * const changePassword = Effect.gen(function*() {
 *   const { subject } = yield* RequestContext.requireFresh("5 minutes")
 *   // … the new password is stored …
 *   yield* Sessions.revokeOthers(subject)
 *   yield* RequestContext.renew
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const revokeOthers = (
  subject: string
): Effect.Effect<number | undefined, SessionStoreError | SessionDisabled, Sessions | RequestContext> =>
  Effect.gen(function*() {
    const sessions = yield* Sessions
    const current = yield* Effect.flatMap(RequestContext, (context) => context.sessionId)
    return yield* sessions.revokeAll(subject, Option.getOrUndefined(current))
  })
