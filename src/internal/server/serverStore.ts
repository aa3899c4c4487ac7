/**
 * The store of every server session: tokens, hashes, expiry and "an ended session stays ended", written once over a
 * `SessionBackend`. Renewing is in `renew.ts`, modifying in `modify.ts`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  Expiry,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectBound,
  SubjectIndexService,
  Updated
} from "../../SessionBackend.js"
import { type SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { andThen, map } from "../edition/done.js"
import * as Happened from "../events/happened.js"
import { Hub } from "../events/hub.js"
import type { Base, Empty, Found, Loaded, Save, Saved, SessionStoreService } from "../store/contract.js"
import type { Events } from "../store/event.js"
import * as ExpiryPolicy from "../store/expiry.js"
import * as Limited from "../store/limited.js"
import type { SessionConfig } from "../store/options.js"
import * as Count from "./count.js"
import * as Modify from "./modify.js"
import * as Moved from "./moved.js"
import { ownerSize } from "./ownerSize.js"
import * as Records from "./records.js"
import * as Renew from "./renew.js"
import * as Successor from "./successor.js"
import * as Token from "./token.js"

const absent: Empty = { _tag: "Empty", reason: "Absent", warning: undefined }
const unknown: Empty = { _tag: "Empty", reason: "Unknown", warning: undefined }
const expired = (id: string): Empty => ({ _tag: "Empty", reason: "Expired", warning: undefined, id })
const renewed = (warning: string | undefined): Empty => ({ _tag: "Empty", reason: "Renewed", warning })
const corrupt = (warning: string | undefined, id: string, foreign: "Version" | "Damaged"): Empty => ({
  _tag: "Empty",
  reason: "Corrupt",
  warning,
  id,
  foreign
})

const ended: Saved = { _tag: "Ended" }

/** A well-formed id that no token has: looking it up is the cheapest call of every backend. */
const nobody = "A".repeat(43)

const nothing = { clear: false, set: new Map<string, string>(), remove: new Set<string>() }

/** A mark is kept for an hour at most, and a period of `renewEvery` has a minute at least. */
const maxSteps = 100

/** A session as a write left it. */
const written = (before: StoredSession, patch: Patch, times: Expiry, version: number): StoredSession => ({
  createdAt: times.createdAt,
  refreshedAt: times.refreshedAt,
  expiresAt: times.expiresAt,
  idleMillis: times.idleMillis,
  persistent: times.persistent,
  own: times.own,
  data: Data.applyPatch(before.data, patch),
  owner: before.owner,
  version
})

const idOf = ({ id, token }: Pick<Base, "id" | "token">): string => id ?? Token.idOf(token)

