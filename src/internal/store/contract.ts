/**
 * What the request's session asks of a store: the contract between `request/` and the two kinds of store.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Expiry, Owner, Patch, StoredSession } from "../../SessionBackend.js"
import type { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import type { Events, ForeignReason } from "./event.js"
import type { SessionConfig } from "./options.js"

/**
 * A session that a token opened.
 *
 * - `token`: what the cookie holds.
 * - `id`: what names the session without opening it: the SHA-256 of the token, or the `sid` of a sealed session.
 * - `reseal`: the token is to be replaced although nothing changed (sealed with an older key).
 * - `followed`: the request has the token of a session that was renewed by itself since. `token` is the new one, which the
 *   browser has to get.
 *
 * @since 0.1.0
 * @category models
 */
export interface Found {
  readonly _tag: "Found"
  readonly token: string
  readonly id: string
  readonly session: StoredSession
  readonly reseal: boolean
  readonly followed?: boolean | undefined
}

/**
 * Why no token opened.
 *
 * - `Absent`: there was none. `Malformed`: not of the store's form. `NotAuthentic`: of the form, sealed by nobody we know.
 * - `Unknown`, `Expired`, `Corrupt`: authentic or well-formed, but no session that lives.
 * - `Renewed`: the session lives on under another id, which a request with the old one never sees.
 * - `Revoked`: a sealed session that was ended on the server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Empty {
  readonly _tag: "Empty"
  readonly reason: "Absent" | "Malformed" | "NotAuthentic" | "Unknown" | "Expired" | "Corrupt" | "Renewed" | "Revoked"
  /** for the log: something an operator should know; never holds a token or a value */
  readonly warning: string | undefined
  /** for the events: the id of the session that has expired or cannot be read, and what is wrong with it */
  readonly id?: string | undefined
  readonly foreign?: ForeignReason | undefined
}

/**
 * What `load` found.
 *
 * @since 0.1.0
 * @category models
 */
export type Loaded = Found | Empty

/**
 * The session that a save starts from. `session` is undefined for a write to a token that was never loaded; `id` is what
 * `load` answered with it, and saves a server store to hash the token again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Base {
  readonly token: string
  readonly id?: string | undefined
  readonly session: StoredSession | undefined
}

/**
 * What a commit asks of the store.
 *
 * - `base`: undefined for a new session.
 * - `renew`: under a new id; needs a base that was loaded. `automatic` says that `renewEvery` asks for it: then the old token
 *   leads to the session for a while, and the save is a `Conflict` where another request was faster.
 * - `passive`: the request is no activity: no refresh beside the times in the patch.
 * - `ifVersion`: only when the record still has this version, else `Conflict`.
 * - `owner`: of the new record; only for a new or renewed session.
 *
 * @since 0.1.0
 * @category models
 */
export interface Save {
  readonly base: Base | undefined
  readonly patch: Patch
  readonly renew: boolean
  readonly automatic?: boolean | undefined
  readonly passive?: boolean | undefined
  readonly ifVersion: number | undefined
  readonly owner: Owner | undefined
}

/**
 * How a save went.
 *
 * - `Saved`: `session` is undefined after a write to a token that was never loaded; `moved` says that this save moved the
 *   session's times.
 * - `Missing`: the token was never loaded, and the store does not know it (any more).
 * - `Conflict`: only with `ifVersion`, and where the renewal is `automatic`.
 * - `Full`: the owner has as many sessions as the bound allows, and it refuses; nothing was written.
 * - `Ended`: the session was loaded and is gone: nothing was written, and no cookie may be sent (a removal would kill the
 *   cookie of its successor).
 *
 * @since 0.1.0
 * @category models
 */
export type Saved =
  | {
    readonly _tag: "Saved"
    readonly token: string
    readonly id: string
    readonly expiry: Expiry
    readonly moved: boolean
    readonly session: StoredSession | undefined
  }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Conflict" }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Full"; readonly limit: number }

/**
 * How a modification of a stored session went; `session` is the record as it is now. `token` is another one than was given
 * where the session was renewed by itself since.
 *
 * @since 0.1.0
 * @category models
 */
export type Modified<B> =
  | {
    readonly _tag: "Modified"
    readonly value: B
    readonly token: string
    readonly id: string
    readonly moved: boolean
    readonly session: StoredSession
  }
  | { readonly _tag: "Missing" }

/**
 * Token in, session out; changes in, token out. No HTTP.
 *
 * Every function takes the time it should use, in milliseconds, and must be called where it may act at once: a store that
 * needs no I/O may answer with an effect that is already done.
 *
 * - `config`: the resolved options of cookie and session.
 * - `kind`: `client`, everything is in the token; `server`, the token is a reference.
 * - `revocable`: whether `end` ends the session for everybody who has the token, and not only in the browser that asks.
 * - `wellFormed`: whether a cookie's value can be a token at all; decided without cipher or I/O.
 * - `load`: the request's well-formed values of the cookie, in order; the first that is known and authentic wins.
 * - `save`, `end`: see {@link Save}; ending a session that is gone is fine.
 * - `modify`: server stores: reads the record, applies `f`, writes under compare-and-set, in a first-in first-out queue of
 *   this process's callers; `f` may run again. `loaded` is the record as the caller saw it. `f` answers no patch to write
 *   nothing. `passive` is that of {@link Save}.
 * - `ping`: whether the store can be reached; one cheap call, within the store's time-out.
 * - `count`: how many sessions live; `None` where the store cannot count them.
 * - `events`: where what happens to the store's sessions is published.
 * - `weigh`, `tooLarge`: what an entry adds to the session's size, and whether a sum of them is too much for a session of
 *   this owner.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionStoreService {
  readonly config: SessionConfig
  readonly kind: "client" | "server"
  readonly revocable: boolean
  readonly wellFormed: (value: string) => boolean
  readonly load: (tokens: ReadonlyArray<string>, now: number) => Effect.Effect<Loaded, SessionStoreError>
  readonly save: (save: Save, now: number) => Effect.Effect<Saved, SessionStoreError | SessionTooLarge>
  readonly end: (base: Base, now: number) => Effect.Effect<void, SessionStoreError>
  readonly modify: <B, E, R>(
    token: string,
    loaded: StoredSession | undefined,
    f: (session: StoredSession) => Effect.Effect<readonly [value: B, patch: Option.Option<Patch>], E, R>,
    passive?: boolean
  ) => Effect.Effect<Modified<B>, E | SessionStoreError | SessionTooLarge, R>
  readonly ping: Effect.Effect<void, SessionStoreError>
  readonly count: Effect.Effect<Option.Option<number>, SessionStoreError>
  readonly events: Events
  readonly weigh: (key: string, text: string) => number
  readonly tooLarge: (weight: number, owner?: Owner) => SessionTooLarge | undefined
}

/**
 * The tag of the store; a layer of this module or of a sub-path provides it.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionStore extends Context.Tag("effect-session/SessionStore")<SessionStore, SessionStoreService>() {}
