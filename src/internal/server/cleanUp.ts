/**
 * Removes expired records in the background until its scope closes (row S4): in small steps, each in a turn of the event
 * loop of its own, so that no request waits for it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SessionBackendService } from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"
import * as Happened from "../events/happened.js"
import type { Events } from "../store/event.js"
import * as Metrics from "../store/metrics.js"
import type { SessionConfig } from "../store/options.js"
import type { RevocationService } from "../store/revocation.js"
import * as Count from "./count.js"

/**
 * Records per step. MariaDB holds its locks for 62 ms when it removes 500 of them, and a memory store of a million sessions
 * takes up to 1 ms for 100 of them.
 */
const step = 50

/** Something that keeps what expires: `removeExpired` removes at most `limit` of it, and returns how many it has removed. */
type RemoveExpired = (now: number, limit: number) => Effect.Effect<number, SessionStoreError>

const every = (
  intervalMillis: number,
  removeExpired: RemoveExpired,
  whenDone: (now: number) => void
): Effect.Effect<never> => {
  const sweep: Effect.Effect<void, SessionStoreError> = Effect.flatMap(
    Clock.currentTimeMillis,
    (now) =>
      Effect.flatMap(removeExpired(now, step), (removed) => {
        // A timer and not a yield: fibers yield to other fibers only, while a timer lets new requests in.
        if (removed === step) return Effect.zipRight(Effect.sleep(Duration.zero), sweep)
        whenDone(now)
        return Effect.void
      })
  )
  return sweep.pipe(
    Effect.ignore, // The store has already logged the failure, and the next sweep may succeed.
    Effect.delay(Duration.millis(intervalMillis)),
    Effect.forever
  )
}

/** Removes expired sessions, reports them, and shows how many are left. */
export const sessions = (
  config: SessionConfig,
  backend: SessionBackendService,
  events: Events
): Effect.Effect<never> => {
  const removeExpired: RemoveExpired = (now, limit) => {
    const removal = backend.removeExpired(now, limit, (session, subject) => {
      Happened.expired(events, now, { session, subject })
    })
    return Effect.tap(removal, (removed) => {
      Metrics.removedExpired(removed)
      return Effect.void
    })
  }
  return every(config.cleanupIntervalMillis, removeExpired, Count.showFree(config, backend))
}

/** Removes what a revocation that is over has left. */
export const revocations = (config: SessionConfig, revocation: RevocationService): Effect.Effect<never> =>
  every(config.cleanupIntervalMillis, (now, limit) => revocation.removeExpired(now, limit), () => undefined)
