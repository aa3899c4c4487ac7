/**
 * When a session ends, decided with plain numbers (rows E1 to E5). All times are milliseconds.
 */
import type { Expiry } from "../../SessionBackend.js"

/** What the policy needs of the configuration. */
export interface Policy {
  readonly idleMillis: number
  readonly persistent: boolean
  readonly absoluteMillis: number | undefined
  readonly refreshAfter: number
}

/** Browsers keep no cookie longer (RFC 6265bis, 5.5: the Max-Age attribute). */
export const maxLifeMillis = 400 * 24 * 60 * 60 * 1000

/** An own expiry of one session ("remember me"): `idleMillis` undefined is the configured length. */
export interface OwnExpiry {
  readonly idleMillis: number | undefined
  readonly persistent: boolean
}

const deadline = (policy: Policy, createdAt: number, refreshedAt: number, idleMillis: number): number => {
  const idle = refreshedAt + idleMillis
  return policy.absoluteMillis === undefined ? idle : Math.min(idle, createdAt + policy.absoluteMillis)
}

const make = (
  policy: Policy,
  createdAt: number,
  refreshedAt: number,
  idleMillis: number,
  persistent: boolean,
  own: boolean
): Expiry => ({
  createdAt,
  refreshedAt,
  expiresAt: deadline(policy, createdAt, refreshedAt, idleMillis),
  idleMillis,
  persistent,
  own
})

/** The times of a new session. */
export const fresh = (policy: Policy, now: number, own: OwnExpiry | undefined): Expiry =>
  make(
    policy,
    now,
    now,
    own?.idleMillis ?? policy.idleMillis,
    own?.persistent ?? policy.persistent,
    own !== undefined
  )

/** The times of a session whose client says when it was created and refreshed; the deadline is computed anew. */
export const reconstruct = (
  policy: Policy,
  createdAt: number,
  refreshedAt: number,
  own: OwnExpiry | undefined
): Expiry =>
  make(
    policy,
    createdAt,
    refreshedAt,
    own?.idleMillis ?? policy.idleMillis,
    own?.persistent ?? policy.persistent,
    own !== undefined
  )

/** Ended, by its own deadline or by an absolute expiry that was configured since. */
export const isExpired = (policy: Policy, expiry: Expiry, now: number): boolean =>
  expiry.expiresAt <= now || (policy.absoluteMillis !== undefined && expiry.createdAt + policy.absoluteMillis <= now)

/**
 * The times after a touch at `now`. A clock that jumped back shortens nothing: the later of the two deadlines counts, and
 * neither passes the absolute one.
 */
export const touch = (policy: Policy, expiry: Expiry, now: number): Expiry => {
  const idleMillis = expiry.own ? expiry.idleMillis : policy.idleMillis
  const persistent = expiry.own ? expiry.persistent : policy.persistent
  const refreshedAt = Math.max(now, expiry.refreshedAt)
  return make(policy, expiry.createdAt, refreshedAt, idleMillis, persistent, expiry.own)
}

/**
 * The times after a touch, where a set part of the idle time has passed and the deadline moves; else undefined. What
 * passed counts and not what is gained: little is to be gained close to the absolute end, and all of it is needed. Or the
 * gain, where a longer idle time was configured since.
 */
export const refresh = (policy: Policy, expiry: Expiry, now: number): Expiry | undefined => {
  const next = touch(policy, expiry, now)
  const gained = next.expiresAt - expiry.expiresAt
  const passed = now - expiry.refreshedAt
  return gained > 0 && Math.max(gained, passed) >= policy.refreshAfter * next.idleMillis ? next : undefined
}

/** An own expiry of a length that somebody asked for: at least a second, at most 400 days; NaN counts as least. */
export const own = (millis: number): OwnExpiry => ({
  idleMillis: millis > 1000 ? Math.min(Math.floor(millis), maxLifeMillis) : 1000,
  persistent: true
})

/** The times with an own expiry from now on, never past the absolute expiry. */
export const withOwn = (policy: Policy, expiry: Expiry, now: number, own: OwnExpiry): Expiry =>
  make(policy, expiry.createdAt, now, own.idleMillis ?? policy.idleMillis, own.persistent, true)

/** Max-Age in seconds for a cookie set at `now`, rounded up; undefined for a browser-session cookie. */
export const maxAge = (expiry: Expiry, now: number): number | undefined =>
  expiry.persistent ? Math.ceil(Math.min(Math.max(expiry.expiresAt - now, 0), maxLifeMillis) / 1000) : undefined

/** Only the times of a record that has more. */
export const timesOf = ({ createdAt, expiresAt, idleMillis, own, persistent, refreshedAt }: Expiry): Expiry => ({
  createdAt,
  refreshedAt,
  expiresAt,
  idleMillis,
  persistent,
  own
})
