/**
 * Every server store: tokens, hashes, expiry and "ended stays ended", written once over a `SessionBackend`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type {
  Expiry,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectBound,
  SubjectIndexService
} from "../../SessionBackend.js"
import { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import * as RandomPool from "../codec/random.js"
import type { SessionConfig } from "../config/model.js"
import { withDeadline } from "../edition/deadline.js"
import { andThen, isDone, map } from "../edition/done.js"
import type { Base, Empty, Loaded, Modified, Save, Saved, SessionStoreService } from "../store/contract.js"
import * as ExpiryPolicy from "../store/expiry.js"
import { isAlone, Turns } from "../store/turns.js"
import { report } from "./reportFailure.js"
import * as Token from "./token.js"

/** How often a compare-and-set is tried before the answer is `Contention`. */
const maxTries = 100

/** A taken id among 2^256 is a broken source of randomness or a broken backend; several in a row are the latter. */
const maxIds = 4

/** One queue for all stores over one backend: within a process nobody races but the queue. */
const turnsOf = new WeakMap<SessionBackendService, Turns<SessionStoreError>>()

const getTurns = (backend: SessionBackendService): Turns<SessionStoreError> => {
  let turns = turnsOf.get(backend)
  if (turns === undefined) turnsOf.set(backend, turns = new Turns())
  return turns
}

/*
 * A call may act when it is made and not when its effect is run: a backend without I/O answers with what is done. So no
 * call is made ahead of its time here; where its effect is to run later, it is suspended.
 */

/**
 * A backend whose every call answers: what fails, dies, throws or takes longer than the time-out is a
 * `SessionStoreError`.
 */
export const guarded = (backend: SessionBackendService, millis: number): SessionBackendService => ({
  find: (id, now) => guard("find", millis, () => backend.find(id, now)),
  insert: (id, session, now) => guard("insert", millis, () => backend.insert(id, session, now)),
  update: (id, patch, now, ifVersion, base) =>
    guard("update", millis, () => backend.update(id, patch, now, ifVersion, base)),
  remove: (id, ifVersion, now) => guard("remove", millis, () => backend.remove(id, ifVersion, now)),
  removeExpired: (now, limit) => guard("removeExpired", millis, () => backend.removeExpired(now, limit))
})

/** The same for the index of a subject's sessions. */
export const guardedIndex = (index: SubjectIndexService, millis: number): SubjectIndexService => ({
  insert: (id, session, now, bound) => guard("insert", millis, () => index.insert(id, session, now, bound)),
  list: (subject, now) => guard("list", millis, () => index.list(subject, now)),
  forget: (subject, id) => guard("remove", millis, () => index.forget(subject, id))
})

const guard = <A>(
  operation: SessionStoreError["operation"],
  millis: number,
  call: () => Effect.Effect<A, SessionStoreError>
): Effect.Effect<A, SessionStoreError> => {
  let effect: Effect.Effect<A, SessionStoreError>
  try {
    effect = call()
  } catch (defect) {
    return report(SessionStoreError.of(operation, "Unavailable", defect))
  }
  if (isDone(effect)) return effect
  return Effect.catchAllCause(
    withDeadline(effect, millis, () => SessionStoreError.of(operation, "Timeout")),
    (cause) =>
      report(
        cause._tag === "Fail" && cause.error instanceof SessionStoreError
          ? cause.error
          : SessionStoreError.of(operation, "Unavailable", cause)
      )
  )
}

const idOf = ({ id, token }: Base): string => id ?? Token.idOf(token)

