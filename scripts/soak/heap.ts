/**
 * Whether a heap has levelled off: by how much it grew in the first third of a run and in the last.
 */
import type { Heap } from "./script.js"

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(2)

export const line = ({ at, heapUsed, rss }: Heap): string =>
  `heap ${new Date(at).toISOString()} heapUsed ${mebibytes(heapUsed)} MiB, rss ${mebibytes(rss)} MiB`

/** The slope of a straight line through the points, in bytes an hour; by least squares. */
export const slope = (series: ReadonlyArray<Heap>): number => {
  const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
  const time = mean(series.map(({ at }) => at))
  const used = mean(series.map(({ heapUsed }) => heapUsed))
  const above = series.reduce((sum, { at, heapUsed }) => sum + (at - time) * (heapUsed - used), 0)
  const below = series.reduce((sum, { at }) => sum + (at - time) ** 2, 0)
  return below === 0 ? 0 : above / below * 3_600_000
}

/** Less than a mebibyte an hour, or than a fifth of what it was at first, is level. */
export const verdict = (series: ReadonlyArray<Heap>): string => {
  const third = Math.floor(series.length / 3)
  if (third < 3) return "the heap was measured too seldom to say whether it has levelled off"
  const [first, last] = [series.slice(0, third), series.slice(-third)].map(slope)
  const isLevel = last < 1024 * 1024 || last < first / 5
  return `heapUsed grew by ${mebibytes(first)} MiB an hour in the first third and ${mebibytes(last)} in the last: `
    + (isLevel ? "it has levelled off" : "it has not levelled off")
}
