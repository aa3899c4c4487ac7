/**
 * What the Memory store accepts as its bounds. A bound that is absent takes its default.
 */
import { largestBytes } from "../memory/backend.js"
import { decode, mapping, type Mistake, partial } from "./mistakes.js"
import { integer } from "./resolveOptions.js"

export const memoryBounds = (maxSessionBytes: number) => {
  const least = largestBytes(maxSessionBytes)
  return {
    // Far beyond what a process holds, and within what the store's 32-bit slots can count.
    maxSessions: integer(1, 100_000_000),
    maxBytes: integer(
      least,
      Number.MAX_SAFE_INTEGER,
      `an integer of at least ${least}, so that one session of the largest size fits`
    )
  }
}

export const boundMistakes = (
  bounds: { readonly maxSessions: unknown; readonly maxBytes: unknown },
  maxSessionBytes: number
): ReadonlyArray<Mistake> => {
  const mistakes: Array<Mistake> = []
  decode(mapping(partial(memoryBounds(maxSessionBytes))), bounds, "", mistakes)
  return mistakes
}
