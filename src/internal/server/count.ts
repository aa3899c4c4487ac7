/**
 * How many sessions live: asked of a backend that can count them, and shown in the gauge `effect_session_alive`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionBackendService } from "../../SessionBackend.js"
import { isDone } from "../edition/done.js"
import type { SessionStoreService } from "../store/contract.js"
import * as Metrics from "../store/metrics.js"
import type { SessionConfig } from "../store/options.js"

export const make = ({ name }: SessionConfig, { count }: SessionBackendService): SessionStoreService["count"] => {
  if (count === undefined) return Effect.succeedNone
  const show = Metrics.alive(name)
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.map(count(now), (count) => {
      show(count)
      return Option.some(count)
    }))
}

/** Shows the number where the backend knows it without I/O. */
export const showFree = ({ name }: SessionConfig, { count }: SessionBackendService): (now: number) => void => {
  if (count === undefined) return () => undefined
  const show = Metrics.alive(name)
  return (now) => {
    const counted = count(now)
    if (isDone(counted)) show(counted.value)
  }
}
