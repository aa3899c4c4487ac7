import { Metric } from "effect"

/** How many values a histogram has seen, by one of its labels. */
export const observationsOf = (name: string, label: string): Record<string, number> => {
  const seen: Record<string, number> = {}
  for (const { metricKey, metricState } of Metric.unsafeSnapshot()) {
    if (metricKey.name !== name || !("count" in metricState)) continue
    seen[metricKey.tags.find(({ key }) => key === label)?.value ?? ""] = Number(metricState.count)
  }
  return seen
}
