/**
 * The operations on a request's session: the contract that `requestSession` implements and the public module calls.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type {
  ReadError,
  SessionClosed,
  SessionDisabled,
  SessionEnded,
  SessionSchemaError,
  SessionStoreError,
  TooManySessions,
  WriteError
} from "../../SessionError.js"
import type { SessionKey, Struct } from "../../SessionKey.js"
import type { Sessions } from "../store/subjectContract.js"

/** The session could not be loaded, or sessions are disabled. */
export type LoadError = Exclude<ReadError, SessionSchemaError>

/** Only `modify` has an answer that means something for a session that has ended; every other change ends quietly. */
export type ChangeError = Exclude<WriteError, SessionEnded>

/** A change that has no value of a key to encode. */
export type SaveError = Exclude<ChangeError, SessionSchemaError>

/**
 * The operations on a request's session. The functions of this module with the same names call them on the current
 * request's.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestContextService {
  readonly get: <A, I, R, Got>(
    key: SessionKey<A, I, R, Got>
  ) => Effect.Effect<Got, ReadError, R>
  readonly keys: Effect.Effect<ReadonlyArray<string>, LoadError>
  readonly insert: <A, I, R>(
    key: SessionKey<A, I, R, unknown>,
    value: A
  ) => Effect.Effect<void, ChangeError, R>
  readonly patch: <Fields extends Struct.Fields>(
    struct: Struct<Fields>,
    changes: Struct.Patch<Fields>
  ) => Effect.Effect<void, ChangeError, Struct.Context<Fields>>
  readonly remove: <A, I, R>(
    key: SessionKey<A, I, R, unknown>
  ) => Effect.Effect<Option.Option<A>, ChangeError, R>
  readonly modify: <A, I, R, Got, B>(
    key: SessionKey<A, I, R, Got>,
    f: (current: Got) => readonly [B, Option.Option<A>]
  ) => Effect.Effect<B, WriteError, R>
  readonly clear: Effect.Effect<void, SaveError>
  readonly flush: Effect.Effect<void, SessionStoreError | SessionClosed | SessionDisabled>
  readonly renew: Effect.Effect<void, SessionStoreError | SessionClosed | SessionDisabled>
  readonly setExpiry: (expiry: Duration.DurationInput | "browser-session") => Effect.Effect<void, SaveError>
  readonly commit: Effect.Effect<void, SaveError>
  readonly bind: (
    subject: string,
    client?: Client
  ) => Effect.Effect<void, TooManySessions | SaveError, Sessions>
  readonly signedIn: Effect.Effect<Option.Option<SignedIn>, LoadError>
  readonly sessionId: Effect.Effect<Option.Option<string>, LoadError>
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
 * Whose session it is. `authenticatedAt` is in milliseconds since the epoch. The subject is a text, or what `Subject.make`
 * decodes from it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedIn<Subject = string> {
  readonly subject: Subject
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
