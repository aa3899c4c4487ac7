/**
 * A clock for tests over real stores: its time stands still until it is moved, and its sleeps are real, so that a driver's
 * own time-outs and retries still end. (`TestClock` would hold them up too.)
 */
import type * as Clock from "effect/Clock"
import { showing } from "../edition/clock.js"

export interface StandingClock {
  readonly clock: Clock.Clock
  readonly now: () => number
  /** negative: the clock jumps back */
  readonly move: (millis: number) => void
}

export const make = (start: number): StandingClock => {
  let now = start
  return {
    now: () => now,
    move: (millis) => {
      now += millis
    },
    clock: showing(() => now)
  }
}
