/**
 * How often the store tries a step that another process got ahead of, and how long it waits before the next try.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** How often a compare-and-set is tried before the store fails with `Contention`. */
export const maxTries = 100

/** The first two tries follow at once, because most conflicts are over by then; later ones after up to 64 ms (full jitter). */
export const backoff = (tries: number): Effect.Effect<void> =>
  tries < 2
    ? Effect.yieldNow()
    : Effect.flatMap(Random.next, (random) => Effect.sleep(random * Math.min(2 ** tries, 64)))