export const make = (
  config: SessionConfig,
  unguarded: SessionBackendService,
  unguardedIndex?: SubjectIndexService,
  bound?: SubjectBound
): SessionStoreService => {
  const backend = guarded(unguarded, config.storeTimeoutMillis)
  const index = unguardedIndex && guardedIndex(unguardedIndex, config.storeTimeoutMillis)
  const turns = getTurns(unguarded)

  const tooLarge = (size: number): SessionTooLarge | undefined =>
    size > config.maxSessionBytes ? new SessionTooLarge({ size, limit: config.maxSessionBytes }) : undefined

  // ── load ──

  const load = (tokens: ReadonlyArray<string>, now: number): Effect.Effect<Loaded, SessionStoreError> =>
    loadFrom(tokens, 0, now, absent)

  const loadFrom = (
    tokens: ReadonlyArray<string>,
    at: number,
    now: number,
    otherwise: Empty
  ): Effect.Effect<Loaded, SessionStoreError> => {
    if (at === tokens.length) return Effect.succeed(otherwise)
    const token = tokens[at]
    const id = Token.idOf(token)
    return andThen(backend.find(id, now), (found) => {
      if (Option.isNone(found)) return loadFrom(tokens, at + 1, now, unknown)
      const record = found.value
      if ("_tag" in record) {
        const removed = record.newerFormat ? Effect.void : Effect.ignore(backend.remove(id, undefined, now))
        return andThen(removed, () =>
          loadFrom(tokens, at + 1, now, {
            _tag: "Empty",
            reason: "Corrupt",
            warning: record.newerFormat
              ? `a session record was written by a later version and is left untouched: ${record.detail}`
              : `a session record could not be read and was removed: ${record.detail}`
          }))
      }
      return ExpiryPolicy.isExpired(config, record, now)
        ? loadFrom(tokens, at + 1, now, expired)
        : Effect.succeed<Loaded>({ _tag: "Found", token, id, session: record, reseal: false })
    })
  }

  // ── save ──

  const save = (
    request: Save,
    now: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const { base, patch } = request
    if (base === undefined) return create(patch, request.owner, now)
    if (request.renew && base.session !== undefined) {
      return renew(idOf(base), base.session, base.session, patch, request.owner, now, 0)
    }
    return update(base, patch, request.ifVersion, now)
  }

  const create = (
    patch: Patch,
    owner: Owner | undefined,
    now: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const error = tooLarge(Data.totalOctets(patch.set))
    if (error !== undefined) return Effect.fail(error)
    const times = patch.expiry ?? ExpiryPolicy.fresh(config, now, undefined)
    return insert({ ...pickExpiry(times), data: patch.set, owner }, now, bound)
  }

  const insert = (
    session: NewSession,
    now: number,
    limit: SubjectBound | undefined,
    tries = 0
  ): Effect.Effect<Extract<Saved, { _tag: "Saved" | "Full" }>, SessionStoreError> => {
    if (tries === maxIds) return Effect.fail(SessionStoreError.of("insert", "Unavailable", "every id is taken"))
    const token = RandomPool.token()
    const id = Token.idOf(token)
    const saved = (): Extract<Saved, { _tag: "Saved" }> => ({
      _tag: "Saved",
      token,
      id,
      expiry: session,
      moved: true,
      session: { ...session, version: 1 }
    })
    const { owner } = session
    if (owner !== undefined && index !== undefined) {
      return andThen(index.insert(id, { ...session, owner }, now, limit), (answer) =>
        answer === "Inserted"
          ? Effect.succeed(saved())
          : answer === "Full"
          ? Effect.succeed({ _tag: "Full" as const, limit: limit?.max ?? 0 })
          : insert(session, now, limit, tries + 1))
    }
    return andThen(
      backend.insert(id, session, now),
      (inserted) => inserted ? Effect.succeed(saved()) : insert(session, now, limit, tries + 1)
    )
  }

  const update = (
    base: Base,
    patch: Patch,
    ifVersion: number | undefined,
    now: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const { session, token } = base
    const id = idOf(base)
    return andThen(backend.update(id, patch, now, ifVersion, session), (updated) => {
      switch (updated._tag) {
        case "Conflict":
          return Effect.succeed<Saved>(updated)
        case "TooLarge":
          return Effect.fail(new SessionTooLarge({ size: updated.size, limit: config.maxSessionBytes }))
        case "Missing":
          return session === undefined ? createUnseen(patch, now) : Effect.succeed<Saved>({ _tag: "Ended" })
        case "Updated": {
          if (session === undefined && ExpiryPolicy.isExpired(config, updated.expiry, now)) {
            // By an absolute expiry that was configured since: nobody would ever read what was written there.
            return andThen(Effect.ignore(backend.remove(id, undefined, now)), () => createUnseen(patch, now))
          }
          const saved = (expiry: Expiry, moved: boolean): Saved => ({
            _tag: "Saved",
            token,
            id,
            expiry,
            moved,
            // Where another request wrote in between, what was loaded is not what this version has.
            session: session?.version === updated.version - 1
              ? {
                ...session,
                ...pickExpiry(expiry),
                data: Data.applyPatch(session.data, patch),
                version: updated.version
              }
              : undefined
          })
          // A write that never read, or gave way to another, does not know the times; a refresh that is due is a second step.
          const due = patch.expiry === undefined ? ExpiryPolicy.refresh(config, updated.expiry, now) : undefined
          if (due === undefined) return Effect.succeed(saved(updated.expiry, patch.expiry !== undefined))
          const refresh = backend.update(
            id,
            { ...emptyPatch, expiry: due, maxBytes: patch.maxBytes },
            now,
            updated.version
          )
          return Effect.catchAll(
            map(
              refresh,
              (refreshed) => refreshed._tag === "Updated" ? saved(refreshed.expiry, true) : saved(updated.expiry, false)
            ),
            // What was written stands: a mere refresh that failed is no failed commit (row M5).
            (error) =>
              Effect.as(
                Effect.logWarning("the session could not be refreshed", error.message),
                saved(updated.expiry, false)
              )
          )
        }
      }
    })
  }

  /** Never loaded and not there: a new session with this request's keys only, under an id of our own (row M7). */
  const createUnseen = (patch: Patch, now: number): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> =>
    patch.set.size === 0 ? Effect.succeed({ _tag: "Missing" }) : create(patch, undefined, now)

  /**
   * New record first; the old one is removed only at the version that was copied (row C10). No step needs two keys at
   * once, so that it runs on a cluster; cut off in between, it leaves a record whose token nobody was given.
   */
  const renew = (
    oldId: string,
    loaded: StoredSession,
    current: StoredSession,
    patch: Patch,
    owner: Owner | undefined,
    now: number,
    tries: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const data = Data.applyPatch(current.data, patch)
    const size = Data.totalOctets(data)
    // As in a backend: only a step that makes it larger can be too large.
    const error = size > Data.totalOctets(current.data) ? tooLarge(size) : undefined
    if (error !== undefined) return Effect.fail(error)
    const { expiry } = patch
    // Copied again, its times are what they are by then; an own expiry that this request has set stays.
    const times = expiry === undefined
      ? current
      : current === loaded || (expiry.own && !sameLength(expiry, loaded)) || !isSameSubject(current.owner, owner)
      ? expiry
      : ExpiryPolicy.touch(config, { ...current, createdAt: expiry.createdAt }, now)
    const next: NewSession = { ...pickExpiry(times), data, owner: owner ?? current.owner }
    const replaces = current.owner !== undefined && current.owner.subject === next.owner?.subject
    return andThen(insert(next, now, replaces ? undefined : bound), (saved) => {
      if (saved._tag === "Full") return Effect.succeed<Saved>(saved)
      const drop = Effect.suspend(() =>
        andThen(backend.remove(saved.id, undefined, now), () => forget(next.owner, saved.id))
      )
      return andThen(
        // Whether the old one is gone is not known when this fails: the new one must not live on beside it.
        Effect.tapError(backend.remove(oldId, current.version, now), () => Effect.ignore(drop)),
        (removed) => {
          switch (removed) {
            case "removed":
              return current.owner === undefined
                ? Effect.succeed<Saved>(saved)
                : Effect.as(forget(current.owner, oldId), saved)
            case "missing":
              return Effect.as(drop, { _tag: "Ended" } as Saved)
            case "conflict":
              if (tries === maxTries) {
                return Effect.zipRight(drop, Effect.fail(SessionStoreError.of("update", "Contention")))
              }
              return Effect.flatMap(
                Effect.zipRight(drop, backoff(tries)),
                () =>
                  andThen(backend.find(oldId, now), (found) =>
                    Option.isNone(found) || "_tag" in found.value
                      ? Effect.succeed<Saved>({ _tag: "Ended" })
                      : renew(oldId, loaded, found.value, patch, owner, now, tries + 1))
              )
          }
        }
      )
    })
  }

  const forget = (owner: Owner | undefined, id: string): Effect.Effect<void> =>
    owner === undefined || index === undefined ? Effect.void : Effect.ignore(index.forget(owner.subject, id))

  // ── end ──

  const end = (base: Base, now: number): Effect.Effect<void, SessionStoreError> => {
    const id = idOf(base)
    return andThen(backend.remove(id, undefined, now), () => forget(base.session?.owner, id))
  }

  // ── modify ──

  const modify = <B, E, R>(
    token: string,
    loaded: StoredSession | undefined,
    f: (session: StoredSession) => Effect.Effect<readonly [value: B, patch: Option.Option<Patch>], E, R>
  ): Effect.Effect<Modified<B>, E | SessionStoreError | SessionTooLarge, R> => {
    const id = Token.idOf(token)

    const attempt = (
      snapshot: StoredSession | undefined,
      confirmed: boolean,
      tries: number
    ): Effect.Effect<Modified<B>, E | SessionStoreError | SessionTooLarge, R> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (snapshot !== undefined && !ExpiryPolicy.isExpired(config, snapshot, now)) {
          return apply(snapshot, confirmed, tries, now)
        }
        return Effect.flatMap(
          backend.find(id, now),
          (found) =>
            Option.isNone(found) || "_tag" in found.value || ExpiryPolicy.isExpired(config, found.value, now)
              ? Effect.succeed<Modified<B>>({ _tag: "Missing" })
              : apply(found.value, true, tries, now)
        )
      })

    type Step = readonly [value: B, patch: Option.Option<Patch>]

    const step = (
      session: StoredSession,
      confirmed: boolean
    ): Effect.Effect<Step | undefined, E | SessionStoreError, R> => {
      const stepping = f(session)
      if (isDone(stepping)) return stepping
      const tolerant: Effect.Effect<Step | undefined, E, R> = confirmed
        ? stepping
        : Effect.orElseSucceed(stepping, () => undefined)
      // A schema that hangs must not keep everybody else of the session waiting. What it needs is in the context of the
      // fiber, which the deadline hands on.
      return withDeadline(
        tolerant as Effect.Effect<Step | undefined, E>,
        config.storeTimeoutMillis,
        () => SessionStoreError.of("update", "Timeout", "the key's schema did not answer")
      )
    }

    const apply = (
      session: StoredSession,
      confirmed: boolean,
      tries: number,
      now: number
    ): Effect.Effect<Modified<B>, E | SessionStoreError | SessionTooLarge, R> =>
      Effect.flatMap(step(session, confirmed), (stepped) => {
        // It failed, or there is nothing to write: true only of a record that was read in this turn, not of one loaded long ago.
        if (stepped === undefined) return attempt(undefined, true, tries)
        const [value, change] = stepped
        if (Option.isNone(change)) {
          return confirmed
            ? Effect.succeed<Modified<B>>({ _tag: "Modified", value, id, moved: false, session })
            : attempt(undefined, true, tries)
        }
        const patch: Patch = {
          ...change.value,
          expiry: change.value.expiry ?? ExpiryPolicy.refresh(config, session, now)
        }
        return Effect.flatMap(backend.update(id, patch, now, session.version, session), (updated) => {
          switch (updated._tag) {
            case "Updated":
              return Effect.succeed<Modified<B>>({
                _tag: "Modified",
                value,
                id,
                moved: patch.expiry !== undefined,
                session: {
                  ...session,
                  ...pickExpiry(updated.expiry),
                  data: Data.applyPatch(session.data, patch),
                  version: updated.version
                }
              })
            case "Missing":
              return Effect.succeed<Modified<B>>({ _tag: "Missing" })
            case "TooLarge":
              return Effect.fail(new SessionTooLarge({ size: updated.size, limit: config.maxSessionBytes }))
            case "Conflict":
              return tries === maxTries
                ? Effect.fail(SessionStoreError.of("update", "Contention"))
                : Effect.zipRight(backoff(tries), attempt(undefined, true, tries + 1))
          }
        })
      })

    return Effect.withFiberRuntime((fiber) =>
      isAlone(unguarded, fiber) ? attempt(loaded, false, 0) : turns.take(
        id,
        (turn) =>
          Effect.map(attempt(turn.snapshot ?? loaded, turn.snapshot !== undefined, 0), (modified) => {
            // Handed on by who has read or written it, and by nobody else: others may have changed the record since.
            turn.snapshot = modified._tag === "Modified" && modified.session !== turn.snapshot
              ? modified.session
              : undefined
            return modified
          }),
        (error) => error instanceof SessionStoreError && error.reason !== "Contention" ? error : undefined
      )
    )
  }

  return { config, kind: "server", wellFormed: Token.isToken, load, save, end, modify, weigh: Data.octets, tooLarge }
}

