/**
 * The interface that a database adapter implements: five functions over records.
 *
 * Everything else is written once, in {@link "./SessionStore".layerBackend}, over this interface: tokens and their hashes, expiry,
 * what a request may do, and which changes are dropped without an error.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { SessionStoreError } from "./SessionError.js"

/**
 * The values of a session: key → text. The text is the JSON of the encoded value, after `v<number> ` if the key has
 * older versions. A backend treats it as opaque. Because values are text, equality is `===`, the size is known, and no object
 * is shared.
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
 * The subject that the session has belonged to since `RequestContext.bind`. The owner is set when the record is inserted and
 * never changes afterwards.
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
 * A record as `find` returns it. `version` starts at 1 and grows by one with every update.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredSession extends NewSession {
  readonly version: number
}

/**
 * A record as `list` returns it, with its owner and its times. It has no data, because a page that shows the sessions of a
 * subject needs none, and there may be thousands of sessions.
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
 * - `detail`: a text for the log. It must not contain values of the session.
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
 * The mark that a renewal leaves under the old id of the session.
 *
 * - `successor`: the text that was the `id` of the {@link Successor}, as it was.
 * - `renewedAt`: when that happened, in milliseconds as `now` is.
 *
 * @since 1.0.0
 * @category models
 */
export interface Renewed {
  readonly _tag: "Renewed"
  readonly successor: string
  readonly renewedAt: number
}

/**
 * The mark that a renewal leaves in place of the record that it removes. It is kept until `expiresAt`.
 *
 * - `id`: the id of the record that replaces the old one. After a renewal by `renewEvery` there are a dot and 43 more characters of
 *   base64url behind it. An adapter keeps the whole text and looks nothing up with it.
 *
 * @since 1.0.0
 * @category models
 */
export interface Successor {
  readonly id: string
  readonly expiresAt: number
}

/**
 * The changes of a commit. They are applied as one step, in this order: `clear`, `remove`, `set`. `remove` and `set` never name
 * the same key.
 *
 * - `expiry`: the new times. If it is absent, the times stay as they are.
 * - `maxBytes`: the largest number of bytes of UTF-8 that keys and values may have after the step. If they would have more, nothing
 *   is written. Only a step that makes the record larger can be too large. A record that is already over the limit, because the
 *   limit has been lowered, can still be refreshed, emptied and changed as long as it does not grow.
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
 * The outcome of an update. `Updated` carries the version and the times that the record has now.
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
 * - Every function takes the time that it should use as `now`, in milliseconds. A record with `expiresAt <= now` is missing,
 *   whether or not it is still stored. An adapter compares the stored time; a TTL of the database is only clean-up.
 * - A missing record is a result and never an error. An error means that the database failed. Defects count as failures.
 * - `find` returns `None` if the record is missing or has expired.
 * - `insert` returns false if the id is taken by a record that has not expired. It must not overwrite.
 * - `update` applies the patch atomically with respect to every other update from any process, and adds one to the version.
 *   It never creates a record. With `ifVersion` it applies the patch only if the record still has that version, and otherwise
 *   returns `Conflict`. `base` is the record as the caller last saw it. An adapter may use it to avoid a read, but must not
 *   base a decision on it. A backend without an atomic merge loops on its own compare-and-set.
 * - `remove` of a missing record is not an error, but returns `"missing"`, because `renew` and logout need to know who was
 *   first. Without a version, `remove` removes whatever is stored under the id, including a record that cannot be read or is
 *   of a newer format, so that a logout always works.
 * - `remove` with a `successor` leaves a mark in the record's place, in the same step. Until the mark expires, `find`,
 *   `update` and `remove` return it as `Renewed`, and `insert` finds its id taken. Only `removeExpired` may remove a mark, and
 *   only after it has expired. An adapter that ignores the successor removes the record for good; renewed sessions then
 *   forget their old ids at once.
 * - `removeExpired` removes at most `limit` expired records and returns how many it has removed. A backend whose database
 *   removes them by itself returns 0. A backend that knows which sessions it has removed calls `removed` for each of them, and
 *   for no mark, after it is gone.
 * - `count`, which is optional, returns how many sessions live. Marks are not counted, and neither are expired records where
 *   the database can leave them out cheaply.
 * - Keys of the data are compared by code units. Any text is a key, including the empty text and `__proto__`.
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
  readonly removeExpired: (
    now: number,
    limit: number,
    removed?: (id: string, subject: string | undefined) => void
  ) => Effect.Effect<number, SessionStoreError>
  /**
   * How many sessions live. Left out where the database cannot count them without reading them all.
   *
   * @since 1.0.0
   */
  readonly count?: ((now: number) => Effect.Effect<number, SessionStoreError>) | undefined
  /**
   * Whether the calling fiber holds the only connection to the database, because it is inside a transaction of the app.
   * The store never lets such a fiber wait for another fiber, which may itself be waiting for that connection. Such a
   * fiber skips the queue of its session. An adapter over a pool of connections, or without connections, leaves `isAlone` out.
   *
   * @since 1.0.0
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
 * - `whenFull`: what happens at one more sign-in. `"evict-oldest"` admits it and ends the session that was created first,
 *   however active that session is (a renewal keeps the time of creation, a sign-in sets it anew). Nobody is ever locked out,
 *   but somebody who has stolen a password can push out the owner's devices. `"refuse"` makes the sign-in fail with
 *   `TooManySessions` and ends nothing. The user has to sign out elsewhere first, and sessions whose browser was closed take
 *   up room until they expire.
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
 * - `insert` inserts a record that has an `owner`, as `SessionBackend.insert` does, and enters it in the index. Parallel
 *   sign-ins never leave more than `bound.max` live sessions of the subject: either the oldest sessions (by `createdAt`) are
 *   removed, or nothing is inserted and `insert` returns `Full`. An index calls `evicted` with the id of each session that it
 *   has removed for this, after the insert has succeeded.
 * - `list` returns the subject's live records, oldest first. The records decide, and not the index: an id whose record is
 *   missing, has expired or belongs to another subject is not listed. The index forgets an id only when its record is gone or
 *   belongs to another subject, and no insert can be in progress for it, because a record that has expired by one clock may
 *   still be live by another.
 * - A session that is renewed while the sessions are listed (a new record is inserted, then the old one is removed) is listed
 *   under one of the two ids. If the database cannot show the state of one moment, `list` looks again when a record that it
 *   expected is gone.
 * - `forget` reports that the record was removed. It does no harm if the call is lost.
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
    bound: SubjectBound | undefined,
    evicted?: (id: string) => void
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
