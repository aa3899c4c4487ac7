/**
 * What the Memory store accepts as its bounds; undefined takes the default.
 */
import { largestBytes } from "../memory/backend.js"
import type { Mistake } from "./resolveOptions.js"

/** Far beyond what a process holds, and within what the store's 32-bit slots can count. */
const mostSessions = 100_000_000

/** `path` is `maxSessions` or `maxBytes`. */
export const boundMistakes = (
  bounds: { readonly maxSessions: unknown; readonly maxBytes: unknown },
  maxSessionBytes: number
): ReadonlyArray<Mistake> => {
  const { maxBytes, maxSessions } = bounds
  const mistakes: Array<Mistake> = []
  if (maxSessions !== undefined && !isWholeNumber(maxSessions, 1, mostSessions)) {
    mistakes.push({ path: "maxSessions", message: `must be a whole number from 1 to ${mostSessions}` })
  }
  const least = largestBytes(maxSessionBytes)
  if (maxBytes !== undefined && !isWholeNumber(maxBytes, least, Number.MAX_SAFE_INTEGER)) {
    mistakes.push({
      path: "maxBytes",
      message: `must be a whole number of at least ${least}, so that one session of the greatest size fits`
    })
  }
  return mistakes
}

const isWholeNumber = (value: unknown, least: number, most: number): boolean =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
