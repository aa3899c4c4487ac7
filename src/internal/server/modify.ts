/**
 * Modifies a stored session atomically (row C9): reads the record, applies a function, and writes the result if the record
 * is still the one that was read; otherwise it tries again.
 *
 * The callers of a session take turns, each with the record that the last one left. Only other processes, and another
 * store over the same backend, can get ahead of a try.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Patch, SessionBackendService, StoredSession } from "../../SessionBackend.js"
import { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { withDeadline } from "../edition/deadline.js"
import { isDone } from "../edition/done.js"
import type { Modified, SessionStoreService } from "../store/contract.js"
import type { Events } from "../store/event.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import { passing, storeIsDown, Turns } from "../store/turns.js"
import { backoff, maxTries } from "./contention.js"
import * as Moved from "./moved.js"
import * as Token from "./token.js"

/** What the function makes of a record: its answer, and the patch to write, if any. */
type Step<B> = readonly [value: B, patch: Option.Option<Patch>]

/**
 * The record that a try works on. `isCurrent` says that it was read in this turn, or left by the holder of the turn before,
 * and not merely loaded by the request some time ago.
 */
interface Seen {
  readonly session: StoredSession
  readonly isCurrent: boolean
}

/**
 * Why a try has to be repeated with the record as it is now. `Stale`: what was loaded does not decide what the function made
 * of it. `Lost`: another process wrote first.
 */
type Again = { readonly _tag: "Stale" | "Lost" }

const stale: Again = { _tag: "Stale" }
const lost: Again = { _tag: "Lost" }
const missing: { readonly _tag: "Missing" } = { _tag: "Missing" }

export const make = (
  config: SessionConfig,
  backend: SessionBackendService,
  events: Events
): SessionStoreService["modify"] => {
  const turns = new Turns<SessionStoreError>(passing(backend.isAlone))

  /** The record to work on: what the caller has seen, while it lives; otherwise what is stored. */
  const look = (
    token: string,
    id: string,
    seen: Seen | undefined,
    now: number
  ): Effect.Effect<Seen | Moved.Moved | undefined, SessionStoreError> =>
    seen !== undefined && !ExpiryPolicy.isExpired(config, seen.session, now)
      ? Effect.succeed(seen)
      : Effect.map(
        backend.find(id, now),
        (found) => {
          if (Option.isNone(found)) return undefined
          const record = found.value
          if ("_tag" in record) {
            return record._tag === "Renewed" ? Moved.moved(events, token, record, now) : undefined
          }
          return ExpiryPolicy.isExpired(config, record, now) ? undefined : { session: record, isCurrent: true }
        }
      )

  /** A schema that never answers must not keep all other callers of the session waiting. */
  const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SessionStoreError, R> =>
    isDone(effect)
      ? effect
      // What the effect requires is in the context of the fiber, which the deadline hands on.
      : withDeadline(
        effect as Effect.Effect<A, E>,
        config.storeTimeoutMillis,
        () => SessionStoreError.of("update", "Timeout", "the key's schema did not answer")
      )

  /** Writes what the function made of the record. */
  const write = <B>(
    token: string,
    id: string,
    passive: boolean,
    { isCurrent, session }: Seen,
    [value, change]: Step<B>,
    now: number
  ): Effect.Effect<Modified<B> | Again | Moved.Moved, SessionStoreError | SessionTooLarge> => {
    if (Option.isNone(change)) {
      return Effect.succeed(isCurrent ? { _tag: "Modified", value, token, id, moved: false, session } : stale)
    }
    const patch: Patch = {
      ...change.value,
      expiry: passive
        ? change.value.expiry
        : ExpiryPolicy.timesOfWrite(config, session, change.value.expiry, now)
    }
    return Effect.flatMap(
      backend.update(id, patch, now, session.version, session),
      (updated): Effect.Effect<Modified<B> | Again | Moved.Moved, SessionTooLarge> => {
        switch (updated._tag) {
          case "Updated":
            return Effect.succeed({
              _tag: "Modified",
              value,
              token,
              id,
              moved: patch.expiry !== undefined,
              session: {
                ...session,
                ...ExpiryPolicy.timesOf(updated.expiry),
                data: Data.applyPatch(session.data, patch),
                version: updated.version
              }
            })
          case "Missing":
            return Effect.succeed(missing)
          case "Renewed":
            return Effect.succeed(Moved.moved(events, token, updated, now) ?? missing)
          case "TooLarge":
            return Effect.fail(new SessionTooLarge({ size: updated.size, limit: config.maxSessionBytes }))
          case "Conflict":
            return Effect.succeed(lost)
        }
      }
    )
  }

  const modify = <B, E, R>(
    token: string,
    loaded: StoredSession | undefined,
    f: (session: StoredSession) => Effect.Effect<Step<B>, E, R>,
    passive = false
  ): Effect.Effect<Modified<B>, E | SessionStoreError | SessionTooLarge, R> => {
    const id = Token.idOf(token)

    /** What the function fails with counts only when it was given the current record. */
    const apply = ({ isCurrent, session }: Seen): Effect.Effect<Step<B> | undefined, E | SessionStoreError, R> => {
      const step = f(session)
      return inTime(isCurrent || isDone(step) ? step : Effect.orElseSucceed(step, () => undefined))
    }

    const attempt = (
      from: Seen | undefined
    ): Effect.Effect<Modified<B> | Again | Moved.Moved, E | SessionStoreError | SessionTooLarge, R> =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) =>
          Effect.flatMap(look(token, id, from, now), (seen) => {
            if (seen === undefined) return Effect.succeed(missing)
            if ("_tag" in seen) return Effect.succeed(seen)
            return Effect.flatMap(
              apply(seen),
              (step) => step === undefined ? Effect.succeed(stale) : write(token, id, passive, seen, step, now)
            )
          })
      )

    const attempts = (
      from: Seen | undefined,
      tries: number
    ): Effect.Effect<Modified<B> | Moved.Moved, E | SessionStoreError | SessionTooLarge, R> =>
      Effect.flatMap(attempt(from), (outcome) => {
        switch (outcome._tag) {
          case "Stale":
            return attempts(undefined, tries)
          case "Lost":
            return tries === maxTries
              ? Effect.fail(
                SessionStoreError.of("update", "Contention", "the session changed during each try to modify it")
              )
              : Effect.zipRight(backoff(tries), attempts(undefined, tries + 1))
          default:
            return Effect.succeed(outcome)
        }
      })

    const taken = turns.take(
      id,
      (turn) => {
        const { snapshot } = turn
        const session = snapshot ?? loaded
        return Effect.map(attempts(session && { session, isCurrent: snapshot !== undefined }, 0), (modified) => {
          // Only a caller that has read or written the record hands it on: otherwise others may have changed it since.
          turn.snapshot = modified._tag === "Modified" && modified.session !== snapshot ? modified.session : undefined
          return modified
        })
      },
      storeIsDown
    )
    // The turn of the old id is over by then: another caller may wait for it with the new one in hand.
    return Effect.flatMap(
      taken,
      (outcome) => outcome._tag === "Moved" ? modify(outcome.token, undefined, f, passive) : Effect.succeed(outcome)
    )
  }

  return modify
}
