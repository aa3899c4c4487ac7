/**
 * What a database adapter writes: five functions over records.
 *
 * Everything else — tokens and their hashes, expiry, what a request may do, what ends quietly — is written once, in
 * {@link "./SessionStore".layerBackend}, over this interface.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { SessionStoreError } from "./SessionError.js"

/**
 * The values of a session: key → text. The text is the JSON of the encoded value, behind `v<number> ` where the key has
 * older versions; a backend treats it as opaque. Texts make equality `===`, the size known, and nothing aliases.
 *
 * @since 0.1.0
 * @category models
 */
export type Data = ReadonlyMap<string, string>

/**
 * The times of a record, in milliseconds since the epoch unless they are lengths.
 *
 * - `createdAt`: what the absolute expiry counts from.
 * - `refreshedAt`: when the idle time last started anew.
 * - `expiresAt`: the instant from which the record is missing.
 * - `idleMillis`: the idle time in force, a length.
 * - `persistent`: whether the cookie outlives the browser (Max-Age), or not (a browser-session cookie).
 * - `own`: whether `idleMillis` and `persistent` were set for this session (`setExpiry`) and win over the configuration.
 *
 * @since 0.1.0
 * @category models
 */
export interface Expiry {
  readonly createdAt: number
  readonly refreshedAt: number
  readonly expiresAt: number
  readonly idleMillis: number
  readonly persistent: boolean
  readonly own: boolean
}

/**
 * Whose session it is, since `RequestContext.bind`. Given when the record is inserted, and never changed afterwards.
 *
 * - `authenticatedAt`: milliseconds since the epoch.
 *
 * @since 0.1.0
 * @category models
 */
export interface Owner {
  readonly subject: string
  readonly authenticatedAt: number
  readonly userAgent: string | undefined
  readonly address: string | undefined
}

/**
 * A record as it is given to `insert`.
 *
 * @since 0.1.0
 * @category models
 */
export interface NewSession extends Expiry {
  readonly data: Data
  readonly owner: Owner | undefined
}

/**
 * A record as `find` gives it. `version` starts at 1 and grows by one with every update.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredSession extends NewSession {
  readonly version: number
}

/**
 * A record as `list` gives it: whose session it is, and its times. Its data is not asked for: a page that shows the
 * sessions of a subject needs none of it, and there may be thousands.
 *
 * @since 0.2.0
 * @category models
 */
export type ListedSession = Omit<StoredSession, "data">

/**
 * A record that cannot be read.
 *
 * - `newerFormat`: it was written by a later version of this library or adapter. It is left alone; any other corrupt
 *   record is removed by the store.
 * - `detail`: for the log; must not hold values of the session.
 *
 * @since 0.1.0
 * @category models
 */
export interface Corrupt {
  readonly _tag: "Corrupt"
  readonly newerFormat: boolean
  readonly detail: string
}

/**
 * What is left under the id of a session that was renewed: where the session went, and when. In the milliseconds of `now`.
 *
 * - `successor`: the id of the record that took its place.
 * - `renewedAt`: when that was.
 *
 * @since 0.3.0
 * @category models
 */
export interface Renewed {
  readonly _tag: "Renewed"
  readonly successor: string
  readonly renewedAt: number
}

/**
 * What a renewal leaves in the place of the record that it removes; until `expiresAt`.
 *
 * @since 0.3.0
 * @category models
 */
export interface Successor {
  readonly id: string
  readonly expiresAt: number
}

/**
 * What a commit changes, applied as one step: first `clear`, then `remove`, then `set`; the three name no key twice.
 *
 * - `expiry`: the new times; absent, the times stay.
 * - `maxBytes`: the most octets of UTF-8 that keys and values may have after the step; beyond it nothing is written. Only a
 *   step that makes the record larger can be too large: one that is over the limit already (it was lowered since) is
 *   refreshed, emptied and changed as ever, as long as it does not grow.
 *
 * @since 0.1.0
 * @category models
 */
export interface Patch {
  readonly clear: boolean
  readonly set: Data
  readonly remove: ReadonlySet<string>
  readonly expiry: Expiry | undefined
  readonly maxBytes: number
}

/**
 * How an update went. `Updated` carries the version and the times that the record has now.
 *
 * @since 0.1.0
 * @category models
 */
export type Updated =
  | { readonly _tag: "Updated"; readonly version: number; readonly expiry: Expiry }
  | { readonly _tag: "Conflict" }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "TooLarge"; readonly size: number }
  | Renewed

