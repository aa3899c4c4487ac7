/**
 * First in, first out, one at a time for each key: who lost a compare-and-set waits here for their turn instead of trying
 * on against everybody else of this process.
 */
import * as Effect from "effect/Effect"

interface Queue {
  readonly semaphore: Effect.Semaphore
  /** who holds it or waits for it: the last one out removes the queue */
  users: number
}

export class Queues {
  private readonly queues = new Map<string, Queue>()

  /** Whether somebody holds the turn of this key. */
  isBusy(key: string): boolean {
    return this.queues.has(key)
  }

  inTurn<A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const queue = this.queues.get(key) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
      this.queues.set(key, queue)
      queue.users++
      return Effect.ensuring(
        queue.semaphore.withPermits(1)(effect),
        Effect.sync(() => {
          queue.users--
          if (queue.users === 0) this.queues.delete(key)
        })
      )
    })
  }
}
