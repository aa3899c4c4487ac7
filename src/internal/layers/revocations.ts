/**
 * The layer of the store of revocations in memory, with its options checked.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SessionConfigError } from "../../SessionError.js"
import * as memoryRevocation from "../memory/revocation.js"
import { Revocation } from "../store/revocation.js"

/**
 * Options of {@link layerMemory}.
 *
 * - `maxEntries`: the most revocations that are kept, 1,000,000 by default, which take about 200 MB.
 *
 * @since 1.0.0
 * @category models
 */
export interface MemoryOptions {
  readonly maxEntries?: number | undefined
}

export const memory = ({ maxEntries = 1_000_000 }: MemoryOptions = {}): Layer.Layer<Revocation, SessionConfigError> =>
  Layer.effect(
    Revocation,
    Effect.gen(function*() {
      if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
        const message = "must be a whole number of at least 1"
        return yield* new SessionConfigError({ mistakes: [{ path: "maxEntries", message }] })
      }
      if (globalThis.process?.env.NODE_ENV === "production") yield* Effect.logWarning(inProduction)
      return memoryRevocation.make(maxEntries)
    })
  )

const inProduction =
  "revocations are kept in memory: after a restart, sessions that were ended are alive again until their "
  + "cookies expire, and other processes do not see the revocations"
