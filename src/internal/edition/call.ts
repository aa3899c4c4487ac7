/**
 * An effect that starts something and waits for one answer to it, such as a command to a server. Because it does nothing else,
 * a time-out can be a bare timer beside it. A fiber of its own would cost a multiple of the command.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { Lazy } from "./lazy.js"

/** The fiber that waits for an answer. */
export class Caller {
  /** Whether the time-out has answered in place of the call. */
  isLate = false

  constructor(
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    private readonly flags: RuntimeFlags.RuntimeFlags
  ) {}

  /** Whether the caller still waits. A call asks this before it begins something: it is not notified of an interruption. */
  isWaiting(): boolean {
    return !this.isLate
      // A fiber in an uninterruptible region goes on waiting.
      && (!RuntimeFlags.interruptible(this.flags) || Cause.isEmpty(this.fiber.getFiberRef(FiberRef.interruptedCause)))
  }
}

/** Stops the work on an answer that nobody waits for any more. */
export type Stop = () => void

/** `start` answers at most once, at once or later, and does not throw. */
export class Call<A, E> extends Lazy<A, E> {
  constructor(readonly start: (answer: (exit: Exit.Exit<A, E>) => void, caller: Caller) => Stop | void) {
    super()
  }

  commit(): Effect.Effect<A, E> {
    return Effect.withFiberRuntime((fiber, { runtimeFlags }) =>
      Effect.async((resume) => {
        const stop = this.start(resume, new Caller(fiber, runtimeFlags))
        if (stop !== undefined) return Effect.sync(stop)
      })
    )
  }
}
