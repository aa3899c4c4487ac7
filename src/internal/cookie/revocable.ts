/**
 * The cookie store whose sessions can be ended on the server. The session is still sealed in the browser. What is kept on the
 * server is which sessions are over: their ids until their cookies expire, and for each subject the time before which all of
 * its sign-ins are over. Each request that carries a session asks once.
 *
 * Clocks of servers differ. Where a subject's sessions are ended, the time is therefore set an hour ahead, and a sign-in that
 * comes later looks it up and begins after it. So whether a sign-in was before or after depends on no clock, as long as no
 * clock is more than an hour ahead of another one.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Owner, StoredSession } from "../../SessionBackend.js"
import type { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import { sha256 } from "../codec/sha256.js"
import { andThen, map } from "../edition/done.js"
import * as Happened from "../events/happened.js"
import * as OldId from "../events/oldId.js"
import type { Base, Empty, Found, Loaded, Save, Saved, SessionStoreService } from "../store/contract.js"
import { maxLifeMillis } from "../store/expiry.js"
import * as Limited from "../store/limited.js"
import type { Denial, RevocationService } from "../store/revocation.js"
import type { SessionsService } from "../store/subjectContract.js"
import type { SealedStore } from "./cookieStore.js"
import type { SealedOwner } from "./payload.js"

/** The clocks of servers may differ by so much. */
const toleranceMillis = 60 * 60 * 1000

/** How many renewals a logout follows: more of them within a minute are no user's. */
const maxSteps = 100

/** The form of the name of a session, which no session has: asking for it is the cheapest call. */
const nobody = ["A".repeat(22)]

const idPattern = /^[\w-]{22}$/

const nothing = Effect.succeed(undefined)

const ended: Saved = { _tag: "Ended" }
const revoked: Empty = { _tag: "Empty", reason: "Revoked", warning: undefined }

/** As JSON no two subjects have the same bytes: UTF-8 has but one form for all lone surrogates. */
const nameOf = (subject: string): string => sha256(JSON.stringify(subject))

/** Sound: whatever this store opens or seals for a subject has the time. */
const ownerOf = (owner: Owner | undefined): SealedOwner | undefined => owner as SealedOwner | undefined

/**
 * The owner after the revocations of the subject; undefined when they end the session. The one session that was spared goes
 * on as if it had begun after them, so that it may be renewed.
 */
const afterRevocations = (owner: SealedOwner, id: string | undefined, denial: Denial | undefined) =>
  denial === undefined || owner.boundAt > denial.at
    ? owner
    : id !== undefined && id === denial.survivor
    ? { ...owner, boundAt: denial.at + 1 }
    : undefined

