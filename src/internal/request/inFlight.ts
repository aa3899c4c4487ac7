/**
 * What the fibers of one request do at the same time. Operations are counted, so that the response can wait for them; writes
 * come one after another.
 */
import * as Effect from "effect/Effect"
import { withDeadline } from "../edition/deadline.js"

export class InFlight {
  private running = 0
  private idleWaiter: (() => void) | undefined
  private lock: Effect.Semaphore | undefined

  /** Nothing runs, and nothing has been written yet: there is nothing to wait for. */
  get isQuiet(): boolean {
    return this.running === 0 && this.lock === undefined
  }

  /** Something was written, or is being written: what runs `afterWrites` already has its turn. */
  get hasWritten(): boolean {
    return this.lock !== undefined
  }

  /** Counts an operation for as long as it runs; no interruption can come between the two counts. */
  counted<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.uninterruptibleMask((restore) => {
      this.running += 1
      return Effect.onExit(restore(effect), () =>
        Effect.sync(() => {
          this.running -= 1
          if (this.running === 0) this.idleWaiter?.()
        }))
    })
  }

  /** Waits until nothing runs any more, but not for an operation that outlasts the store's time-out (a schema that hangs). */
  idle(millis: number): Effect.Effect<void> {
    const idle = Effect.async<void>((resume) => {
      if (this.running === 0) return resume(Effect.void)
      this.idleWaiter = () => resume(Effect.void)
    })
    return Effect.ignore(withDeadline(idle, millis, () => undefined))
  }

  /** Runs after the writes that are in progress, and before those that come later. */
  inTurn<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return (this.lock ??= Effect.unsafeMakeSemaphore(1)).withPermits(1)(effect)
  }

  /** The same where something was written; otherwise there is nothing to wait for. */
  afterWrites<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => this.lock === undefined ? effect : this.lock.withPermits(1)(effect))
  }

  /** No write of this request is in progress. */
  get settled(): Effect.Effect<void> {
    return this.afterWrites(Effect.void)
  }

  /**
   * Waiting and preparing may be interrupted. The write itself runs to its end, which the store's time-out bounds, because
   * half a renewal would lose the session.
   */
  exclusively<A, E, E2, R>(
    prepare: () => Effect.Effect<void, E>,
    write: () => Effect.Effect<A, E2, R>
  ): Effect.Effect<A, E | E2, R> {
    return this.inTurn(
      Effect.uninterruptibleMask((restore) => Effect.flatMap(restore(Effect.suspend(prepare)), write))
    )
  }
}
