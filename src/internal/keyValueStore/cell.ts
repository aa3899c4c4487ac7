/**
 * A value that a crash in the middle of a write leaves as it was. It lives under two keys, written in turn; the one that
 * is whole and was written last counts.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { Values } from "./values.js"

const format = 1

/** A cell was written by a later version: it is not to be overwritten, and nothing can be done without it. */
export class NewerCell extends Error {
  constructor(key: string, found: string) {
    super(`${key} has format ${found}, written by a later version`)
  }
}

interface Side {
  readonly sequence: number
  readonly text: string
}

const missing: Side = { sequence: 0, text: "" }

/** `text` is undefined when there is no value. `sequence` is what the next write needs to know. */
export interface Content {
  readonly text: string | undefined
  readonly sequence: number
}

const keyOf = (key: string, sequence: number): string => `${key}-${sequence % 2 === 0 ? "a" : "b"}`

export const read = (values: Values, key: string): Effect.Effect<Content, PlatformError | NewerCell> =>
  Effect.flatMap(
    Effect.all([values.get(keyOf(key, 0)), values.get(keyOf(key, 1))]),
    ([a, b]) =>
      Effect.map(Effect.all([decode(key, a), decode(key, b)]), ([even, odd]) => {
        const { sequence, text } = even.sequence > odd.sequence ? even : odd
        return { sequence, text: sequence === 0 ? undefined : text }
      })
  )

export const write = (
  values: Values,
  key: string,
  before: Content | undefined,
  text: string
): Effect.Effect<Content, PlatformError> => {
  const sequence = (before?.sequence ?? 0) + 1
  return Effect.as(values.set(keyOf(key, sequence), encode(sequence, text)), { sequence, text })
}

/** The older side first: cut off in between, the value is still what it was. */
export const remove = (values: Values, key: string, before: Content): Effect.Effect<void, PlatformError> =>
  Effect.zipRight(values.remove(keyOf(key, before.sequence + 1)), values.remove(keyOf(key, before.sequence)))

const checksum = (sequence: string, text: string): string =>
  createHash("sha256").update(`${sequence}\n${text}`).digest("hex").slice(0, 16)

const encode = (sequence: number, text: string): string =>
  `effect-session-cell ${format} ${sequence} ${checksum(String(sequence), text)}\n${text}`

const decode = (key: string, value: string | undefined): Effect.Effect<Side, NewerCell> => {
  const head = /^effect-session-cell (\d{1,9}) (\d{1,15} [^\n]*)\n/.exec(value ?? "")
  if (head === null) return Effect.succeed(missing)
  // An error class of this module, which tells itself apart by instanceof.
  // @effect-diagnostics-next-line globalErrorInEffectFailure:off
  if (Number(head[1]) > format) return Effect.fail(new NewerCell(key, head[1]))
  const text = (value ?? "").slice(head[0].length)
  const [sequence, sum] = head[2].split(" ")
  return Effect.succeed(sum === checksum(sequence, text) ? { sequence: Number(sequence), text } : missing)
}
