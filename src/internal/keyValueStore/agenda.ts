/**
 * When which session is due: what a store that cannot list its keys needs to find expired ones.
 *
 * Entries are values of their own, numbered from 0 within the minute in which they are due. A new entry is a new value, so
 * that a write that is cut off spoils no older one. A day that may have entries is marked, so that after a long pause the
 * next entry is found without asking for every minute.
 *
 * A session has one entry that counts, under the time that its record names (`indexedAt`). A session that lives longer
 * keeps it: only when the entry is due it is moved. So a request that refreshes a session writes nothing here.
 *
 * Everything that touches a value happens alone, in the name of `agenda`. Entries are removed by one sweep at a time.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as Effect from "effect/Effect"
import * as Cell from "./cell.js"
import type { Values } from "./values.js"

const minuteMillis = 60_000
const dayMinutes = 1440

export const minuteOf = (millis: number): number => Math.floor(millis / minuteMillis)
const dayOf = (minute: number): number => Math.floor(minute / dayMinutes)

const startKey = "agenda-start"
const dayKey = (day: number): string => `agenda-day-${day}`
const entryKey = (minute: number, at: number): string => `agenda-${minute}-${at}`

/** The start is written when it moved so far: a lower one costs a look at the minutes in between, nothing else. */
const startMinutes = 60

export interface Entry {
  readonly id: string
  readonly time: number
  /** the hash of the owner's subject */
  readonly subject: string | undefined
}

const encode = ({ id, subject, time }: Entry): string => `1 ${id} ${time} ${subject ?? "-"}\n`

/** undefined for what is no entry: its write was cut off, and the record that it was for was never written. */
const decode = (text: string | undefined): Entry | undefined => {
  const parts = /^1 ([A-Za-z0-9_-]{43}) (\S+) (-|[0-9a-f]{64})\n$/.exec(text ?? "")
  if (parts === null) return undefined
  return { id: parts[1], time: Number(parts[2]), subject: parts[3] === "-" ? undefined : parts[3] }
}

export class Agenda {
  /** no minute before this one has entries; undefined until it was read, and before the first entry of all */
  private start: number | undefined
  private cell: Cell.Content | undefined
  /** days whose mark is there for sure */
  private readonly marked = new Set<number>()
  /** how many entries a minute has, where that is known */
  private readonly counts = new Map<number, number>()

  constructor(private readonly values: Values) {}

  /** Whether a time lies before everything that is on the agenda: its entry must have got lost. */
  isPast(time: number): boolean {
    return this.start !== undefined && minuteOf(time) < this.start
  }

  add(entry: Entry): Effect.Effect<void, PlatformError | Cell.NewerCell> {
    return this.alone(Effect.gen(this, function*() {
      const minute = minuteOf(entry.time)
      yield* this.readStart()
      if (this.start === undefined || minute < this.start) yield* this.writeStart(minute)
      const day = dayOf(minute)
      if (!this.marked.has(day)) {
        yield* this.values.set(dayKey(day), "1\n")
        this.marked.add(day)
      }
      const count = yield* this.count(minute)
      yield* this.values.set(entryKey(minute, count), encode(entry))
      this.counts.set(minute, count + 1)
    }))
  }

  /** The first minute up to now's that has entries, and how many; the minutes before it are done with. */
  advance(
    now: number
  ): Effect.Effect<{ readonly minute: number; readonly count: number } | undefined, PlatformError | Cell.NewerCell> {
    return this.alone(Effect.gen(this, function*() {
      const last = minuteOf(now)
      yield* this.readStart()
      while (this.start !== undefined && this.start <= last) {
        const minute = this.start
        const day = dayOf(minute)
        if (!(yield* this.isMarked(day))) {
          this.start = Math.min((day + 1) * dayMinutes, last)
          if (this.start === minute || dayOf(this.start) === day) return undefined
          continue
        }
        const count = yield* this.count(minute)
        if (count > 0) return { minute, count }
        if (minute === last) return undefined
        this.counts.delete(minute)
        this.start = minute + 1
        if (dayOf(this.start) !== day) {
          this.marked.delete(day)
          yield* this.values.remove(dayKey(day))
        }
      }
      return undefined
    }))
  }

  entryAt(minute: number, at: number): Effect.Effect<Entry | undefined, PlatformError> {
    return this.alone(Effect.map(this.values.get(entryKey(minute, at)), decode))
  }

  /** The last entry of the minute takes the place, so that the numbers stay without a gap. */
  removeAt(minute: number, at: number): Effect.Effect<void, PlatformError> {
    return this.alone(Effect.gen(this, function*() {
      const last = (yield* this.count(minute)) - 1
      if (last > at) {
        const moved = yield* this.values.get(entryKey(minute, last))
        if (moved !== undefined) yield* this.values.set(entryKey(minute, at), moved)
      }
      yield* this.values.remove(entryKey(minute, last))
      this.counts.set(minute, last)
    }))
  }

  /** Writes down how far the agenda is done with, if that saves a later process a longer search. */
  save(): Effect.Effect<void, PlatformError> {
    return this.alone(Effect.suspend(() => {
      const { start } = this
      const written = Number(this.cell?.text ?? start)
      return start !== undefined && start - written >= startMinutes ? this.writeStart(start) : Effect.void
    }))
  }

  private alone<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.values.writing("agenda", effect)
  }

  private readStart(): Effect.Effect<void, PlatformError | Cell.NewerCell> {
    if (this.cell !== undefined) return Effect.void
    return Effect.map(Cell.read(this.values, startKey), (cell) => {
      this.cell = cell
      if (cell.text !== undefined) this.start = Number(cell.text)
    })
  }

  private writeStart(minute: number): Effect.Effect<void, PlatformError> {
    return Effect.map(Cell.write(this.values, startKey, this.cell, String(minute)), (cell) => {
      this.cell = cell
      this.start = minute
    })
  }

  private isMarked(day: number): Effect.Effect<boolean, PlatformError> {
    if (this.marked.has(day)) return Effect.succeed(true)
    return Effect.map(this.values.has(dayKey(day)), (marked) => {
      if (marked) this.marked.add(day)
      return marked
    })
  }

  /** How many entries the minute has: asked for once, by doubling and then halving the number. */
  private count(minute: number): Effect.Effect<number, PlatformError> {
    const known = this.counts.get(minute)
    if (known !== undefined) return Effect.succeed(known)
    return Effect.gen(this, function*() {
      const has = (at: number) => this.values.has(entryKey(minute, at))
      let above = 0
      while (yield* has(above)) above = above * 2 + 1
      let count = (above + 1) >>> 1
      while (count < above) {
        const middle = (count + above) >>> 1
        if (yield* has(middle)) count = middle + 1
        else above = middle
      }
      this.counts.set(minute, count)
      return count
    })
  }
}
