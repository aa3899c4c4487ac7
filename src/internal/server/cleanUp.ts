/**
 * Removes expired records in the background (row S4): in steps small enough to stall nobody, each in an event-loop turn of
 * its own, until its scope closes.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SessionBackendService } from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"

/** Records per step: over 500 of them MariaDB held its locks for 62 ms. */
const step = 100

const sweep = (backend: SessionBackendService): Effect.Effect<void, SessionStoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.flatMap(backend.removeExpired(now, step), (removed) =>
      // A timer and not a yield: fibers yield to fibers, a timer lets requests in.
      removed < step ? Effect.void : Effect.zipRight(Effect.sleep(Duration.zero), sweep(backend))))

export const forever = (backend: SessionBackendService, intervalMillis: number): Effect.Effect<never> =>
  Effect.suspend(() => sweep(backend)).pipe(
    Effect.ignore, // told where it failed; the next time may go better
    Effect.delay(Duration.millis(intervalMillis)),
    Effect.forever
  )
