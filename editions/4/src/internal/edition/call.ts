/**
 * An effect that starts something and waits for one answer to it, such as a command to a server. Because it does nothing else,
 * a time-out can be a bare timer beside it. A fiber of its own would cost a multiple of the command.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { Lazy } from "./lazy.js"

/** The fiber that waits for an answer. */
export class Caller {
  /** Whether the time-out has answered in place of the call. */
  isLate = false

  constructor(readonly fiber: Fiber.Fiber<unknown, unknown>) {}

  /** Whether the caller still waits. A call asks this before it begins something: it is not notified of an interruption. */
  isWaiting(): boolean {
    return !this.isLate && !isInterrupted(this.fiber)
  }
}

/** Effect 4.1 has no public way to ask. A fiber in an uninterruptible region goes on waiting. */
const isInterrupted = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
  const state = fiber as unknown as { readonly interruptible: boolean; readonly _interruptedCause: unknown }
  return state.interruptible && state._interruptedCause !== undefined
}

/** Stops the work on an answer that nobody waits for any more. */
export type Stop = () => void

/** `start` answers at most once, at once or later, and does not throw. */
export class Call<A, E> extends Lazy<A, E> {
  constructor(readonly start: (answer: (exit: Exit.Exit<A, E>) => void, caller: Caller) => Stop | void) {
    super()
  }

  commit(): Effect.Effect<A, E> {
    return Effect.withFiber<A, E>((fiber) =>
      Effect.callback<A, E>((resume) => {
        const stop = this.start(resume, new Caller(fiber))
        if (stop !== undefined) return Effect.sync(stop)
      })
    )
  }
}
