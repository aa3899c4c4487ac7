/**
 * Removes expired records in the background until its scope closes (row S4): in small steps, each in a turn of the event
 * loop of its own, so that no request waits for it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SessionBackendService } from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"

/** Records per step. MariaDB holds its locks for 62 ms when it removes 500 of them. */
const step = 100

export type Expiring = Pick<SessionBackendService, "removeExpired">

const sweep = (backend: Expiring): Effect.Effect<void, SessionStoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.flatMap(backend.removeExpired(now, step), (removed) =>
      // A timer and not a yield: fibers yield to other fibers only, while a timer lets new requests in.
      removed < step ? Effect.void : Effect.zipRight(Effect.sleep(Duration.zero), sweep(backend))))

export const forever = (backend: Expiring, intervalMillis: number): Effect.Effect<never> =>
  Effect.suspend(() => sweep(backend)).pipe(
    Effect.ignore, // The store has already logged the failure, and the next sweep may succeed.
    Effect.delay(Duration.millis(intervalMillis)),
    Effect.forever
  )
