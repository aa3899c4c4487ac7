/**
 * What the cookie store asks of a store of revocations: the contract that `memory/`, `redis/` and `sql/` implement.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { SessionStoreError } from "../../SessionError.js"

/**
 * Why sessions are over that their cookies still open. It is kept under a name: the id of one session, or the hash of a
 * subject. All times are milliseconds since the epoch.
 *
 * - `at`: under an id, when the session was ended. Under a subject, the latest time of a sign-in whose session is over.
 * - `survivor`: under an id, the id of the session that a renewal put in its place. Under a subject, the id of the one session
 *   that is spared.
 * - `expiresAt`: when it may be forgotten, because no cookie that it concerns opens any more.
 *
 * @since 1.0.0
 * @category models
 */
export interface Denial {
  readonly at: number
  readonly survivor: string | undefined
  readonly expiresAt: number
}

/**
 * Where revocations are kept. Names are 22 or 43 characters of base64url. Every function takes the time that it should use,
 * and a denial whose `expiresAt` is not after it counts as absent. No other denial may ever be dropped: with it, a session
 * that was ended would come back. What cannot be read or written fails with `SessionStoreError`.
 *
 * - `check`: the denials under these names, up to eight; names without one are left out. It is called once in each request
 *   that carries a session.
 * - `deny`: keeps the denial unless there is one under the name already, and returns that one. Of several calls at once, in
 *   all processes, one is the first.
 * - `denyOlder`: keeps the denial of a subject. Where there is one already, `at` becomes greater than it was, and `expiresAt`
 *   not less; `survivor` is replaced.
 * - `removeExpired`: removes at most `limit` expired denials and returns how many; 0 where the database does so by itself.
 *
 * @since 1.0.0
 * @category models
 */
export interface RevocationService {
  readonly check: (
    names: ReadonlyArray<string>,
    now: number
  ) => Effect.Effect<ReadonlyMap<string, Denial>, SessionStoreError>
  readonly deny: (name: string, denial: Denial, now: number) => Effect.Effect<Denial | undefined, SessionStoreError>
  readonly denyOlder: (name: string, denial: Denial, now: number) => Effect.Effect<void, SessionStoreError>
  readonly removeExpired: (now: number, limit: number) => Effect.Effect<number, SessionStoreError>
}

/**
 * The tag of the store of revocations.
 *
 * @since 1.0.0
 * @category tags
 */
export class Revocation extends Context.Tag("effect-session/Revocation")<Revocation, RevocationService>() {}

/** The denial after `denyOlder`, where there was one before. */
export const merged = (before: Denial | undefined, denial: Denial): Denial =>
  before === undefined ? denial : {
    at: Math.max(denial.at, before.at + 1),
    survivor: denial.survivor,
    expiresAt: Math.max(denial.expiresAt, before.expiresAt)
  }
