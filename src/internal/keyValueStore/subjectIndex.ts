/**
 * The sessions of each subject: a list of ids. A list may name sessions that have ended, because the records decide.
 *
 * A list has two keys that are written in turn, and the newer one of the two values counts. So a write that is cut off
 * leaves the list as it was. A later format of the list must use other keys, so that this version does not overwrite it.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { ListedSession, NewSession, Owner, SubjectBound } from "../../SessionBackend.js"
import type { KeyValueError } from "../edition/keyValues.js"
import { type Found, isLive } from "./record.js"
import { checksum, type Values } from "./values.js"

interface List {
  readonly ids: ReadonlyArray<string>
  /** Counts the writes. Its parity tells which of the two keys was written. */
  readonly sequence: number
}

const nameOf = (subject: string): string =>
  `subject-${createHash("sha256").update(JSON.stringify(subject)).digest("hex")}`

const keyOf = (name: string, sequence: number): string => `${name}-${sequence % 2 === 0 ? "a" : "b"}`

const encode = (ids: ReadonlyArray<string>, sequence: number): string => {
  const text = ids.join(" ")
  return `effect-session-cell 1 ${sequence} ${checksum(String(sequence), text)}\n${text}`
}

/** A value that is missing or was cut off is an empty list that is older than any other. */
const decode = (value: string | undefined): List => {
  const [, sequence, sum, text] = /^effect-session-cell 1 (\d{1,15}) (\S+)\n(.*)$/.exec(value ?? "") ?? []
  return sequence !== undefined && sum === checksum(sequence, text)
    ? { ids: text.split(" "), sequence: Number(sequence) }
    : { ids: [], sequence: 0 }
}

export const make = (values: Values, records: {
  readonly find: (id: string) => Effect.Effect<Found, KeyValueError>
  readonly insert: (id: string, session: NewSession, now: number) => Effect.Effect<boolean, KeyValueError>
  readonly erase: (id: string) => Effect.Effect<void, KeyValueError>
}) => {
  const read = (name: string): Effect.Effect<List, KeyValueError> =>
    Effect.map(Effect.all([values.get(keyOf(name, 0)), values.get(keyOf(name, 1))]), (sides) => {
      const [even, odd] = sides.map(decode)
      return even.sequence > odd.sequence ? even : odd
    })

  const write = (name: string, { sequence }: List, ids: ReadonlyArray<string>): Effect.Effect<void, KeyValueError> =>
    ids.length > 0
      ? values.set(keyOf(name, sequence + 1), encode(ids, sequence + 1))
      // The older value goes first, so that a crash in between leaves the list as it was.
      : Effect.zipRight(values.remove(keyOf(name, sequence + 1)), values.remove(keyOf(name, sequence)))

  /** Returns the subject's live sessions, oldest first, and the ids that have a record and therefore stay in the list. */
  const review = (subject: string, ids: ReadonlyArray<string>, now: number) =>
    Effect.gen(function*() {
      const kept: Array<string> = []
      const live: Array<{ readonly id: string; readonly session: ListedSession }> = []
      for (const id of ids) {
        const found = yield* records.find(id)
        if (found !== undefined) kept.push(id)
        if (found?._tag !== "Stored" || !isLive(found, now) || found.session.owner?.subject !== subject) continue
        const { data: _data, ...session } = found.session
        live.push({ id, session })
      }
      live.sort((a, b) => a.session.createdAt - b.session.createdAt)
      return { kept, live }
    })

  /**
   * The list names the session before its record is written. The sessions beyond the bound are removed last, so that a
   * sign-in that fails has ended no other session. A process that is killed in between leaves one session beyond the bound,
   * the new one, and nobody has its token.
   */
  const insert = (
    id: string,
    session: NewSession & { readonly owner: Owner },
    now: number,
    bound?: SubjectBound,
    evicted?: (id: string) => void
  ) => {
    const { subject } = session.owner
    const name = nameOf(subject)
    return values.writing(
      name,
      Effect.gen(function*() {
        if (isLive(yield* records.find(id), now)) return "Taken"
        const list = yield* read(name)
        const { kept, live } = yield* review(subject, bound === undefined ? [] : list.ids, now)
        const surplus = bound === undefined ? 0 : Math.max(0, live.length + 1 - bound.max)
        if (surplus > 0 && bound?.whenFull === "refuse") return "Full"
        yield* write(name, list, [...(bound === undefined ? list.ids : kept).filter((other) => other !== id), id])
        const evict = Effect.forEach(live.slice(0, surplus), (oldest) => records.erase(oldest.id), { discard: true })
        const inserted = yield* records.insert(id, session, now).pipe(
          Effect.tap((inserted) => inserted ? evict : Effect.void),
          Effect.tapError(() => Effect.ignore(records.erase(id)))
        )
        if (inserted) { for (const oldest of live.slice(0, surplus)) evicted?.(oldest.id) }
        return inserted ? "Inserted" : "Taken"
      })
    )
  }

  const list = (subject: string, now: number) => {
    const name = nameOf(subject)
    const live = Effect.flatMap(read(name), ({ ids }) => Effect.map(review(subject, ids, now), ({ live }) => live))
    return values.reading(name, live)
  }

  const forget = (subject: string, id: string): Effect.Effect<void, KeyValueError> => {
    const name = nameOf(subject)
    return values.writing(
      name,
      Effect.flatMap(
        read(name),
        (list) => list.ids.includes(id) ? write(name, list, list.ids.filter((other) => other !== id)) : Effect.void
      )
    )
  }

  return { insert, list, forget }
}
