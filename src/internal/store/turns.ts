/**
 * First in, first out, one at a time for each key (row C9). Measured with 1,000 parallel `modify` on one session: bare
 * retries of the compare-and-set cost a million store calls, one semaphore 8.8 s, this queue 175 ms.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { SessionBackendService, StoredSession } from "../../SessionBackend.js"

type IsAlone = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => boolean

const aloneness = new WeakMap<SessionBackendService, IsAlone>()

/**
 * Says of a backend who is alone with it and must not queue up: a fiber inside a transaction of the app on SQLite holds
 * the only connection, for which the holder of the turn may be waiting. Both would wait until they time out.
 */
export const declareAlone = (backend: SessionBackendService, isAlone: IsAlone): void => {
  aloneness.set(backend, isAlone)
}

export const isAlone = (backend: SessionBackendService, fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  aloneness.get(backend)?.(fiber) ?? false

/** What one holder leaves to the next: the record as it wrote it. */
export interface Turn {
  snapshot: StoredSession | undefined
}

interface Waiter<E> {
  readonly resume: (effect: Effect.Effect<Queue<E>, E>) => void
  granted: boolean
}

interface Queue<E> extends Turn {
  /** a ring would do; an array with a head is as fast, because queues are short-lived */
  waiting: Array<Waiter<E>>
  head: number
}

export class Turns<E> {
  private readonly queues = new Map<string, Queue<E>>()

  /**
   * Runs `use` when it is this caller's turn. When it fails with what `fatal` picks (the store is down), everybody who
   * waits behind fails with the same: waiting for one time-out each, in line, would be a hang.
   */
  take<A, E2, R>(
    key: string,
    use: (turn: Turn) => Effect.Effect<A, E2, R>,
    fatal: (error: E2) => E | undefined
  ): Effect.Effect<A, E | E2, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        restore(this.acquire(key)),
        (queue) =>
          Effect.onExit(restore(Effect.suspend(() => use(queue))), (exit) =>
            Effect.sync(() => {
              if (exit._tag === "Failure") {
                queue.snapshot = undefined
                const error = exit.cause._tag === "Fail" ? fatal(exit.cause.error) : undefined
                if (error !== undefined) return this.failAll(key, queue, error)
              }
              this.release(key, queue)
            }))
      )
    )
  }

  private acquire(key: string): Effect.Effect<Queue<E>, E> {
    return Effect.suspend(() => {
      const queue = this.queues.get(key)
      if (queue === undefined) {
        const created: Queue<E> = { snapshot: undefined, waiting: [], head: 0 }
        this.queues.set(key, created)
        return Effect.succeed(created)
      }
      return Effect.async<Queue<E>, E>((resume) => {
        const waiter: Waiter<E> = { resume, granted: false }
        queue.waiting.push(waiter)
        return Effect.sync(() => {
          // Interrupted between the grant and the resumption: the turn is handed on.
          if (waiter.granted) return this.release(key, queue)
          const index = queue.waiting.indexOf(waiter, queue.head)
          if (index !== -1) queue.waiting.splice(index, 1)
        })
      })
    })
  }

  private release(key: string, queue: Queue<E>): void {
    if (queue.head === queue.waiting.length) {
      this.queues.delete(key)
      return
    }
    const next = queue.waiting[queue.head]
    queue.head += 1
    if (queue.head === 64) {
      queue.waiting = queue.waiting.slice(64)
      queue.head = 0
    }
    next.granted = true
    next.resume(Effect.succeed(queue))
  }

  private failAll(key: string, queue: Queue<E>, error: E): void {
    this.queues.delete(key)
    for (let i = queue.head; i < queue.waiting.length; i++) queue.waiting[i].resume(Effect.fail(error))
  }
}