const absent: Empty = { _tag: "Empty", reason: "Absent", warning: undefined }
const unknown: Empty = { _tag: "Empty", reason: "Unknown", warning: undefined }
const expired: Empty = { _tag: "Empty", reason: "Expired", warning: undefined }

const emptyPatch = { clear: false, set: new Map<string, string>(), remove: new Set<string>() }

/** Both have the same own expiry, or none. */
const sameLength = (a: Expiry, b: Expiry): boolean =>
  a.own === b.own && a.idleMillis === b.idleMillis && a.persistent === b.persistent

/** Not from one subject to another; an anonymous session becomes anybody's. */
const isSameSubject = (before: Owner | undefined, after: Owner | undefined): boolean =>
  before === undefined || after === undefined || before.subject === after.subject

/** Only the times, of a record that has more. */
const pickExpiry = (times: Expiry): Expiry => ({
  createdAt: times.createdAt,
  refreshedAt: times.refreshedAt,
  expiresAt: times.expiresAt,
  idleMillis: times.idleMillis,
  persistent: times.persistent,
  own: times.own
})

/** Full jitter, from 1 ms to at most 64; the first retries are immediate, because most conflicts are over by then. */
const backoff = (tries: number): Effect.Effect<void> =>
  tries < 2
    ? Effect.yieldNow()
    : Effect.flatMap(Random.next, (random) => Effect.sleep(random * Math.min(2 ** tries, 64)))