/**
 * The contract of an adapter.
 *
 * - Ids are 43 characters of base64url: the SHA-256 of a token. The token itself never reaches a backend.
 * - Every function takes the time it should use, `now`, in milliseconds. A record with `expiresAt <= now` is missing,
 *   whether or not it is still there: an adapter compares the stored time, a TTL of the database is only clean-up.
 * - A missing record is an answer, never an error; an error means that the database failed. Defects count as failures.
 * - `find`: none when missing or expired.
 * - `insert`: false when the id is taken (by a record that is not expired). Must not overwrite.
 * - `update`: applies the patch atomically, against every other update from any process, and adds one to the version.
 *   Never creates. With `ifVersion` it applies only when the record still has that version, else `Conflict`. `base` is
 *   the record as the caller last saw it: an adapter may use it to save a read, never to decide. A backend without an
 *   atomic merge loops on its own compare-and-set.
 * - `remove`: removing a missing record is not an error, but it is told: `renew` and logout need to know who was first.
 *   Without a version it removes whatever is under the id, a record that cannot be read or is of a newer format too:
 *   logout always works.
 * - `remove` with a `successor` leaves a mark in the record's place, in the same step, which `find`, `update` and `remove`
 *   answer with `Renewed` until it expires. Nothing changes or removes the mark before that but `removeExpired`, and
 *   `insert` finds its id taken. An adapter that ignores the successor removes the record for good: its renewed sessions
 *   then forget their old ids at once.
 * - `removeExpired`: removes at most `limit` expired records and answers how many; a backend whose database does that by
 *   itself answers 0.
 * - Keys of the data are compared by code units; any text is a key, the empty one and `__proto__` too.
 *
 * `SessionStoreContract.suite` runs this contract against an adapter.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionBackendService {
  readonly find: (
    id: string,
    now: number
  ) => Effect.Effect<Option.Option<StoredSession | Corrupt | Renewed>, SessionStoreError>
  readonly insert: (id: string, session: NewSession, now: number) => Effect.Effect<boolean, SessionStoreError>
  readonly update: (
    id: string,
    patch: Patch,
    now: number,
    ifVersion?: number,
    base?: StoredSession
  ) => Effect.Effect<Updated, SessionStoreError>
  readonly remove: (
    id: string,
    ifVersion: number | undefined,
    now: number,
    successor?: Successor
  ) => Effect.Effect<"removed" | "conflict" | "missing" | Renewed, SessionStoreError>
  readonly removeExpired: (now: number, limit: number) => Effect.Effect<number, SessionStoreError>
  /**
   * Whether the calling fiber holds the only connection to the database, because it is inside a transaction of the app.
   * The store never lets such a fiber wait for another one, which may be waiting for that connection: it passes the queue
   * of its session. An adapter over a pool of connections, or over none, leaves it out.
   *
   * @since 0.3.0
   */
  readonly isAlone?: Effect.Effect<boolean> | undefined
}

/**
 * The tag under which an adapter provides itself.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionBackend extends Context.Tag("effect-session/SessionBackend")<
  SessionBackend,
  SessionBackendService
>() {}

/**
 * How many sessions a subject may have, and what happens to one more.
 *
 * - `max`: the most live sessions of one subject, at least 1. What has expired or was ended does not count, and neither
 *   does a sign-in that replaces a session of the same subject (`bind` again in the same browser).
 * - `whenFull`: what one sign-in more does. `"evict-oldest"` lets it in and ends the session that was created first (a
 *   renewal keeps that time, a sign-in starts it anew), however active it is: nobody is ever locked out, and who has stolen
 *   a password pushes the owner's devices out. `"refuse"` lets it fail with `TooManySessions` and ends nothing: the user has
 *   to sign out elsewhere first, and sessions whose browser was closed take up room until they expire.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 *
 * const SessionsLive = SessionStore.layerMemory({ subjectBound: { max: 5, whenFull: "evict-oldest" } })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface SubjectBound {
  readonly max: number
  readonly whenFull: "evict-oldest" | "refuse"
}

/**
 * The index of a subject's sessions: an optional second service of an adapter.
 *
 * - `insert`: inserts a record that has an `owner` as `SessionBackend.insert` does, and enters it in the index, so that
 *   parallel sign-ins never leave more than `bound.max` live sessions of the subject: the oldest (by `createdAt`) are
 *   removed, or nothing is inserted and the answer is `Full`.
 * - `list`: the subject's live records, oldest first. The records decide, not the index: an id whose record is missing,
 *   expired or of another subject is not listed. An id is forgotten only once its record is gone, or is another's, and no
 *   insert can be under way for it: what has expired by one clock may live by another.
 * - A session that is renewed while it is listed (a new record is inserted, then the old one is removed) is listed under
 *   one of both ids. Where the database gives no view of one moment, `list` looks again when a record that it expected is
 *   gone.
 * - `forget`: the record was removed; may be lost without harm.
 * - An insert that is cut off between its two writes must not leave a record that `list` does not know.
 *
 * @since 0.1.0
 * @category models
 */
export interface SubjectIndexService {
  readonly insert: (
    id: string,
    session: NewSession & { readonly owner: Owner },
    now: number,
    bound: SubjectBound | undefined
  ) => Effect.Effect<"Inserted" | "Taken" | "Full", SessionStoreError>
  readonly list: (
    subject: string,
    now: number
  ) => Effect.Effect<ReadonlyArray<{ readonly id: string; readonly session: ListedSession }>, SessionStoreError>
  readonly forget: (subject: string, id: string) => Effect.Effect<void, SessionStoreError>
}

/**
 * The tag under which an adapter provides the index of a subject's sessions.
 *
 * @since 0.1.0
 * @category tags
 */
export class SubjectIndex extends Context.Tag("effect-session/SubjectIndex")<SubjectIndex, SubjectIndexService>() {}
