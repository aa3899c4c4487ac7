/**
 * Counters that are changed and read without an effect, which would be another step of the fiber.
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

/** What the counters of a name have counted, under all labels or under the given one. */
export const countOf = (name: string, label?: readonly [name: string, value: string]): number => {
  let count = 0
  for (const snapshot of Metric.snapshotUnsafe(Context.empty())) {
    if (snapshot.id !== name || snapshot.type !== "Counter") continue
    if (label === undefined || snapshot.attributes?.[label[0]] === label[1]) count += Number(snapshot.state.count)
  }
  return count
}
