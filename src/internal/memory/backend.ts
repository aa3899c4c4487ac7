/**
 * Sessions in the memory of this process: bounded, with the least recently used evicted (row S5).
 *
 * Everything is in typed arrays that grow by small chunks: a million sessions are a few hundred objects for the garbage
 * collector, and no operation grows with their number. All of it is synchronous, which is what makes every step atomic.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { hash as digest, randomUUID } from "node:crypto"
import type {
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectIndexService,
  Updated
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { ExpiryHeap, nodeBytes } from "./expiryHeap.js"
import { HashIndex, headBytes } from "./hashIndex.js"
import * as Ids from "./ids.js"
import { Recency } from "./recency.js"
import * as R from "./records.js"
import { blockBytes, blocksOf, isWide, lengthOf, Texts } from "./texts.js"

/**
 * - `maxSessions`: the most sessions.
 * - `maxBytes`: the most octets that the sessions take: {@link fixedBytes} for each one, and its owner and data in blocks
 *   of 36 octets that hold 32.
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
 * What the memory holds now, expired sessions that were not cleaned up yet included, and what it evicted so far.
 *
 * - `bytes`: what counts against `maxBytes`.
 * - `allocatedBytes`: what was taken from the system so far; it is reused, and never more than the most there was at once
 *   (to a chunk).
 */
export interface Stats {
  readonly sessions: () => number
  readonly bytes: () => number
  readonly allocatedBytes: () => number
  readonly evicted: () => number
}

/** Octets that a session takes beside its owner and data. */
export const fixedBytes = R.recordBytes + nodeBytes + headBytes

/** Octets that a session whose keys and values have at most so many octets can take. */
export const largestBytes = (maxSessionBytes: number): number =>
  // twice, for text that is kept as UTF-16, and a sixfold escape of control characters in keys at worst
  fixedBytes + blocksOf(maxSessionBytes * 12 + 4096) * blockBytes

const evictedTotal = Metric.counter("effect_session_evicted_total", {
  description: "sessions that the Memory store evicted because it was full",
  incremental: true
})

const missing: Updated = { _tag: "Missing" }
const conflict: Updated = { _tag: "Conflict" }

const doneMissing = Effect.succeed(missing)
const doneConflict = Effect.succeed(conflict)
const done = {
  none: Effect.succeedNone,
  true: Effect.succeed(true),
  false: Effect.succeed(false),
  void: Effect.void,
  removed: Effect.succeed("removed" as const),
  conflict: Effect.succeed("conflict" as const),
  missing: Effect.succeed("missing" as const),
  Inserted: Effect.succeed("Inserted" as const),
  Taken: Effect.succeed("Taken" as const),
  Full: Effect.succeed("Full" as const)
}

