/**
 * What operators count. Tagged once, so that counting on the path of a request is one look-up.
 */
import * as Metric from "../edition/metric.js"
import type { Empty } from "./contract.js"

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
