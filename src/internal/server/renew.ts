/**
 * Gives a session a new id (row C10): its record is copied under a fresh one, and the old one is replaced by a mark (row S9),
 * or removed where there is no grace, at the version that was copied. What another request writes in between is copied, too.
 *
 * No step needs both keys at once, so that this runs on a cluster. A renewal that is cut off in between leaves a record
 * whose token nobody has.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  Expiry,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectBound,
  Successor as MarkOf
} from "../../SessionBackend.js"
import { SessionStoreError, type SessionTooLarge } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { andThen, map } from "../edition/done.js"
import type { Saved } from "../store/contract.js"
import type { Events } from "../store/event.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import { backoff, maxTries } from "./contention.js"
import * as Moved from "./moved.js"
import { ownerSize } from "./ownerSize.js"
import type { Records } from "./records.js"
import * as Successor from "./successor.js"

export interface Renewal {
  readonly oldId: string
  readonly oldToken: string
  /** asked for by `renewEvery`: the old token leads to the new one while the mark is kept */
  readonly automatic: boolean
  /** the record as the request loaded it */
  readonly loaded: StoredSession
  readonly patch: Patch
  /** the owner that a sign-in sets */
  readonly owner: Owner | undefined
}

/**
 * What one copy came to. `Changed`: another request was faster, and the copy was removed again. `Moved`: another request has
 * renewed the session by itself.
 */
type Copied = Saved | { readonly _tag: "Changed" } | Moved.Moved

const ended: Saved = { _tag: "Ended" }
const conflict: Saved = { _tag: "Conflict" }
const changed: Copied = { _tag: "Changed" }

/** What the old record gives its place to; undefined when the old id is to be forgotten at once. */
const successorIn =
  (graceMillis: number) =>
  ({ automatic, oldToken }: Renewal, { id, token }: { readonly id: string; readonly token: string }, now: number):
    | MarkOf
    | undefined =>
    graceMillis === 0 ? undefined : {
      id: automatic ? Successor.leading(oldToken, token, id) : id,
      expiresAt: now + graceMillis
    }

export const make = (
  config: SessionConfig,
  backend: SessionBackendService,
  records: Records,
  bound: SubjectBound | undefined,
  tooLarge: (size: number) => SessionTooLarge | undefined,
  events: Events
) => {
  const successor = successorIn(config.renewGraceMillis)

  /** The new record: the current one with the request's changes. */
  const copyOf = ({ loaded, owner, patch }: Renewal, current: StoredSession, now: number): NewSession => {
    const { expiry } = patch
    // The request's times follow from what it loaded. A later copy is touched, unless the request has set an own expiry or
    // has signed somebody else in.
    const times = expiry === undefined
      ? current
      : current === loaded || (expiry.own && !sameLength(expiry, loaded)) || !isSameSubject(current.owner, owner)
      ? expiry
      : ExpiryPolicy.touch(config, { ...current, createdAt: expiry.createdAt }, now)
    return {
      ...ExpiryPolicy.timesOf(times),
      data: Data.applyPatch(current.data, patch),
      owner: owner ?? current.owner
    }
  }

  /** A session that nobody asked to renew must not be lost: its new record goes only if the old one is still there. */
  const isThere = (id: string, now: number): Effect.Effect<boolean, SessionStoreError> =>
    Effect.map(backend.find(id, now), (found) => Option.isSome(found) && !("_tag" in found.value))

  const copy = (
    renewal: Renewal,
    current: StoredSession,
    now: number
  ): Effect.Effect<Copied, SessionStoreError | SessionTooLarge> => {
    const next = copyOf(renewal, current, now)
    const size = Data.totalBytes(next.data)
    const before = Data.totalBytes(current.data)
    // As in a backend, only a step that makes the session larger can be refused. A session whose data alone is over the limit
    // (it was lowered since) may still be signed in.
    const ownerGrows = ownerSize(renewal.owner) > ownerSize(current.owner) && tooLarge(before) === undefined
    const error = size > before || ownerGrows ? tooLarge(size + ownerSize(renewal.owner)) : undefined
    if (error !== undefined) return Effect.fail(error)
    const replaces = current.owner !== undefined && current.owner.subject === next.owner?.subject
    return andThen(records.insert(next, now, replaces ? undefined : bound), (saved) => {
      if (saved._tag === "Full") return Effect.succeed<Copied>(saved)
      const drop = Effect.suspend(() => records.end(saved.id, next.owner, now))
      return andThen(
        // When this fails, nobody knows whether the old record is gone. The new one must not live on beside it.
        Effect.tapError(
          backend.remove(renewal.oldId, current.version, now, successor(renewal, saved, now)),
          () =>
            Effect.ignore(
              renewal.automatic
                ? Effect.flatMap(isThere(renewal.oldId, now), (old) => old ? drop : Effect.succeed(undefined))
                : drop
            )
        ),
        (removed): Effect.Effect<Copied, SessionStoreError> => {
          if (typeof removed !== "string") {
            return Effect.as(drop, Moved.moved(events, renewal.oldToken, removed, now) ?? ended)
          }
          switch (removed) {
            case "removed":
              return map(records.forget(renewal.oldId, current.owner), () => saved)
            case "conflict":
              return Effect.as(drop, changed)
            case "missing":
              return Effect.as(drop, ended)
          }
        }
      )
    })
  }

  const renew = (
    renewal: Renewal,
    now: number,
    current = renewal.loaded,
    tries = 0
  ): Effect.Effect<Saved | Moved.Moved, SessionStoreError | SessionTooLarge> =>
    andThen(copy(renewal, current, now), (copied) => {
      if (copied._tag !== "Changed") return Effect.succeed(copied)
      if (tries === maxTries) {
        // A renewal that nobody has asked for can wait for the next request.
        return renewal.automatic ? Effect.succeed(conflict) : Effect.fail(
          SessionStoreError.of("update", "Contention", "the session changed during each try to renew it")
        )
      }
      return Effect.flatMap(
        backoff(tries),
        () =>
          andThen(
            backend.find(renewal.oldId, now),
            (found): Effect.Effect<Saved | Moved.Moved, SessionStoreError | SessionTooLarge> => {
              if (Option.isNone(found)) return Effect.succeed(ended)
              const record = found.value
              if (!("_tag" in record)) return renew(renewal, now, record, tries + 1)
              return Effect.succeed(
                record._tag === "Renewed" ? Moved.moved(events, renewal.oldToken, record, now) ?? ended : ended
              )
            }
          )
      )
    })

  return renew
}

/** Whether both have the same own expiry, or both have none. */
const sameLength = (a: Expiry, b: Expiry): boolean =>
  a.own === b.own && a.idleMillis === b.idleMillis && a.persistent === b.persistent

/** False only for a session that passes from one subject to another. An anonymous session may become anybody's. */
const isSameSubject = (before: Owner | undefined, after: Owner | undefined): boolean =>
  before === undefined || after === undefined || before.subject === after.subject