/** A store over calls that answer in time. */
export const make = (store: SealedStore, revocation: RevocationService): SessionStoreService => {
  const { config } = store
  const limited = Limited.make(10)

  /**
   * The last instant at which any cookie of the session can open. Another request may have given it an expiry of its own in
   * the meantime, so that the idle time of the cookie at hand says nothing.
   */
  const lastInstant = (createdAt: number, now: number): number =>
    Math.min(createdAt + (config.absoluteMillis ?? Infinity), now + maxLifeMillis) + toleranceMillis

  // ── load ──

  const load = (tokens: ReadonlyArray<string>, now: number): Effect.Effect<Loaded, SessionStoreError> => {
    const { found, why } = store.open(tokens, now)
    if (found.length === 0) return Effect.succeed(why)
    const subjects = found.map(({ session }) => session.owner === undefined ? undefined : nameOf(session.owner.subject))
    const names = [...found.map(({ id }) => id), ...subjects.filter((name) => name !== undefined)]
    return map(revocation.check(names, now), (denials) => {
      let otherwise = revoked
      for (const [at, one] of found.entries()) {
        const subject = subjects[at]
        const judged = judge(one, denials.get(one.id), subject === undefined ? undefined : denials.get(subject), now)
        if (judged._tag === "Found") return judged
        if (otherwise.reason !== "Renewed") otherwise = judged
      }
      return otherwise
    })
  }

  const judge = (found: Found, ofId: Denial | undefined, ofSubject: Denial | undefined, now: number): Loaded => {
    if (ofId !== undefined) return whyDenied(found.id, ofId, now)
    const before = ownerOf(found.session.owner)
    if (before === undefined) return found
    const owner = afterRevocations(before, found.id, ofSubject)
    if (owner === undefined) return revoked
    return owner === before ? found : { ...found, session: { ...found.session, owner } }
  }

  /** A request that was on its way when the session was renewed must not begin another one. */
  const whyDenied = (id: string, { at, survivor }: Denial, now: number): Empty => {
    if (survivor === undefined || !isRecent(at, now)) return revoked
    const warning = OldId.report(store.events, id, { _tag: "Renewed", renewedAt: at, successor: survivor }, now)
    return {
      _tag: "Empty",
      reason: "Renewed",
      warning: warning === undefined ? undefined : limited("Renewed", warning, now)
    }
  }

  const isRecent = (at: number, now: number): boolean => now < at + config.renewGraceMillis

  // ── save ──

  const save = (save: Save, now: number): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const before = save.base?.session
    const replaced = save.renew && before !== undefined ? save.base : undefined
    if (save.owner === undefined && replaced === undefined) return store.save(save, now)
    const subject = save.owner?.subject ?? before?.owner?.subject
    if (subject === undefined) return replace(replaced, save, now)
    const name = nameOf(subject)
    return andThen(revocation.check([name], now), (denials) => {
      const denial = denials.get(name)
      const previous = before?.owner?.subject === subject ? ownerOf(before.owner) : undefined
      const owner = previous === undefined ? undefined : afterRevocations(previous, save.base?.id, denial)
      // It was revoked since it was loaded. A sign-in begins anew then.
      if (previous !== undefined && owner === undefined) return Effect.succeed(ended)
      const bound: SealedOwner | undefined = save.owner === undefined
        ? owner
        : { ...save.owner, boundAt: Math.max(now, (denial?.at ?? 0) + 1) }
      return replace(replaced, { ...save, owner: bound }, now)
    })
  }

  /** Sealing comes first, because a session that is too large must not lose its id. */
  const replace = (
    replaced: Base | undefined,
    save: Save,
    now: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> =>
    andThen(store.save(save, now), (saved) => {
      if (replaced?.id === undefined || saved._tag !== "Saved") return Effect.succeed(saved)
      const expiresAt = lastInstant(replaced.session?.createdAt ?? now, now)
      return map(
        revocation.deny(replaced.id, { at: now, survivor: saved.id, expiresAt }, now),
        (earlier) => earlier === undefined ? saved : ended
      )
    })

  // ── end ──

  const end = ({ id, session, token }: Base, now: number): Effect.Effect<void, SessionStoreError> => {
    if (id !== undefined && session !== undefined) return endSession(id, session, now)
    const [found] = store.open([token], now).found
    return found === undefined ? Effect.void : endSession(found.id, found.session, now)
  }

  const endSession = (
    id: string,
    { createdAt, owner }: StoredSession,
    now: number
  ): Effect.Effect<void, SessionStoreError> =>
    map(endChain(id, lastInstant(createdAt, now), now, 0), (last) => {
      if (last !== undefined) Happened.signedOut(store.events, now, { session: last, subject: owner?.subject }, "Flush")
    })

  /** Where the session was renewed a moment ago, its successor ends too. Returns the id that this has ended, if any. */
  const endChain = (
    id: string,
    expiresAt: number,
    now: number,
    step: number
  ): Effect.Effect<string | undefined, SessionStoreError> =>
    andThen(revocation.deny(id, { at: now, survivor: undefined, expiresAt }, now), (earlier) => {
      if (earlier === undefined) return Effect.succeed(id)
      if (earlier.survivor === undefined || !isRecent(earlier.at, now) || step === maxSteps) return nothing
      OldId.report(store.events, id, { _tag: "Renewed", renewedAt: earlier.at, successor: earlier.survivor }, now)
      return endChain(earlier.survivor, lastInstant(now, now), now, step + 1)
    })

  return {
    config,
    kind: store.kind,
    revocable: true,
    wellFormed: store.wellFormed,
    load,
    save,
    end,
    modify: store.modify,
    ping: Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.asVoid(revocation.check(nobody, now))),
    count: store.count,
    events: store.events,
    weigh: store.weigh,
    tooLarge: store.tooLarge
  }
}

/** The sessions of subjects: they can be ended, but nobody knows which there are. */
export const sessions = (store: SealedStore, revocation: RevocationService): SessionsService => {
  const { absoluteMillis = maxLifeMillis } = store.config
  return {
    revokeAll: (subject, except) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.map(
          revocation.denyOlder(nameOf(subject), {
            at: now + toleranceMillis,
            survivor: except !== undefined && idPattern.test(except) ? except : undefined,
            expiresAt: now + Math.min(absoluteMillis, maxLifeMillis) + toleranceMillis
          }, now),
          () => {
            Happened.revoked(store.events, now, { session: undefined, subject })
            return undefined
          }
        ))
  }
}
