/**
 * Records by the time at which they expire, the next one first. This is a heap in which each node has four children. It finds
 * the next expired record in a few steps and is exact, so that clean-up never has to search. Each record knows its place in the
 * heap, so that a deadline that moves takes a few steps, too. The times lie beside the slots, so that comparing them does not
 * touch the memory of the records.
 */
import { expiresAt, heapPosition, type Records } from "./records.js"

const chunkBits = 12
const chunkNodes = 1 << chunkBits
const chunkMask = chunkNodes - 1

export const nodeBytes = 12

export class ExpiryHeap {
  private readonly keys: Array<Float64Array> = []
  private readonly slots: Array<Uint32Array> = []
  private count = 0

  constructor(private readonly records: Records) {}

  get allocatedBytes(): number {
    return this.keys.length * chunkNodes * nodeBytes
  }

  /** Makes sure that the next `add` needs no memory. */
  reserve(): void {
    if (this.count >>> chunkBits < this.keys.length) return
    this.keys.push(new Float64Array(chunkNodes))
    this.slots.push(new Uint32Array(chunkNodes))
  }

  /** The record that expires next, if it has expired already; else 0. */
  expired(now: number): number {
    return this.count > 0 && this.key(0) <= now ? this.slot(0) : 0
  }

  add(slot: number): void {
    this.up(this.count++, slot, this.records.getDouble(slot, expiresAt))
  }

  /** Must be called after the time of a record was changed. */
  move(slot: number): void {
    this.place(this.records.get(slot, heapPosition), slot, this.records.getDouble(slot, expiresAt))
  }

  remove(slot: number): void {
    const at = this.records.get(slot, heapPosition)
    const last = --this.count
    if (at !== last) this.place(at, this.slot(last), this.key(last))
  }

  private place(at: number, slot: number, key: number): void {
    if (at > 0 && key < this.key((at - 1) >>> 2)) this.up(at, slot, key)
    else this.down(at, slot, key)
  }

  private up(from: number, slot: number, key: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >>> 2
      const parentKey = this.key(parent)
      if (parentKey <= key) break
      this.put(at, this.slot(parent), parentKey)
      at = parent
    }
    this.put(at, slot, key)
  }

  private down(from: number, slot: number, key: number): void {
    let at = from
    for (;;) {
      const first = at * 4 + 1
      if (first >= this.count) break
      const end = Math.min(first + 4, this.count)
      let child = first
      let childKey = this.key(first)
      for (let i = first + 1; i < end; i++) {
        const other = this.key(i)
        if (other < childKey) {
          child = i
          childKey = other
        }
      }
      if (key <= childKey) break
      this.put(at, this.slot(child), childKey)
      at = child
    }
    this.put(at, slot, key)
  }

  private put(at: number, slot: number, key: number): void {
    this.keys[at >>> chunkBits][at & chunkMask] = key
    this.slots[at >>> chunkBits][at & chunkMask] = slot
    this.records.set(slot, heapPosition, at)
  }

  private key(at: number): number {
    return this.keys[at >>> chunkBits][at & chunkMask]
  }

  private slot(at: number): number {
    return this.slots[at >>> chunkBits][at & chunkMask]
  }
}
