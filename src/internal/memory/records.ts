/**
 * The fixed part of a million records, in typed arrays: 120 bytes a record, nothing for the garbage collector to walk.
 *
 * A record is named by its slot, a number from 1; 0 is no record. Slots live in chunks that are added one at a time and
 * never moved, so that growing costs the same at any size. Chunks are reused, never given back.
 *
 * A record is one stretch of memory (not a column for each field): a lookup touches two cache lines instead of ten.
 */

const chunkBits = 12
const chunkSlots = 1 << chunkBits
const chunkMask = chunkSlots - 1

/** Words of 32 bits a record takes; even, so that the doubles in front stay aligned. */
const recordWords = 30

export const recordBytes = recordWords * 4

/** Fields of 64 bits, counted in doubles from the start of the record. */
export const expiresAt = 0
export const createdAt = 1
export const refreshedAt = 2
export const idleMillis = 3
export const version = 4

/** Fields of 32 bits, counted in words from the start of the record. */
export const id = 10
export const idWords = 8
/** links of the id's chain in its hash index; `idNext` also links the free slots */
export const idNext = 18
export const idPrevious = 19
/** links of the segment of recency that the record is in */
export const usedBefore = 20
export const usedAfter = 21
export const heapPosition = 22
export const flags = 23
/** the first block of the text, and the bytes the text has */
export const textHead = 24
export const textLength = 25
export const subjectHash = 26
export const subjectNext = 27
export const subjectPrevious = 28

export const flagPersistent = 1
export const flagOwn = 2
export const flagOwner = 4
/** the text is UTF-16, not Latin-1 */
export const flagWide = 8
/** came back since it was inserted */
export const flagReturned = 16
/** the mark of a renewal, and no session */
export const flagMark = 32

export class Records {
  private readonly words: Array<Uint32Array> = []
  private readonly doubles: Array<Float64Array> = []
  private freeHead = 0
  /** slot 0 is no record */
  private next = 1

  get allocatedBytes(): number {
    return this.words.length * chunkSlots * recordBytes
  }

  /** Makes sure that the next `take` needs no memory: what may throw happens before anything was changed. */
  reserve(): void {
    if (this.freeHead !== 0 || this.next >>> chunkBits < this.words.length) return
    const buffer = new ArrayBuffer(chunkSlots * recordBytes)
    this.words.push(new Uint32Array(buffer))
    this.doubles.push(new Float64Array(buffer))
  }

  take(): number {
    const slot = this.freeHead
    if (slot === 0) return this.next++
    this.freeHead = this.get(slot, idNext)
    return slot
  }

  release(slot: number): void {
    this.set(slot, idNext, this.freeHead)
    this.freeHead = slot
  }

  get(slot: number, field: number): number {
    return this.words[slot >>> chunkBits][(slot & chunkMask) * recordWords + field]
  }

  set(slot: number, field: number, value: number): void {
    this.words[slot >>> chunkBits][(slot & chunkMask) * recordWords + field] = value
  }

  getDouble(slot: number, field: number): number {
    return this.doubles[slot >>> chunkBits][(slot & chunkMask) * (recordWords >>> 1) + field]
  }

  setDouble(slot: number, field: number, value: number): void {
    this.doubles[slot >>> chunkBits][(slot & chunkMask) * (recordWords >>> 1) + field] = value
  }

  has(slot: number, flag: number): boolean {
    return (this.get(slot, flags) & flag) !== 0
  }

  mark(slot: number, flag: number, on: boolean): void {
    const before = this.get(slot, flags)
    this.set(slot, flags, on ? before | flag : before & ~flag)
  }
}