/** A store over a backend and an index that answer in time: see `guard.ts`. */
export const make = (
  config: SessionConfig,
  backend: SessionBackendService,
  index?: SubjectIndexService,
  bound?: SubjectBound,
  events: Events = new Hub(config.name)
): SessionStoreService => {
  const records = Records.make(backend, index, events)
  const limited = Limited.make(10)

  const tooLarge = (size: number): SessionTooLarge | undefined =>
    size > config.maxSessionBytes ? new SessionTooLarge({ size, limit: config.maxSessionBytes }) : undefined

  const renew = Renew.make(config, backend, records, bound, tooLarge, events)

  // ── load ──

  /**
   * Tries the tokens in order; `otherwise` is why the one before did not open. A session that was renewed is the reason that
   * counts: the request must not start another one.
   */
  const load = (
    tokens: ReadonlyArray<string>,
    now: number,
    at = 0,
    otherwise = absent
  ): Effect.Effect<Loaded, SessionStoreError> => {
    if (at === tokens.length) return Effect.succeed(otherwise)
    const next = (empty: Empty) => load(tokens, now, at + 1, otherwise.reason === "Renewed" ? otherwise : empty)
    const token = tokens[at]
    const id = Token.idOf(token)
    return andThen(backend.find(id, now), (found) => {
      if (Option.isNone(found)) return next(unknown)
      const record = found.value
      if ("_tag" in record && record._tag === "Renewed") {
        const text = Moved.report(events, id, record, now)
        const warning = text === undefined ? undefined : limited("Renewed", text, now)
        const gone = () => next(renewed(warning))
        const { id: nextId, token: successor } = Successor.read(record.successor, token)
        if (successor === undefined) return gone()
        const followed = andThen(
          follow(successor, nextId, now, 1),
          (found) => found === undefined ? gone() : Effect.succeed(found)
        )
        return warning === undefined ? followed : Effect.zipRight(Effect.logWarning(warning), followed)
      }
      if ("_tag" in record) {
        if (record.newerFormat) {
          const warning = `A session record was written by a later version and is left untouched: ${record.detail}`
          return next(corrupt(limited("NewerFormat", warning, now), id, "Version"))
        }
        const warning = `A session record could not be read and was removed: ${record.detail}`
        return andThen(
          Effect.ignore(backend.remove(id, undefined, now)),
          () => next(corrupt(limited("Corrupt", warning, now), id, "Damaged"))
        )
      }
      return ExpiryPolicy.isExpired(config, record, now)
        ? next(expired(id))
        : Effect.succeed<Loaded>({ _tag: "Found", token, id, session: record, reseal: false })
    })
  }

  /** The session at the end of renewals by `renewEvery`; undefined where it has ended, or was renewed explicitly since. */
  const follow = (
    token: string,
    id: string,
    now: number,
    step: number
  ): Effect.Effect<Found | undefined, SessionStoreError> =>
    andThen(backend.find(id, now), (found) => {
      if (Option.isNone(found) || step > maxSteps) return Effect.succeed(undefined)
      const record = found.value
      if (!("_tag" in record)) {
        return Effect.succeed<Found | undefined>(
          ExpiryPolicy.isExpired(config, record, now)
            ? undefined
            : { _tag: "Found", token, id, session: record, reseal: false, followed: true }
        )
      }
      const { id: nextId, token: nextToken } = record._tag === "Renewed"
        ? Successor.read(record.successor, token)
        : { id: "", token: undefined }
      return nextToken === undefined ? Effect.succeed(undefined) : follow(nextToken, nextId, now, step + 1)
    })

  // ── save ──

  const save: SessionStoreService["save"] = (save, now) => {
    const { base, owner, patch, renew: renewing } = save
    if (base === undefined) return create(patch, owner, now)
    return renewing && base.session !== undefined
      ? renewSession(save, base, base.session, now)
      : update(base, save, now)
  }

  const renewSession = (
    save: Save,
    base: Base,
    loaded: StoredSession,
    now: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const { automatic = false, owner, patch } = save
    return andThen(
      renew({ oldId: idOf(base), oldToken: base.token, automatic, loaded, patch, owner }, now),
      (saved): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
        if (saved._tag !== "Moved") return Effect.succeed(saved)
        // It was renewed by itself already: what else was asked for goes to its successor.
        if (automatic) return Effect.succeed({ _tag: "Conflict" })
        return andThen(follow(saved.token, saved.id, now, 1), (found) =>
          found === undefined
            ? Effect.succeed(ended)
            : renewSession(save, found, found.session, now))
      }
    )
  }

  const create = (
    patch: Patch,
    owner: Owner | undefined,
    now: number
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const error = tooLarge(Data.totalBytes(patch.set) + ownerSize(owner))
    if (error !== undefined) return Effect.fail(error)
    const times = ExpiryPolicy.timesOf(patch.expiry ?? ExpiryPolicy.fresh(config, now, undefined))
    return records.insert({ ...times, data: patch.set, owner }, now, bound)
  }

  /**
   * The token was never loaded, and the store does not know it: a new session, under an id of our own, with what this
   * request has set (row M7).
   */
  const createUnseen = (patch: Patch, now: number): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> =>
    patch.set.size === 0 ? Effect.succeed({ _tag: "Missing" }) : create(patch, undefined, now)

  /** `isKnown`: the session was loaded under another token, so that no new one may take its place. */
  const update = (
    base: Pick<Base, "id" | "token"> & Partial<Pick<Base, "session">>,
    save: Save,
    now: number,
    isKnown = base.session !== undefined
  ): Effect.Effect<Saved, SessionStoreError | SessionTooLarge> => {
    const { session } = base
    const { ifVersion, passive = false, patch } = save
    const id = idOf(base)
    return andThen(backend.update(id, patch, now, ifVersion, session), (updated) => {
      switch (updated._tag) {
        case "Conflict":
          return Effect.succeed<Saved>(updated)
        case "TooLarge":
          return Effect.fail(new SessionTooLarge({ size: updated.size, limit: config.maxSessionBytes }))
        case "Renewed": {
          const moved = Moved.moved(events, base.token, updated, now)
          if (moved === undefined) return Effect.succeed(ended)
          // What follows from the record that was loaded yields to whoever has changed it since.
          if (ifVersion !== undefined) return Effect.succeed<Saved>({ _tag: "Conflict" })
          return update(moved, save, now, true)
        }
        case "Missing":
          return !isKnown ? createUnseen(patch, now) : Effect.succeed(ended)
        case "Updated":
          return session === undefined && ExpiryPolicy.isExpired(config, updated.expiry, now)
            // An absolute expiry was configured after the session began: nobody would ever read what was written there.
            ? andThen(Effect.ignore(backend.remove(id, undefined, now)), () => createUnseen(patch, now))
            : refreshed(base, id, patch, updated, passive, now)
      }
    })
  }

  /**
   * What an update came to, after a refresh that is still due: a write that never read the session, or that another one got
   * ahead of, does not know its times.
   */
  const refreshed = (
    { session, token }: Pick<Base, "token"> & Partial<Pick<Base, "session">>,
    id: string,
    patch: Patch,
    updated: Extract<Updated, { readonly _tag: "Updated" }>,
    passive: boolean,
    now: number
  ): Effect.Effect<Saved, SessionStoreError> => {
    const { version } = updated
    const saved = (expiry: Expiry, moved: boolean): Saved => ({
      _tag: "Saved",
      token,
      id,
      expiry,
      moved,
      // When another request wrote in between, the session that was loaded is not the one that has this version.
      session: session?.version === version - 1 ? written(session, patch, expiry, version) : undefined
    })
    const times = passive
      ? patch.expiry
      : ExpiryPolicy.timesOfWrite(config, updated.expiry, patch.expiry, now)
    // Either nothing is due, or the update has written the new times already.
    if (times === patch.expiry) return Effect.succeed(saved(updated.expiry, times !== undefined))
    const refresh = backend.update(id, { ...nothing, expiry: times, maxBytes: patch.maxBytes }, now, version)
    return Effect.catchAll(
      map(refresh, (again) => again._tag === "Updated" ? saved(again.expiry, true) : saved(updated.expiry, false)),
      // What was written stays written: a refresh that fails, which is in the log, does not fail the commit (row M5).
      () => Effect.succeed(saved(updated.expiry, false))
    )
  }

  // ── end ──

  const end = (base: Base, now: number): Effect.Effect<void, SessionStoreError> =>
    map(records.end(idOf(base), base.session?.owner, now), (ended) => {
      if (ended !== undefined) Happened.signedOut(events, now, ended, "Flush")
    })

  return {
    config,
    kind: "server",
    revocable: true,
    wellFormed: Token.isToken,
    load: (tokens, now) => load(tokens, now),
    save,
    end,
    modify: Modify.make(config, backend, events),
    ping: Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.asVoid(backend.find(nobody, now))),
    count: Count.make(config, backend),
    events,
    weigh: Data.bytes,
    tooLarge
  }
}
