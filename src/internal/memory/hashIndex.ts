/**
 * Finds records by a hash that they carry. This is linear hashing (W. Litwin, 1980): the table grows by one bucket for each
 * record that is added, so that no insert ever has to rehash a million records.
 *
 * The records of a bucket are chained through two of their own fields.
 */
import type { Records } from "./records.js"

const chunkBits = 12
const chunkHeads = 1 << chunkBits
const chunkMask = chunkHeads - 1

export interface Fields {
  readonly hash: number
  readonly next: number
  readonly previous: number
}

export const headBytes = 4

export class HashIndex {
  private readonly heads: Array<Uint32Array> = []
  /** a power of two; the buckets below `split` have already been split for the next power */
  private base = chunkHeads
  private split = 0
  private count = 0

  constructor(private readonly records: Records, private readonly fields: Fields) {}

  get allocatedBytes(): number {
    return this.heads.length * chunkHeads * headBytes
  }

  /** Makes sure that the next `add` needs no memory. */
  reserve(): void {
    while ((this.base + this.split) >>> chunkBits >= this.heads.length) this.heads.push(new Uint32Array(chunkHeads))
  }

  /** The first record in the bucket of a hash; 0 when there is none. The record may have another hash. */
  first(hash: number): number {
    return this.heads.length === 0 ? 0 : this.head(this.bucketOf(hash))
  }

  next(slot: number): number {
    return this.records.get(slot, this.fields.next)
  }

  /** Adds a record, whose hash must be set. */
  add(slot: number): void {
    this.link(slot, this.bucketOf(this.records.get(slot, this.fields.hash)))
    if (++this.count > this.base + this.split) this.grow()
  }

  remove(slot: number): void {
    const next = this.records.get(slot, this.fields.next)
    const previous = this.records.get(slot, this.fields.previous)
    if (previous === 0) this.setHead(this.bucketOf(this.records.get(slot, this.fields.hash)), next)
    else this.records.set(previous, this.fields.next, next)
    if (next !== 0) this.records.set(next, this.fields.previous, previous)
    this.count--
  }

  private grow(): void {
    const from = this.split
    let slot = this.head(from)
    this.setHead(from, 0)
    if (++this.split === this.base) {
      this.base *= 2
      this.split = 0
    }
    while (slot !== 0) {
      const next = this.records.get(slot, this.fields.next)
      this.link(slot, this.bucketOf(this.records.get(slot, this.fields.hash)))
      slot = next
    }
  }

  private link(slot: number, bucket: number): void {
    const head = this.head(bucket)
    this.records.set(slot, this.fields.next, head)
    this.records.set(slot, this.fields.previous, 0)
    if (head !== 0) this.records.set(head, this.fields.previous, slot)
    this.setHead(bucket, slot)
  }

  private bucketOf(hash: number): number {
    const bucket = hash & (this.base - 1)
    return bucket < this.split ? hash & (this.base * 2 - 1) : bucket
  }

  private head(bucket: number): number {
    return this.heads[bucket >>> chunkBits][bucket & chunkMask]
  }

  private setHead(bucket: number, slot: number): void {
    this.heads[bucket >>> chunkBits][bucket & chunkMask] = slot
  }
}
