/**
 * The queue of the library: the callers of one key take turns, first in, first out (row C9).
 *
 * A turn costs the same whether ten or a thousand callers wait. Both simpler ways do not: 1,000 parallel `modify` of one
 * session made a million store calls when each repeated its compare-and-set until it won, and took 8.8 s in line for a
 * semaphore of Effect, which wakes all who wait whenever one of them leaves. This queue takes 175 ms.
 */
import * as Effect from "effect/Effect"
import type { StoredSession } from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import { errorOf } from "../edition/cause.js"
import { Lazy } from "../edition/lazy.js"

/** What one caller leaves to the next one of the same key: the record as it is stored. */
export interface Turn {
  snapshot: StoredSession | undefined
}

/** Waiters form a chain, so that the first one and one in the middle leave at the same cost. */
interface Waiter<E> {
  readonly resume: (effect: Effect.Effect<Queue<E>, E>) => void
  granted: boolean
  before: Waiter<E> | undefined
  after: Waiter<E> | undefined
}

interface Queue<E> extends Turn {
  first: Waiter<E> | undefined
  last: Waiter<E> | undefined
}

const append = <E>(queue: Queue<E>, waiter: Waiter<E>): void => {
  waiter.before = queue.last
  if (queue.last === undefined) queue.first = waiter
  else queue.last.after = waiter
  queue.last = waiter
}

const remove = <E>(queue: Queue<E>, { after, before }: Waiter<E>): void => {
  if (before === undefined) queue.first = after
  else before.after = after
  if (after === undefined) queue.last = before
  else after.before = before
}

/**
 * What a caller does when it is its turn, as an effect. Where time is limited, the time of waiting for the turn is not to be
 * counted: `each` changes what is done in the turn, and leaves the waiting as it is.
 */
export class InTurn<A, E, R> extends Lazy<A, E, R> {
  constructor(
    private readonly use: (turn: Turn) => Effect.Effect<A, E, R>,
    private readonly take: (use: (turn: Turn) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ) {
    super()
  }

  static is<A, E, R>(effect: Effect.Effect<A, E, R>): effect is InTurn<A, E, R> {
    return effect instanceof InTurn
  }

  commit(): Effect.Effect<A, E, R> {
    return this.take(this.use)
  }

  each(change: (effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.take((turn) => change(this.use(turn)))
  }
}

/** The errors after which waiting for the store is pointless: all but a compare-and-set that lost too often. */
export const storeIsDown = (error: unknown): SessionStoreError | undefined =>
  error instanceof SessionStoreError && error.reason !== "Contention" ? error : undefined

/**
 * Which callers pass a queue that stands in front of a compare-and-set: those that are alone (see `SessionBackend`), and in a
 * worker of Cloudflare all of them. There, a request that waits for what another one does is ended by the runtime.
 */
export const passing = (isAlone: Effect.Effect<boolean> | undefined): Effect.Effect<boolean> | undefined =>
  globalThis.navigator?.userAgent === "Cloudflare-Workers" ? Effect.succeed(true) : isAlone

/** Queues by key. A queue exists while somebody has the turn. `E` is the error that can end a whole queue. */
export class Turns<E = never> {
  private readonly queues = new Map<string, Queue<E>>()

  /** `passes` tells which callers pass the queue, because they must not wait for another one (see {@link passing}). */
  constructor(private readonly passes?: Effect.Effect<boolean> | undefined) {}

  /**
   * Runs `use` when it is the caller's turn. Nobody else of the same key runs until it has ended.
   *
   * - `fatal`: picks the errors of `use` after which waiting is pointless. Every waiter of the key then fails with that error
   *   at once, instead of waiting for a time-out each, one after the other. See {@link storeIsDown}.
   */
  take<A, E2, R>(
    key: string,
    use: (turn: Turn) => Effect.Effect<A, E2, R>,
    fatal?: (error: E | E2) => E | undefined
  ): InTurn<A, E | E2, R> {
    return new InTurn<A, E | E2, R>(use, (use) => {
      const waiting = this.wait(key, use, fatal)
      return this.passes === undefined
        ? waiting
        : Effect.flatMap(this.passes, (passes) => passes ? use({ snapshot: undefined }) : waiting)
    })
  }

  private wait<A, E2, R>(
    key: string,
    use: (turn: Turn) => Effect.Effect<A, E2, R>,
    fatal: ((error: E2) => E | undefined) | undefined
  ): Effect.Effect<A, E | E2, R> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        restore(this.acquire(key)),
        (queue) =>
          Effect.onExit(restore(Effect.suspend(() => use(queue))), (exit) =>
            Effect.sync(() => {
              if (exit._tag === "Failure") {
                queue.snapshot = undefined
                const error = errorOf(exit.cause)
                const ending = error === undefined ? undefined : fatal?.(error)
                if (ending !== undefined) return this.failAll(key, queue, ending)
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
        const created: Queue<E> = { snapshot: undefined, first: undefined, last: undefined }
        this.queues.set(key, created)
        return Effect.succeed(created)
      }
      return Effect.async<Queue<E>, E>((resume) => {
        const waiter: Waiter<E> = { resume, granted: false, before: undefined, after: undefined }
        append(queue, waiter)
        return Effect.sync(() => {
          // A caller that is interrupted after its turn was granted, and before it resumed, hands the turn on.
          if (waiter.granted) this.release(key, queue)
          else remove(queue, waiter)
        })
      })
    })
  }

  private release(key: string, queue: Queue<E>): void {
    const next = queue.first
    if (next === undefined) {
      this.queues.delete(key)
      return
    }
    remove(queue, next)
    next.granted = true
    next.resume(Effect.succeed(queue))
  }

  private failAll(key: string, queue: Queue<E>, error: E): void {
    this.queues.delete(key)
    for (let waiter = queue.first; waiter !== undefined; waiter = waiter.after) waiter.resume(Effect.fail(error))
  }
}
