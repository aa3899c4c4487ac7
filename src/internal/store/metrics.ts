/**
 * What operators count. Tagged once, so that counting on the path of a request is one look-up.
 */
import * as Metric from "../edition/metric.js"
import type { Empty } from "./contract.js"
import type { EvictionReason, SignOutReason } from "./event.js"

type Outcome = "Found" | Empty["reason"]

const load = Metric.counter(
  "effect_session_load_total",
  "sessions looked up for a request, by outcome"
)

const outcomes: Record<Outcome, () => void> = Object.fromEntries(
  (["Found", "Absent", "Malformed", "NotAuthentic", "Unknown", "Expired", "Corrupt", "Renewed", "Revoked"] as const)
    .map(
      (outcome) => {
        const metric = Metric.labelled(load, { outcome })
        return [outcome, () => Metric.add(metric, 1)]
      }
    )
) as Record<Outcome, () => void>

/** `effect_session_load_total{outcome}` */
export const loaded = (outcome: Outcome): void => outcomes[outcome]()

const oldIds = Metric.counter(
  "effect_session_old_id_total",
  "requests with the id of a session that was renewed more than ten seconds before"
)

/** `effect_session_old_id_total` */
export const oldId = (): void => {
  Metric.add(oldIds, 1)
}

const endedTotal = Metric.counter(
  "effect_session_ended_total",
  "sessions that were gone when a request that had loaded them came to save"
)

/** `effect_session_ended_total` */
export const ended = (): void => {
  Metric.add(endedTotal, 1)
}

const failures = Metric.counter(
  "effect_session_store_failures_total",
  "calls to a session store's backend that failed, by operation and reason"
)

/** `effect_session_store_failures_total{operation,reason}` */
export const failed = (operation: string, reason: string): void => {
  Metric.add(Metric.labelled(failures, { operation, reason }), 1)
}

const refusals = Metric.counter(
  "effect_session_csrf_refused_total",
  "requests refused because another site may have caused them, by reason"
)

/** `effect_session_csrf_refused_total{reason}` */
export const csrfRefused = (reason: string): void => {
  Metric.add(Metric.labelled(refusals, { reason }), 1)
}

// ── the life of sessions ──

const createdTotal = Metric.counter("effect_session_created_total", "sessions that began")

/** `effect_session_created_total` */
export const created = (): void => {
  Metric.add(createdTotal, 1)
}

const signedInTotal = Metric.counter("effect_session_signed_in_total", "sign-ins of a subject")

/** `effect_session_signed_in_total` */
export const signedIn = (): void => {
  Metric.add(signedInTotal, 1)
}

const renewedTotal = Metric.counter(
  "effect_session_renewed_total",
  "sessions that got a new id without a sign-in"
)

/** `effect_session_renewed_total` */
export const renewed = (): void => {
  Metric.add(renewedTotal, 1)
}

/** Why a session is over. */
type Termination = SignOutReason | EvictionReason | "Revoked" | "Expired"

const terminatedTotal = Metric.counter("effect_session_terminated_total", "sessions that are over, by reason")

const terminations: Record<Termination, () => void> = Object.fromEntries(
  (["Flush", "OtherSubject", "Revoked", "Expired", "StoreFull", "SubjectBound"] as const).map((reason) => {
    const metric = Metric.labelled(terminatedTotal, { reason })
    return [reason, () => Metric.add(metric, 1)]
  })
) as Record<Termination, () => void>

/** `effect_session_terminated_total{reason}` */
export const terminated = (reason: Termination): void => terminations[reason]()

const cleanedUp = Metric.counter(
  "effect_session_cleaned_up_total",
  "expired records that the clean-up has removed: sessions, and the marks of renewed ids"
)

/** `effect_session_cleaned_up_total` */
export const removedExpired = (count: number): void => {
  if (count > 0) Metric.add(cleanedUp, count)
}

const eventsDropped = Metric.counter(
  "effect_session_events_dropped_total",
  "events that were not delivered, because a subscriber was too slow for them"
)

/** `effect_session_events_dropped_total` */
export const eventDropped = (): void => {
  Metric.add(eventsDropped, 1)
}

/** `effect_session_alive{cookie}`: a function that sets it for one store. */
export const alive = (cookie: string): (count: number) => void =>
  Metric.gauge("effect_session_alive", "sessions that live, where the store can count them", { cookie }).set

// ── the store's calls ──

/** From 0.1 ms to the default time-out, in seconds. */
const latencyBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

const latencies = new Map<string, Metric.Measured>()

/** `effect_session_store_seconds{operation}` */
export const took = (operation: string, millis: number): void => {
  let latency = latencies.get(operation)
  if (latency === undefined) {
    latency = Metric.histogram(
      "effect_session_store_seconds",
      "how long calls of a session store's backend take, by operation",
      latencyBounds,
      { operation }
    )
    latencies.set(operation, latency)
  }
  latency.set(millis / 1000)
}

const evictedTotal = Metric.counter(
  "effect_session_evicted_total",
  "sessions that the Memory store evicted because it was full"
)

/** `effect_session_evicted_total` */
export const evicted = (count: number): void => {
  Metric.add(evictedTotal, count)
}
