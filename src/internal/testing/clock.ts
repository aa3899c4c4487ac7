/**
 * A clock for tests over real stores: its time stands still until it is moved, and its sleeps are real, so that a driver's
 * own time-outs and retries still end. (`TestClock` would hold them up too.)
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"

export interface StandingClock {
  readonly clock: Clock.Clock
  readonly now: () => number
  /** negative: the clock jumps back */
  readonly move: (millis: number) => void
}

const live = Context.get(DefaultServices.liveServices, Clock.Clock)

export const make = (start: number): StandingClock => {
  let now = start
  return {
    now: () => now,
    move: (millis) => {
      now += millis
    },
    clock: {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: () => now,
      unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
      sleep: (duration) => live.sleep(duration)
    }
  }
}
