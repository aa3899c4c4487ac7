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
import * as Count from "./count.js"

/** Records per step. MariaDB holds its locks for 62 ms when it removes 500 of them. */
const step = 100

export const forever = (
  config: SessionConfig,
  backend: SessionBackendService,
  events: Events
): Effect.Effect<never> => {
  const showCount = Count.showFree(config, backend)

  const sweep: Effect.Effect<void, SessionStoreError> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const removal = backend.removeExpired(now, step, (session, subject) => {
      Happened.expired(events, now, { session, subject })
    })
    return Effect.flatMap(removal, (removed) => {
      Metrics.removedExpired(removed)
      // A timer and not a yield: fibers yield to other fibers only, while a timer lets new requests in.
      if (removed === step) return Effect.zipRight(Effect.sleep(Duration.zero), sweep)
      showCount(now)
      return Effect.void
    })
  })

  return sweep.pipe(
    Effect.ignore, // The store has already logged the failure, and the next sweep may succeed.
    Effect.delay(Duration.millis(config.cleanupIntervalMillis)),
    Effect.forever
  )
}
