/**
 * Counters that are changed and read without an effect, which would be another step of the fiber.
 */
import * as Metric from "effect/Metric"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

export interface Counter {
  readonly key: MetricKey.MetricKey.Counter<number>
  readonly metric: Metric.Metric.Counter<number>
}

const of = (key: Counter["key"]): Counter => ({ key, metric: Metric.fromMetricKey(key) })

export const counter = (name: string, description: string): Counter =>
  of(MetricKey.counter(name, { description, incremental: true }))

/**
 * The same counter for the given labels, which are part of its key. `Metric.tagged` would put them there anew at each count, and
 * look the metric up by its hash.
 */
export const labelled = ({ key }: Counter, labels: { readonly [name: string]: string }): Counter =>
  of(MetricKey.taggedWithLabels(key, Object.entries(labels).map(([name, value]) => MetricLabel.make(name, value))))

const noTags: ReadonlyArray<never> = []

export const add = ({ metric }: Counter, count: number): void => metric.unsafeUpdate(count, noTags)

/** What the counters of a name have counted, under all labels or under the given one. */
export const countOf = (name: string, label?: readonly [name: string, value: string]): number => {
  let count = 0
  for (const { metricKey, metricState } of Metric.unsafeSnapshot()) {
    if (metricKey.name !== name || !("count" in metricState)) continue
    if (label === undefined || metricKey.tags.some(({ key, value }) => key === label[0] && value === label[1])) {
      count += Number(metricState.count)
    }
  }
  return count
}
