/**
 * Counters, gauges and histograms that are changed and read without an effect, which would be another step of the fiber.
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

export type Counter = Metric.Counter<number>

export const counter = (name: string, description: string): Counter =>
  Metric.counter(name, { description, incremental: true })

/** The same counter for the given labels. */
export const labelled = (counter: Counter, labels: { readonly [name: string]: string }): Counter =>
  Metric.withAttributes(counter, labels)

export const add = (counter: Counter, count: number): void => counter.updateUnsafe(count, Context.empty())

/** A number that goes up and down, or the distribution of many. */
export interface Measured {
  readonly set: (value: number) => void
}

const measured = (metric: Metric.Metric<number, unknown>): Measured => ({
  set: (value) => metric.updateUnsafe(value, Context.empty())
})

/** What is set last is what is read. */
export const gauge = (name: string, description: string, labels: { readonly [name: string]: string }): Measured =>
  measured(Metric.gauge(name, { description, attributes: labels }))

/** Counts the values up to each of the bounds. */
export const histogram = (
  name: string,
  description: string,
  bounds: ReadonlyArray<number>,
  labels: { readonly [name: string]: string }
): Measured => measured(Metric.histogram(name, { description, boundaries: bounds, attributes: labels }))

/** What the counters of a name have counted, under all labels or under the given one. */
export const countOf = (name: string, label?: readonly [name: string, value: string]): number => {
  let count = 0
  for (const snapshot of Metric.snapshotUnsafe(Context.empty())) {
    if (snapshot.id !== name || snapshot.type !== "Counter") continue
    if (label === undefined || snapshot.attributes?.[label[0]] === label[1]) count += Number(snapshot.state.count)
  }
  return count
}

/** What a gauge was last set to under the given label; undefined where it never was. */
export const gaugeOf = (name: string, label: readonly [name: string, value: string]): number | undefined => {
  for (const snapshot of Metric.snapshotUnsafe(Context.empty())) {
    if (snapshot.id !== name || snapshot.type !== "Gauge") continue
    if (snapshot.attributes?.[label[0]] === label[1]) return Number(snapshot.state.value)
  }
  return undefined
}
