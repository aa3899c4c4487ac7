/**
 * Removes expired records in the background (row S4): in steps small enough to stall nobody, each in an event-loop turn of
 * its own, until its scope closes.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SessionBackendService } from "../SessionBackend.js"
import type { SessionStoreError } from "../SessionError.js"

/**
 * Records per step. Of a million in memory 500 took up to 11 ms and MariaDB's lock on 500 rows 62 ms; a hundred are a fifth of
 * that, and still a million in a quarter of a minute.
 */
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
