/**
 * `SessionBackend` on the memory of this process. The number of sessions and their bytes are bounded, and when there is no
 * room anonymous sessions are evicted, and those of signed-in users last (row S5).
 *
 * Everything lies in typed arrays that grow by small chunks. A million sessions are a few hundred objects for the garbage
 * collector, and no operation takes longer because there are more sessions.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Patch, SessionBackendService, SubjectIndexService, Updated } from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"
import { type Observer, SessionTable } from "./sessionTable.js"
import * as SessionText from "./sessionText.js"
import { sizeOf } from "./size.js"
import * as SubjectIndex from "./subjectIndex.js"
import { Measured } from "./texts.js"

export type { Observer } from "./sessionTable.js"
export { fixedBytes, largestBytes } from "./size.js"

/**
 * - `maxSessions`: the most sessions.
 * - `maxBytes`: the most bytes that the sessions take together: `fixedBytes` for each one, and its owner and data in blocks
 *   of 36 bytes that hold 32 bytes of text.
 */
export interface Options {
  readonly maxSessions: number
  readonly maxBytes: number
}

export interface Memory {
  readonly backend: SessionBackendService
  readonly index: SubjectIndexService
  readonly stats: Stats
}

/**
 * What the store holds now, expired sessions that were not cleaned up yet included, and what it evicted so far.
 *
 * - `bytes`: what counts against `maxBytes`.
 * - `allocatedBytes`: what was taken from the system so far. It is reused, so that it follows the most sessions that there
 *   were at any time, rounded up to whole chunks.
 */
export interface Stats {
  readonly sessions: () => number
  readonly bytes: () => number
  readonly allocatedBytes: () => number
  readonly evicted: () => number
}

export const make = (options: Options, observer?: Observer): Memory => {
  const table = new SessionTable(
    checkBound("maxSessions", options.maxSessions),
    checkBound("maxBytes", options.maxBytes),
    observer
  )
  return {
    backend: makeBackend(table),
    index: SubjectIndex.make(table),
    stats: {
      sessions: () => table.sessions - table.marks,
      bytes: () => table.bytes,
      allocatedBytes: () => table.allocatedBytes,
      evicted: () => table.evicted
    }
  }
}

const checkBound = (name: string, value: number): number => {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${name} must be a whole number above 0`)
}

const done = {
  true: Effect.succeed(true),
  false: Effect.succeed(false),
  removed: Effect.succeed("removed" as const),
  conflict: Effect.succeed("conflict" as const),
  missing: Effect.succeed("missing" as const),
  updateConflict: Effect.succeed<Updated>({ _tag: "Conflict" }),
  updateMissing: Effect.succeed<Updated>({ _tag: "Missing" })
}

const makeBackend = (table: SessionTable): SessionBackendService => ({
  find: (id, now) => {
    const slot = table.live(id, now)
    if (slot === 0) return Effect.succeedNone
    if (table.isMark(slot)) return Effect.succeed(Option.some(table.mark(slot)))
    table.use(slot)
    return Effect.succeed(Option.some(table.session(slot)))
  },

  insert: (id, session, now) => {
    const admitted = table.admit(id, session, now)
    if (admitted === "Taken") return done.false
    if (!(admitted instanceof Measured)) return admitted
    table.put(session, admitted, now)
    return done.true
  },

  update: (id, patch, now, ifVersion) => {
    const slot = table.live(id, now)
    if (slot === 0) return done.updateMissing
    if (table.isMark(slot)) return Effect.succeed(table.mark(slot))
    if (ifVersion !== undefined && ifVersion !== table.version(slot)) return done.updateConflict
    if (changesNothing(patch)) table.use(slot)
    else {
      const size = change(table, slot, patch, now)
      if (size !== undefined) return Effect.succeed<Updated>({ _tag: "TooLarge", size })
    }
    const version = table.advance(slot, patch.expiry)
    return Effect.succeed<Updated>({ _tag: "Updated", version, expiry: table.times(slot) })
  },

  remove: (id, ifVersion, now, successor) => {
    const slot = table.live(id, now)
    if (slot === 0) return done.missing
    if (table.isMark(slot)) return Effect.succeed(table.mark(slot))
    if (ifVersion !== undefined && ifVersion !== table.version(slot)) return done.conflict
    table.drop(slot)
    if (successor !== undefined) table.putMark(successor, now)
    return done.removed
  },

  removeExpired: (now, limit, removed) => {
    let count = 0
    while (count < limit) {
      const slot = table.nextExpired(now)
      if (slot === 0) break
      const named = removed !== undefined && !table.isMark(slot)
      const id = named ? table.id(slot) : ""
      const subject = named ? table.subject(slot) : undefined
      table.drop(slot)
      if (named) removed(id, subject)
      count++
    }
    return Effect.succeed(count)
  },

  count: () => Effect.succeed(table.sessions - table.marks)
})

const changesNothing = (patch: Patch): boolean => !patch.clear && patch.set.size === 0 && patch.remove.size === 0

/** Applies a patch to the data of a session. Where the session would be too large it changes nothing and returns the size. */
const change = (table: SessionTable, slot: number, patch: Patch, now: number): number | undefined => {
  const before = table.text(slot)
  const dataStart = table.dataStart(slot, before)
  const data = Data.change(patch.clear ? new Map<string, string>() : SessionText.readData(before, dataStart), patch)
  const packed = Data.pack(data)
  // A text of n code units has at most 3n bytes of UTF-8: most sessions need no counting.
  if (packed.length * 3 > patch.maxBytes) {
    const size = Data.totalBytes(data)
    if (size > patch.maxBytes && size > Data.totalBytes(SessionText.readData(before, dataStart))) return size
  }
  const text = new Measured(before.slice(0, dataStart) + packed)
  if (sizeOf(text.length) > table.maxBytes) return Data.totalBytes(data)
  table.rewrite(slot, text, now)
  return undefined
}
