/**
 * Decides when a session ends, with plain numbers (rows E1 to E5). All instants and lengths are milliseconds.
 */
import type { Expiry } from "../../SessionBackend.js"

/** The options that decide about a session's times. */
export interface Policy {
  readonly idleMillis: number
  readonly persistent: boolean
  readonly absoluteMillis: number | undefined
  readonly refreshAfter: number
  readonly renewEveryMillis?: number | undefined
}

/** Browsers keep no cookie longer than this (RFC 6265bis, 5.5: the Max-Age attribute). */
export const maxLifeMillis = 400 * 24 * 60 * 60 * 1000

/** The own expiry of one session ("remember me"). `idleMillis` undefined means the configured length. */
export interface OwnExpiry {
  readonly idleMillis: number | undefined
  readonly persistent: boolean
}

/** Only the times of a record that holds more than its times. */
export const timesOf = ({ createdAt, expiresAt, idleMillis, own, persistent, refreshedAt }: Expiry): Expiry => ({
  createdAt,
  refreshedAt,
  expiresAt,
  idleMillis,
  persistent,
  own
})

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

/** The times of a session whose token says when it was created and last refreshed. The deadline is computed anew. */
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

/** Whether the session has ended, by its own deadline or by an absolute expiry that was configured after it began. */
export const isExpired = (policy: Policy, expiry: Expiry, now: number): boolean =>
  expiry.expiresAt <= now || (policy.absoluteMillis !== undefined && expiry.createdAt + policy.absoluteMillis <= now)

/**
 * The times of a session that is used at `now`. A clock that jumped back shortens nothing: the idle time then counts from
 * the last refresh. The deadline never passes the absolute one.
 */
export const touch = (policy: Policy, expiry: Expiry, now: number): Expiry => {
  const idleMillis = expiry.own ? expiry.idleMillis : policy.idleMillis
  const persistent = expiry.own ? expiry.persistent : policy.persistent
  const refreshedAt = Math.max(now, expiry.refreshedAt)
  return make(policy, expiry.createdAt, refreshedAt, idleMillis, persistent, expiry.own)
}

/**
 * How many periods of `renewEvery` since the creation are over at an instant. The number names the id that the session should
 * have. It is kept nowhere: a session has the id of the period in which it was last refreshed, because a refresh in a later
 * period either renews the id or stays within the former one.
 */
export const renewals = ({ createdAt }: Expiry, everyMillis: number, at: number): number =>
  Math.floor((at - createdAt) / everyMillis)

/** Whether the id is of an earlier period than the instant. */
export const isRenewalDue = ({ renewEveryMillis }: Policy, expiry: Expiry, now: number): boolean =>
  renewEveryMillis !== undefined
  && renewals(expiry, renewEveryMillis, now) > renewals(expiry, renewEveryMillis, expiry.refreshedAt)

/** The times of a refresh that cannot renew the id: the last refresh then counts as one of the former period. */
const withinPeriod = (policy: Policy, before: Expiry, next: Expiry): Expiry => {
  const { renewEveryMillis } = policy
  if (renewEveryMillis === undefined || !isRenewalDue(policy, before, next.refreshedAt)) return next
  const period = renewals(before, renewEveryMillis, before.refreshedAt)
  return { ...next, refreshedAt: before.createdAt + (period + 1) * renewEveryMillis - 1 }
}

/**
 * The times after a refresh that is due, or undefined when none is due. A refresh is due when it moves the deadline, and the
 * part `refreshAfter` of the idle time has passed since the last one. (The time that passed counts, and not the time that is
 * gained: close to the absolute end there is little to gain, and all of it is needed.) It is also due when it gains that
 * much, because a longer idle time was configured after the last refresh.
 */
export const refresh = (policy: Policy, expiry: Expiry, now: number): Expiry | undefined => {
  const next = touch(policy, expiry, now)
  const gained = next.expiresAt - expiry.expiresAt
  const passed = now - expiry.refreshedAt
  return gained > 0 && Math.max(gained, passed) >= policy.refreshAfter * next.idleMillis
    ? withinPeriod(policy, expiry, next)
    : undefined
}

/**
 * The times that a write gives the stored session: those that the request asks for, else those of a refresh that is due.
 * Undefined when the stored times stay as they are.
 */
export const timesOfWrite = (
  policy: Policy,
  stored: Expiry,
  asked: Expiry | undefined,
  now: number
): Expiry | undefined => asked ?? refresh(policy, stored, now)

/** An own expiry of the length that the app asks for: at least one second (also for NaN), and at most 400 days. */
export const own = (millis: number): OwnExpiry => ({
  idleMillis: millis > 1000 ? Math.min(Math.floor(millis), maxLifeMillis) : 1000,
  persistent: true
})

/** The times of a session that gets an own expiry at `now`. The deadline never passes the absolute one. */
export const withOwn = (policy: Policy, expiry: Expiry, now: number, own: OwnExpiry): Expiry =>
  make(policy, expiry.createdAt, now, own.idleMillis ?? policy.idleMillis, own.persistent, true)

/** The Max-Age of a cookie that is set at `now`, in seconds, rounded up; undefined for a browser-session cookie. */
export const maxAge = (expiry: Expiry, now: number): number | undefined =>
  expiry.persistent ? Math.ceil(Math.min(Math.max(expiry.expiresAt - now, 0), maxLifeMillis) / 1000) : undefined
