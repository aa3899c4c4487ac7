/**
 * What operators count. Tagged once, so that counting on the path of a request is one look-up.
 */
import * as Metric from "effect/Metric"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import type { Empty } from "./contract.js"

type Outcome = "Found" | Empty["reason"]

const load = MetricKey.counter("effect_session_load_total", {
  description: "sessions looked up for a request, by outcome",
  incremental: true
})

const noTags: ReadonlyArray<never> = []

// With the label in its key: `Metric.tagged` would put it there anew at each count, and look the metric up by its hash.
const outcomes: Record<Outcome, (count: number) => void> = Object.fromEntries(
  (["Found", "Absent", "Malformed", "NotAuthentic", "Unknown", "Expired", "Corrupt", "Renewed"] as const).map(
    (outcome) => {
      const metric = Metric.fromMetricKey(MetricKey.taggedWithLabels(load, [MetricLabel.make("outcome", outcome)]))
      return [outcome, (count: number) => metric.unsafeUpdate(count, noTags)]
    }
  )
) as Record<Outcome, (count: number) => void>

/** `effect_session_load_total{outcome}` */
export const loaded = (outcome: Outcome): void => outcomes[outcome](1)

const oldIds = Metric.counter("effect_session_old_id_total", {
  description: "requests with the id of a session that was renewed more than ten seconds before",
  incremental: true
})

/** `effect_session_old_id_total` */
export const oldId = (): void => {
  oldIds.unsafeUpdate(1, noTags)
}

const endedTotal = Metric.counter("effect_session_ended_total", {
  description: "sessions that were gone when a request that had loaded them came to save",
  incremental: true
})

/** `effect_session_ended_total` */
export const ended = (): void => {
  endedTotal.unsafeUpdate(1, noTags)
}

const failures = Metric.counter("effect_session_store_failures_total", {
  description: "calls to a session store's backend that failed, by operation and reason",
  incremental: true
})

/** `effect_session_store_failures_total{operation,reason}` */
export const failed = (operation: string, reason: string): void => {
  Metric.tagged(Metric.tagged(failures, "operation", operation), "reason", reason).unsafeUpdate(1, noTags)
}

const refusals = Metric.counter("effect_session_csrf_refused_total", {
  description: "requests refused because another site may have caused them, by reason",
  incremental: true
})

/** `effect_session_csrf_refused_total{reason}` */
export const csrfRefused = (reason: string): void => {
  Metric.tagged(refusals, "reason", reason).unsafeUpdate(1, [])
}
