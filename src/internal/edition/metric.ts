/**
 * Counters that are changed and read without an effect, which would be another step of the fiber.
 */
import * as Metric from "effect/Metric"

export type Counter = Metric.Metric.Counter<number>

export const counter = (name: string, description: string): Counter =>
  Metric.counter(name, { description, incremental: true })

/** The same counter for the given labels. */
export const labelled = (counter: Counter, labels: { readonly [name: string]: string }): Counter =>
  Object.entries(labels).reduce((counter, [name, value]) => Metric.tagged(counter, name, value), counter)

export const add = (counter: Counter, count: number): void => counter.unsafeUpdate(count, [])

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
