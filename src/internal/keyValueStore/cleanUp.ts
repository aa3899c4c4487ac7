/**
 * Clean-up: finds expired sessions in a `KeyValueStore`, which cannot list its keys.
 *
 * Each session has an entry, a small value that names it. Entries are numbered without a gap: a new entry takes the next
 * number, and the last entry fills the gap that a removed one leaves. So a write that is cut off spoils no entry but its
 * own. An entry is written before its session is, and removed after it.
 *
 * Memory holds the time at which each entry is due, and a step reads only entries that are due. If the session was
 * refreshed in the meantime, memory then gets its new time. So refreshing a session writes nothing here. After a restart,
 * every entry counts as due until it has been read.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { NewSession } from "../../SessionBackend.js"
import type { KeyValueError } from "../edition/keyValues.js"
import type { Values } from "./values.js"

/** `expiresAt` is the deadline with which the session began. Its record knows the present one. */
const Entry = Schema.Struct({ id: Schema.String, subject: Schema.optional(Schema.String), expiresAt: Schema.Number })

export type Entry = typeof Entry.Type

/** What a step found about the session of an entry: the step removed it, it was gone before, or it lives until a time. */
export type Outcome = "removed" | "gone" | number

/** A step reads at most this many entries for each session that it may remove. */
const entriesPerRemoval = 4

const keyOf = (at: number): string => `entry-${at}`

/** None when the write of the entry was cut off. The session that it was for was then never written. */
const decode = Schema.decodeUnknownOption(Schema.parseJson(Entry))

export const make = (values: Values) => {
  let known: Array<number> | undefined

  /** The times at which the entries are due. How many there are is looked up once, by doubling and then halving. */
  const dueTimes = Effect.gen(function*() {
    if (known !== undefined) return known
    let above = 0
    while (yield* values.has(keyOf(above))) above = above * 2 + 1
    let count = (above + 1) >>> 1
    while (count < above) {
      const middle = (count + above) >>> 1
      if (yield* values.has(keyOf(middle))) count = middle + 1
      else above = middle
    }
    return known = new Array<number>(count).fill(0)
  })

  const add = (id: string, { expiresAt, owner }: NewSession): Effect.Effect<void, KeyValueError> =>
    values.writing(
      "entries",
      Effect.gen(function*() {
        const due = yield* dueTimes
        yield* values.set(keyOf(due.length), JSON.stringify({ id, subject: owner?.subject, expiresAt } satisfies Entry))
        due.push(expiresAt)
      })
    )

  const removeAt = (due: Array<number>, at: number): Effect.Effect<void, KeyValueError> =>
    values.writing(
      "entries",
      Effect.gen(function*() {
        const last = due.length - 1
        const moved = at < last ? yield* values.get(keyOf(last)) : undefined
        if (moved !== undefined) yield* values.set(keyOf(at), moved)
        due[at] = due[last]
        yield* values.remove(keyOf(last))
        due.length = last
      })
    )

  /** Settles entries that are due until `limit` sessions are removed, and returns how many were. Only one step runs at once. */
  const step = (now: number, limit: number, settle: (entry: Entry) => Effect.Effect<Outcome, KeyValueError>) =>
    values.reading(
      "step",
      Effect.gen(function*() {
        const due = yield* values.reading("entries", dueTimes)
        let removed = 0
        let read = 0
        // Backwards, because the entry that fills a gap then comes from a place that the step has already passed.
        for (let at = due.length - 1; at >= 0 && removed < limit && read < limit * entriesPerRemoval; at--) {
          if (due[at] > now) continue
          read++
          const entry = decode(yield* values.get(keyOf(at)))
          const outcome = Option.isNone(entry) ? "gone" : yield* settle(entry.value)
          if (typeof outcome === "number") due[at] = outcome
          else yield* removeAt(due, at)
          if (outcome === "removed") removed++
        }
        return removed
      })
    )

  /** Makes the next steps read every entry, because the deadline of some session has become earlier. */
  const readAgain = (): void => void known?.fill(0)

  return { add, step, readAgain }
}
