/**
 * All sessions of a Memory store. This is where its parts meet: the records, their texts, the heap of expiry times, the two
 * hash indexes and the queues of recency. Whoever adds, changes or drops a session does it here, so that no part is forgotten.
 *
 * A session is named by the slot of its record, a number from 1; slot 0 stands for no session. Every step is synchronous,
 * which is what makes it atomic. docs/memory-store.md explains the parts and draws them.
 */
import * as Effect from "effect/Effect"
import { hash as digest, randomUUID } from "node:crypto"
import type {
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  Renewed,
  StoredSession,
  Successor
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Mark from "../store/mark.js"
import * as Metrics from "../store/metrics.js"
import { ExpiryHeap } from "./expiryHeap.js"
import { HashIndex } from "./hashIndex.js"
import * as Ids from "./ids.js"
import { Recency } from "./recency.js"
import * as R from "./records.js"
import * as SessionText from "./sessionText.js"
import { sizeOf } from "./size.js"
import { blocksOf, Measured, Texts } from "./texts.js"

/**
 * Learns which sessions were removed to make room for others. Their names are read only where `isHeard`.
 */
export interface Observer {
  readonly isHeard: boolean
  readonly removed: (
    reason: "StoreFull" | "Expired",
    id: string | undefined,
    subject: string | undefined,
    now: number
  ) => void
}

export class SessionTable {
  private readonly records = new R.Records()
  private readonly texts = new Texts()
  private readonly heap = new ExpiryHeap(this.records)
  private readonly byId = new HashIndex(this.records, { hash: R.id, next: R.idNext, previous: R.idPrevious })
  private readonly bySubject = new HashIndex(this.records, {
    hash: R.subjectHash,
    next: R.subjectNext,
    previous: R.subjectPrevious
  })
  private readonly recency: Recency
  /** Secret, so that somebody who chooses a subject cannot choose the bucket that it falls into. */
  private readonly seed = randomUUID()

  /** All slots in use, those of marks included. */
  sessions = 0
  marks = 0
  /** What counts against `maxBytes`. */
  bytes = 0
  evicted = 0

  constructor(
    private readonly maxSessions: number,
    readonly maxBytes: number,
    private readonly observer: Observer | undefined
  ) {
    this.recency = new Recency(this.records, (slot) => this.bytesOf(slot), maxSessions, maxBytes)
  }

  /** What was taken from the system so far. It is reused, and never given back. */
  get allocatedBytes(): number {
    return this.records.allocatedBytes + this.texts.allocatedBytes + this.heap.allocatedBytes
      + this.byId.allocatedBytes + this.bySubject.allocatedBytes
  }

  /** The session of an id that has not expired; 0 when there is none. */
  live(id: string, now: number): number {
    return Ids.read(id) ? this.liveSlot(now) : 0
  }

  /** The session that expires next, if it has expired; else 0. */
  nextExpired(now: number): number {
    return this.heap.expired(now)
  }

  /** The live sessions of a subject, oldest first. */
  ofSubject(subject: string, now: number): ReadonlyArray<number> {
    const hash = this.hashOfSubject(subject)
    const slots: Array<number> = []
    for (let slot = this.bySubject.first(hash); slot !== 0; slot = this.bySubject.next(slot)) {
      if (this.records.get(slot, R.subjectHash) !== hash || !this.isLive(slot, now)) continue
      if (this.ownerIn(slot, this.text(slot))?.subject === subject) slots.push(slot)
    }
    return slots.sort((a, b) => this.records.getDouble(a, R.createdAt) - this.records.getDouble(b, R.createdAt))
  }

  id(slot: number): string {
    return Ids.text(this.records, slot)
  }

  subject(slot: number): string | undefined {
    return this.records.has(slot, R.flagOwner) ? this.ownerIn(slot, this.text(slot))?.subject : undefined
  }

  version(slot: number): number {
    return this.records.getDouble(slot, R.version)
  }

  times(slot: number): Expiry {
    const { records } = this
    return {
      createdAt: records.getDouble(slot, R.createdAt),
      refreshedAt: records.getDouble(slot, R.refreshedAt),
      expiresAt: records.getDouble(slot, R.expiresAt),
      idleMillis: records.getDouble(slot, R.idleMillis),
      persistent: records.has(slot, R.flagPersistent),
      own: records.has(slot, R.flagOwn)
    }
  }

  /** Lists the times by name, because spreading them takes longer and this is on the path of every `find`. */
  session(slot: number): StoredSession {
    const { records } = this
    const text = this.text(slot)
    return {
      createdAt: records.getDouble(slot, R.createdAt),
      refreshedAt: records.getDouble(slot, R.refreshedAt),
      expiresAt: records.getDouble(slot, R.expiresAt),
      idleMillis: records.getDouble(slot, R.idleMillis),
      persistent: records.has(slot, R.flagPersistent),
      own: records.has(slot, R.flagOwn),
      data: SessionText.readData(text, this.dataStart(slot, text)),
      owner: this.ownerIn(slot, text),
      version: this.version(slot)
    }
  }

  /** A session without its data. */
  listed(slot: number): ListedSession {
    return { owner: this.ownerIn(slot, this.text(slot)), version: this.version(slot), ...this.times(slot) }
  }

  /** The owner and the data of a session as one text, see `sessionText.ts`. */
  text(slot: number): string {
    const { records } = this
    return this.texts.read(
      records.get(slot, R.textHead),
      records.get(slot, R.textLength),
      records.has(slot, R.flagWide)
    )
  }

  /** Where the data begins in a session's text. */
  dataStart(slot: number, text: string): number {
    return this.records.has(slot, R.flagOwner) ? SessionText.endOfOwner(text) : 0
  }

  /** Counts the session as used now, and as having come back. */
  use(slot: number): void {
    this.recency.use(slot)
  }

  /**
   * The text of a session that may be inserted under this id; otherwise why it may not. `put` must follow before another id
   * is read.
   */
  admit(id: string, session: NewSession, now: number): Measured | "Taken" | Effect.Effect<never, SessionStoreError> {
    if (!Ids.read(id)) return notAnId(id)
    if (this.liveSlot(now) !== 0) return "Taken"
    const text = new Measured(SessionText.write(session))
    const size = sizeOf(text.length)
    return size > this.maxBytes ? this.doesNotFit(size) : text
  }

  /** Adds a session under the id that was admitted. An expired session of that id is dropped first. */
  put(session: NewSession, text: Measured, now: number): void {
    this.add(session, text, now, 1, session.owner === undefined ? 0 : R.flagOwner)
  }

  /**
   * Leaves a mark under the id that was read last, whose session was dropped. Where the session's place is too small for it,
   * no mark is left, because a mark must not evict a session.
   */
  putMark(successor: Successor, now: number): void {
    const record = Mark.toRecord(successor, now)
    const text = new Measured(SessionText.write(record))
    if (this.bytes + sizeOf(text.length) > this.maxBytes) return
    this.add(record, text, now, Mark.version, R.flagMark)
    this.marks++
  }

  /** Adds a record under the id that was read last. */
  private add(session: NewSession, text: Measured, now: number, version: number, kind: number): void {
    const { records } = this
    const expired = this.slotOf()
    if (expired !== 0) this.drop(expired)
    const size = sizeOf(text.length)
    const { owner } = session
    this.makeRoom(1, size, now, 0)
    // All memory is taken here: whatever throws does so before anything was changed.
    records.reserve()
    this.texts.reserve(blocksOf(text.length))
    this.heap.reserve()
    this.byId.reserve()
    if (owner !== undefined) this.bySubject.reserve()

    const slot = records.take()
    records.set(slot, R.flags, (text.wide ? R.flagWide : 0) | kind)
    records.setDouble(slot, R.version, version)
    this.setTimes(slot, session)
    records.set(slot, R.textHead, this.texts.write(0, text))
    records.set(slot, R.textLength, text.length)
    Ids.store(records, slot)
    this.byId.add(slot)
    this.heap.add(slot)
    if (owner !== undefined) {
      records.set(slot, R.subjectHash, this.hashOfSubject(owner.subject))
      this.bySubject.add(slot)
    }
    this.recency.add(slot, false)
    this.sessions++
    this.bytes += size
  }

  /** What a renewal has left is no session, although it lies in a slot like one. */
  isMark(slot: number): boolean {
    return this.records.has(slot, R.flagMark)
  }

  mark(slot: number): Renewed {
    return Mark.fromRecord(this.session(slot))
  }

  /** Replaces the text of a session and counts it as used. */
  rewrite(slot: number, text: Measured, now: number): void {
    const { records } = this
    const more = sizeOf(text.length) - this.bytesOf(slot)
    if (more > 0) {
      this.makeRoom(0, more, now, slot)
      this.texts.reserve(blocksOf(text.length))
    }
    this.recency.remove(slot)
    records.set(slot, R.textHead, this.texts.write(records.get(slot, R.textHead), text))
    records.set(slot, R.textLength, text.length)
    records.mark(slot, R.flagWide, text.wide)
    this.bytes += more
    this.recency.add(slot, true)
  }

  /** Counts an update: the next version, and new times where there are any. Returns the version. */
  advance(slot: number, expiry: Expiry | undefined): number {
    const version = this.version(slot) + 1
    this.records.setDouble(slot, R.version, version)
    if (expiry !== undefined) {
      this.setTimes(slot, expiry)
      this.heap.move(slot)
    }
    return version
  }

  drop(slot: number): void {
    const { records } = this
    this.recency.remove(slot)
    this.heap.remove(slot)
    this.byId.remove(slot)
    if (records.has(slot, R.flagOwner)) this.bySubject.remove(slot)
    if (this.isMark(slot)) this.marks--
    this.sessions--
    this.bytes -= this.bytesOf(slot)
    this.texts.release(records.get(slot, R.textHead))
    records.release(slot)
  }

  /**
   * Makes room for more sessions and bytes: expired sessions are dropped first, then what `Recency` says, but never `keep`.
   * Only a session that had not expired counts as evicted, and not a mark.
   */
  private makeRoom(moreSessions: number, moreBytes: number, now: number, keep: number): void {
    let count = 0
    while (this.sessions + moreSessions > this.maxSessions || this.bytes + moreBytes > this.maxBytes) {
      const expired = this.heap.expired(now)
      const victim = expired === 0 ? this.recency.victim(keep) : expired
      if (expired === 0 && !this.isMark(victim)) count++
      if (this.observer === undefined || this.isMark(victim)) this.drop(victim)
      else this.dropBefore(this.observer, victim, expired === 0 ? "StoreFull" : "Expired", now)
    }
    if (count > 0) {
      this.evicted += count
      Metrics.evicted(count)
    }
  }

  private dropBefore(observer: Observer, slot: number, reason: "StoreFull" | "Expired", now: number): void {
    const { isHeard } = observer
    const id = isHeard ? this.id(slot) : undefined
    const subject = isHeard ? this.subject(slot) : undefined
    this.drop(slot)
    observer.removed(reason, id, subject, now)
  }

  /** The session of the id that was read last, expired or not; 0 when there is none. */
  private slotOf(): number {
    let slot = this.byId.first(Ids.hash())
    while (slot !== 0 && !Ids.matches(this.records, slot)) slot = this.byId.next(slot)
    return slot
  }

  /** The session of the id that was read last, if it has not expired; else 0. */
  private liveSlot(now: number): number {
    const slot = this.slotOf()
    return slot !== 0 && this.isLive(slot, now) ? slot : 0
  }

  private isLive(slot: number, now: number): boolean {
    return this.records.getDouble(slot, R.expiresAt) > now
  }

  private bytesOf(slot: number): number {
    return sizeOf(this.records.get(slot, R.textLength))
  }

  private ownerIn(slot: number, text: string): Owner | undefined {
    return this.records.has(slot, R.flagOwner) ? SessionText.readOwner(text) : undefined
  }

  private setTimes(slot: number, times: Expiry): void {
    const { records } = this
    records.setDouble(slot, R.createdAt, times.createdAt)
    records.setDouble(slot, R.refreshedAt, times.refreshedAt)
    records.setDouble(slot, R.expiresAt, times.expiresAt)
    records.setDouble(slot, R.idleMillis, times.idleMillis)
    records.mark(slot, R.flagPersistent, times.persistent)
    records.mark(slot, R.flagOwn, times.own)
  }

  private hashOfSubject(subject: string): number {
    return digest("sha256", this.seed + JSON.stringify(subject), "buffer").readUInt32LE(0)
  }

  private doesNotFit(size: number): Effect.Effect<never, SessionStoreError> {
    return Effect.fail(SessionStoreError.of(
      "insert",
      "Unavailable",
      `the session takes ${size} bytes, but the Memory store holds at most ${this.maxBytes} (maxBytes)`
    ))
  }
}

const notAnId = (text: string): Effect.Effect<never> =>
  Effect.die(
    new TypeError(`a session id is 43 characters of canonical base64url; this text of ${text.length} is not one`)
  )
