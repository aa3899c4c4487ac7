/**
 * Decides which record goes when there is no room: a segmented LRU of four queues, each ordered by last use. A queue gives
 * up its records before the next one loses any.
 *
 * 1. Marks of renewals, which are not sessions.
 * 2. Anonymous sessions that never came back since they were inserted, so that a flood of visitors who come once evicts only
 *    such visitors.
 * 3. Anonymous sessions that came back. Together with the fourth queue they may hold all but 1/32 of the store. What is
 *    pushed out of this queue, its least recently used, counts from then on as if it had not come back. Without that share, a
 *    store filled by sessions that once came back would evict every newcomer before its second request.
 * 4. Sessions of a subject, so that no number of anonymous visitors signs a user out.
 */
import { flagMark, flagOwner, flagReturned, type Records, usedAfter, usedBefore } from "./records.js"

const newcomersShare = 32

/** How much of a bound newcomers leave to the other sessions. */
const returnedShare = (bound: number): number => bound - Math.max(1, Math.floor(bound / newcomersShare))

class Queue {
  newest = 0
  oldest = 0
  count = 0
  bytes = 0
}

export class Recency {
  private readonly marks = new Queue()
  private readonly waiting = new Queue()
  private readonly returned = new Queue()
  private readonly owned = new Queue()
  private readonly maxReturned: number
  private readonly maxReturnedBytes: number

  constructor(
    private readonly records: Records,
    private readonly bytesOf: (slot: number) => number,
    maxRecords: number,
    maxBytes: number
  ) {
    this.maxReturned = returnedShare(maxRecords)
    this.maxReturnedBytes = returnedShare(maxBytes)
  }

  /** Enters a record as the last one used. */
  add(slot: number, returned: boolean): void {
    this.push(slot, returned)
    const { owned, returned: queue } = this
    while (
      queue.count > 0
      && (queue.count + owned.count > this.maxReturned || queue.bytes + owned.bytes > this.maxReturnedBytes)
    ) {
      const oldest = queue.oldest
      this.remove(oldest)
      this.push(oldest, false)
    }
  }

  /** The record came back. */
  use(slot: number): void {
    this.remove(slot)
    this.add(slot, true)
  }

  /** Must be called while the record has the size that it was added with. */
  remove(slot: number): void {
    const queue = this.queueOf(slot)
    const before = this.records.get(slot, usedBefore)
    const after = this.records.get(slot, usedAfter)
    if (before === 0) queue.oldest = after
    else this.records.set(before, usedAfter, after)
    if (after === 0) queue.newest = before
    else this.records.set(after, usedBefore, before)
    queue.count--
    queue.bytes -= this.bytesOf(slot)
  }

  /** The record that goes next, never `keep`; 0 when there is no other. */
  victim(keep: number): number {
    return this.marks.oldest || this.oldestBut(this.waiting, keep) || this.oldestBut(this.returned, keep)
      || this.oldestBut(this.owned, keep)
  }

  private oldestBut(queue: Queue, keep: number): number {
    return queue.oldest === keep && keep !== 0 ? this.records.get(keep, usedAfter) : queue.oldest
  }

  private queueOf(slot: number): Queue {
    const { records } = this
    if (records.has(slot, flagOwner)) return this.owned
    if (records.has(slot, flagMark)) return this.marks
    return records.has(slot, flagReturned) ? this.returned : this.waiting
  }

  private push(slot: number, returned: boolean): void {
    this.records.mark(slot, flagReturned, returned)
    const queue = this.queueOf(slot)
    const newest = queue.newest
    this.records.set(slot, usedBefore, newest)
    this.records.set(slot, usedAfter, 0)
    if (newest === 0) queue.oldest = slot
    else this.records.set(newest, usedAfter, slot)
    queue.newest = slot
    queue.count++
    queue.bytes += this.bytesOf(slot)
  }
}
