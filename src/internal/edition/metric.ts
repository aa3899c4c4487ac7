/**
 * Counters, gauges and histograms that are changed and read without an effect, which would be another step of the fiber.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
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

/** A number that goes up and down, or the distribution of many. */
export interface Measured {
  readonly set: (value: number) => void
}

const labelsOf = (labels: { readonly [name: string]: string }): ReadonlyArray<MetricLabel.MetricLabel> =>
  Object.entries(labels).map(([name, value]) => MetricLabel.make(name, value))

/** What is set last is what is read. */
export const gauge = (name: string, description: string, labels: { readonly [name: string]: string }): Measured => {
  const key = MetricKey.taggedWithLabels(MetricKey.gauge(name, { description }), labelsOf(labels))
  const metric = Metric.fromMetricKey(key)
  return { set: (value) => metric.unsafeUpdate(value, noTags) }
}

/** Counts the values up to each of the bounds. */
export const histogram = (
  name: string,
  description: string,
  bounds: ReadonlyArray<number>,
  labels: { readonly [name: string]: string }
): Measured => {
  const key = MetricKey.histogram(name, MetricBoundaries.fromIterable(bounds), description)
  const metric = Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsOf(labels)))
  return { set: (value) => metric.unsafeUpdate(value, noTags) }
}

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

/** What a gauge was last set to under the given label; undefined where it never was. */
export const gaugeOf = (name: string, label: readonly [name: string, value: string]): number | undefined => {
  for (const { metricKey, metricState } of Metric.unsafeSnapshot()) {
    if (metricKey.name !== name || !("value" in metricState)) continue
    if (metricKey.tags.some(({ key, value }) => key === label[0] && value === label[1])) {
      return Number(metricState.value)
    }
  }
  return undefined
}