const checkBound = (name: string, value: number): number => {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${name} must be a whole number above 0`)
}

export const make = (options: Options): Memory => {
  const maxSessions = checkBound("maxSessions", options.maxSessions)
  const maxBytes = checkBound("maxBytes", options.maxBytes)

  const records = new R.Records()
  const texts = new Texts()
  const heap = new ExpiryHeap(records)
  const byId = new HashIndex(records, { hash: R.id, next: R.idNext, previous: R.idPrevious })
  const bySubject = new HashIndex(records, { hash: R.subjectHash, next: R.subjectNext, previous: R.subjectPrevious })
  const bytesOf = (slot: number): number => sizeOf(records.get(slot, R.textLength))
  const recency = new Recency(records, bytesOf, maxSessions, maxBytes)
  // Who chooses their subject must not be able to choose its bucket.
  const seed = randomUUID()

  let sessions = 0
  let bytes = 0
  let evicted = 0

  const hashOfSubject = (subject: string): number =>
    digest("sha256", seed + JSON.stringify(subject), "buffer").readUInt32LE(0)

  /** The record, expired or not; 0 when there is none. The id must have been read. */
  const slotOf = (): number => {
    let slot = byId.first(Ids.hash())
    while (slot !== 0 && !Ids.matches(records, slot)) slot = byId.next(slot)
    return slot
  }

  const isLive = (slot: number, now: number): boolean => records.getDouble(slot, R.expiresAt) > now

  /** The record that has not expired; 0 when there is none. The id must have been read. */
  const liveSlot = (now: number): number => {
    const slot = slotOf()
    return slot !== 0 && isLive(slot, now) ? slot : 0
  }

  const live = (id: string, now: number): number => Ids.read(id) ? liveSlot(now) : 0

  const textOf = (slot: number): string =>
    texts.read(records.get(slot, R.textHead), records.get(slot, R.textLength), records.has(slot, R.flagWide))

  const ownerIn = (slot: number, text: string): Owner | undefined =>
    records.has(slot, R.flagOwner) ? unpackOwner(text.slice(0, endOfOwner(text))) : undefined

  const expiryOf = (slot: number): Expiry => ({
    createdAt: records.getDouble(slot, R.createdAt),
    refreshedAt: records.getDouble(slot, R.refreshedAt),
    expiresAt: records.getDouble(slot, R.expiresAt),
    idleMillis: records.getDouble(slot, R.idleMillis),
    persistent: records.has(slot, R.flagPersistent),
    own: records.has(slot, R.flagOwn)
  })

  const setExpiry = (slot: number, expiry: Expiry): void => {
    records.setDouble(slot, R.createdAt, expiry.createdAt)
    records.setDouble(slot, R.refreshedAt, expiry.refreshedAt)
    records.setDouble(slot, R.expiresAt, expiry.expiresAt)
    records.setDouble(slot, R.idleMillis, expiry.idleMillis)
    records.mark(slot, R.flagPersistent, expiry.persistent)
    records.mark(slot, R.flagOwn, expiry.own)
  }

  const dataIn = (slot: number, text: string): Map<string, string> =>
    // sound: the text is one that `pack` wrote, in this process
    Data.unpack(text, records.has(slot, R.flagOwner) ? endOfOwner(text) : 0)!

  const listedOf = (slot: number): ListedSession => ({
    ...expiryOf(slot),
    owner: ownerIn(slot, textOf(slot)),
    version: records.getDouble(slot, R.version)
  })

  const sessionOf = (slot: number): StoredSession => {
    const text = textOf(slot)
    return {
      createdAt: records.getDouble(slot, R.createdAt),
      refreshedAt: records.getDouble(slot, R.refreshedAt),
      expiresAt: records.getDouble(slot, R.expiresAt),
      idleMillis: records.getDouble(slot, R.idleMillis),
      persistent: records.has(slot, R.flagPersistent),
      own: records.has(slot, R.flagOwn),
      data: dataIn(slot, text),
      owner: ownerIn(slot, text),
      version: records.getDouble(slot, R.version)
    }
  }

  const drop = (slot: number): void => {
    recency.remove(slot)
    heap.remove(slot)
    byId.remove(slot)
    if (records.has(slot, R.flagOwner)) bySubject.remove(slot)
    sessions--
    bytes -= bytesOf(slot)
    texts.release(records.get(slot, R.textHead))
    records.release(slot)
  }

  /** Room for so many more sessions and octets: what has expired goes first, then who was used least, never `keep`. */
  const makeRoom = (moreSessions: number, moreBytes: number, now: number, keep: number): void => {
    let count = 0
    while (sessions + moreSessions > maxSessions || bytes + moreBytes > maxBytes) {
      let victim = heap.expired(now)
      if (victim === 0) {
        victim = recency.victim(keep)
        count++
      }
      drop(victim)
    }
    if (count > 0) {
      evicted += count
      evictedTotal.unsafeUpdate(count, [])
    }
  }

  /** Adds a record under the id that was read last; one of that id must have expired, and makes way. */
  const put = (session: NewSession, text: string, now: number): void => {
    const expired = slotOf()
    if (expired !== 0) drop(expired)
    const asWide = isWide(text)
    const length = lengthOf(text, asWide)
    const size = sizeOf(length)
    const { owner } = session
    makeRoom(1, size, now, 0)
    records.reserve()
    texts.reserve(blocksOf(length))
    heap.reserve()
    byId.reserve()
    if (owner !== undefined) bySubject.reserve()

    const slot = records.take()
    records.set(slot, R.flags, (asWide ? R.flagWide : 0) | (owner === undefined ? 0 : R.flagOwner))
    records.setDouble(slot, R.version, 1)
    setExpiry(slot, session)
    records.set(slot, R.textHead, texts.write(0, text, asWide))
    records.set(slot, R.textLength, length)
    Ids.store(records, slot)
    byId.add(slot)
    heap.add(slot)
    if (owner !== undefined) {
      records.set(slot, R.subjectHash, hashOfSubject(owner.subject))
      bySubject.add(slot)
    }
    // Who has signed in counts as having come back: a flood must not undo a sign-in before the next request.
    recency.add(slot, owner !== undefined)
    sessions++
    bytes += size
  }

  const refuse = (id: string): Effect.Effect<never> =>
    Effect.die(new TypeError(`a session id is 43 characters of base64url, got ${id.length} characters that are none`))

  const doesNotFit = (size: number): Effect.Effect<never, SessionStoreError> =>
    Effect.fail(SessionStoreError.of(
      "insert",
      "Unavailable",
      `the session takes ${size} octets, the Memory store has maxBytes ${maxBytes}`
    ))

  const sizeOfText = (text: string): number => sizeOf(lengthOf(text, isWide(text)))

  /** The live records of a subject, oldest first. */
  const slotsOf = (subject: string, now: number): ReadonlyArray<number> => {
    const hash = hashOfSubject(subject)
    const slots: Array<number> = []
    for (let slot = bySubject.first(hash); slot !== 0; slot = bySubject.next(slot)) {
      if (records.get(slot, R.subjectHash) !== hash || !isLive(slot, now)) continue
      if (ownerIn(slot, textOf(slot))?.subject === subject) slots.push(slot)
    }
    return slots.sort((a, b) => records.getDouble(a, R.createdAt) - records.getDouble(b, R.createdAt))
  }

  const backend: SessionBackendService = {
    find: (id, now) => {
      const slot = live(id, now)
      if (slot === 0) return done.none
      recency.use(slot)
      return Effect.succeed(Option.some(sessionOf(slot)))
    },

    insert: (id, session, now) => {
      if (!Ids.read(id)) return refuse(id)
      if (liveSlot(now) !== 0) return done.false
      const text = textFor(session)
      const size = sizeOfText(text)
      if (size > maxBytes) return doesNotFit(size)
      put(session, text, now)
      return done.true
    },

    update: (id, patch, now, ifVersion) => {
      const slot = live(id, now)
      if (slot === 0) return doneMissing
      const version = records.getDouble(slot, R.version)
      if (ifVersion !== undefined && ifVersion !== version) return doneConflict
      if (!changesNothing(patch)) {
        const before = textOf(slot)
        const ownerEnd = records.has(slot, R.flagOwner) ? endOfOwner(before) : 0
        const data = Data.applyPatch(patch.clear ? new Map() : dataIn(slot, before), patch)
        const packed = Data.pack(data)
        // A text of n code units has at most 3n octets: most sessions need no counting.
        if (packed.length * 3 > patch.maxBytes) {
          const size = Data.totalOctets(data)
          if (size > patch.maxBytes && size > Data.totalOctets(dataIn(slot, before))) {
            return Effect.succeed<Updated>({ _tag: "TooLarge", size })
          }
        }
        const text = before.slice(0, ownerEnd) + packed
        const asWide = isWide(text)
        const length = lengthOf(text, asWide)
        const size = sizeOf(length)
        if (size > maxBytes) return Effect.succeed<Updated>({ _tag: "TooLarge", size: Data.totalOctets(data) })
        const more = size - bytesOf(slot)
        if (more > 0) {
          makeRoom(0, more, now, slot)
          texts.reserve(blocksOf(length))
        }
        recency.remove(slot)
        records.set(slot, R.textHead, texts.write(records.get(slot, R.textHead), text, asWide))
        records.set(slot, R.textLength, length)
        records.mark(slot, R.flagWide, asWide)
        bytes += more
        recency.add(slot, true)
      } else {
        recency.use(slot)
      }
      records.setDouble(slot, R.version, version + 1)
      if (patch.expiry !== undefined) {
        setExpiry(slot, patch.expiry)
        heap.move(slot)
      }
      return Effect.succeed<Updated>({ _tag: "Updated", version: version + 1, expiry: expiryOf(slot) })
    },

    remove: (id, ifVersion, now) => {
      const slot = live(id, now)
      if (slot === 0) return done.missing
      if (ifVersion !== undefined && ifVersion !== records.getDouble(slot, R.version)) return done.conflict
      drop(slot)
      return done.removed
    },

    removeExpired: (now, limit) => {
      let count = 0
      while (count < limit) {
        const slot = heap.expired(now)
        if (slot === 0) break
        drop(slot)
        count++
      }
      return Effect.succeed(count)
    }
  }

  const index: SubjectIndexService = {
    insert: (id, session, now, bound) => {
      if (!Ids.read(id)) return refuse(id)
      if (liveSlot(now) !== 0) return done.Taken
      const text = textFor(session)
      const size = sizeOfText(text)
      if (size > maxBytes) return doesNotFit(size)
      if (bound !== undefined) {
        const others = slotsOf(session.owner.subject, now)
        const surplus = others.length + 1 - bound.max
        if (surplus > 0) {
          if (bound.whenFull === "refuse" || bound.max < 1) return done.Full
          for (let i = 0; i < surplus; i++) drop(others[i])
        }
      }
      put(session, text, now)
      return done.Inserted
    },

    list: (subject, now) =>
      Effect.succeed(
        slotsOf(subject, now).map((slot) => ({ id: Ids.text(records, slot), session: listedOf(slot) }))
      ),

    // A record leaves the index when it is removed: nothing can be stale.
    forget: () => done.void
  }

  const stats: Stats = {
    sessions: () => sessions,
    bytes: () => bytes,
    allocatedBytes: () =>
      records.allocatedBytes + texts.allocatedBytes + heap.allocatedBytes + byId.allocatedBytes
      + bySubject.allocatedBytes,
    evicted: () => evicted
  }

  return { backend, index, stats }
}

/** Octets that a session takes whose owner and data have so many. */
const sizeOf = (textLength: number): number => fixedBytes + blocksOf(textLength) * blockBytes

const changesNothing = (patch: Patch): boolean => !patch.clear && patch.set.size === 0 && patch.remove.size === 0

/** The text of a record: `<length of owner>:<owner>` if it has one, and the packed data. */
const textFor = (session: NewSession): string => {
  const data = Data.pack(session.data)
  return session.owner === undefined ? data : packOwner(session.owner) + data
}

const packOwner = ({ address, authenticatedAt, subject, userAgent }: Owner): string => {
  const json = JSON.stringify([subject, authenticatedAt, userAgent, address])
  return `${json.length}:${json}`
}

const unpackOwner = (packed: string): Owner => {
  const [subject, authenticatedAt, userAgent, address] = JSON.parse(packed.slice(packed.indexOf(":") + 1))
  return { subject, authenticatedAt, userAgent: userAgent ?? undefined, address: address ?? undefined }
}

const endOfOwner = (text: string): number => {
  const colon = text.indexOf(":")
  return colon + 1 + Number(text.slice(0, colon))
}
