/**
 * The operations on a request's session: the contract that `requestSession` implements and the public module calls.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type {
  SessionClosed,
  SessionDisabled,
  SessionSchemaError,
  SessionStoreError,
  SessionTooLarge,
  TooManySessions
} from "../../SessionError.js"
import type { SessionKey } from "../../SessionKey.js"
import type { Sessions } from "../store/subjectContract.js"

/**
 * Errors of operations that read.
 *
 * @since 0.1.0
 * @category errors
 */
export type ReadError = SessionStoreError | SessionDisabled

/**
 * Errors of operations that write: after the response's head has left, a change that would need a cookie is
 * `SessionClosed`.
 *
 * @since 0.1.0
 * @category errors
 */
export type WriteError = SessionStoreError | SessionTooLarge | SessionClosed | SessionDisabled

/**
 * The operations on a request's session. The functions of this module with the same names call them on the current
 * request's.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestContextService {
  readonly get: <A, I, R>(
    key: SessionKey<A, I, R>
  ) => Effect.Effect<Option.Option<A>, SessionSchemaError | ReadError, R>
  readonly keys: Effect.Effect<ReadonlyArray<string>, ReadError>
  readonly insert: <A, I, R>(
    key: SessionKey<A, I, R>,
    value: A
  ) => Effect.Effect<void, SessionSchemaError | WriteError, R>
  readonly remove: <A, I, R>(
    key: SessionKey<A, I, R>
  ) => Effect.Effect<Option.Option<A>, SessionSchemaError | WriteError, R>
  readonly modify: <A, I, R, B>(
    key: SessionKey<A, I, R>,
    f: (current: Option.Option<A>) => readonly [B, Option.Option<A>]
  ) => Effect.Effect<B, SessionSchemaError | WriteError, R>
  readonly clear: Effect.Effect<void, WriteError>
  readonly flush: Effect.Effect<void, SessionStoreError | SessionClosed | SessionDisabled>
  readonly renew: Effect.Effect<void, SessionStoreError | SessionClosed | SessionDisabled>
  readonly setExpiry: (expiry: Duration.DurationInput | "browser-session") => Effect.Effect<void, WriteError>
  readonly commit: Effect.Effect<void, WriteError>
  readonly bind: (
    subject: string,
    client?: Client
  ) => Effect.Effect<void, TooManySessions | WriteError, Sessions>
  readonly signedIn: Effect.Effect<Option.Option<SignedIn>, ReadError>
  readonly sessionId: Effect.Effect<Option.Option<string>, ReadError>
}

/**
 * Where a sign-in came from, for the list of a subject's sessions. The user agent defaults to the request's header; the
 * address is only what is given here, because only the app knows which proxy it may believe.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client {
  readonly userAgent?: string | undefined
  readonly address?: string | undefined
}

/**
 * Whose session it is. `authenticatedAt` is in milliseconds since the epoch.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedIn {
  readonly subject: string
  readonly authenticatedAt: number
}

/**
 * The tag of the service; `middleware` provides it for each request.
 *
 * @since 0.1.0
 * @category tags
 */
export class RequestContext extends Context.Tag("effect-session/RequestContext")<
  RequestContext,
  RequestContextService
>() {}
