import { Context, Metric } from "effect"

/** How many values a histogram has seen, by one of its labels. */
export const observationsOf = (name: string, label: string): Record<string, number> => {
  const seen: Record<string, number> = {}
  for (const snapshot of Metric.snapshotUnsafe(Context.empty())) {
    if (snapshot.id === name && snapshot.type === "Histogram") {
      seen[snapshot.attributes?.[label] ?? ""] = snapshot.state.count
    }
  }
  return seen
}
