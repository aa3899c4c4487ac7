/**
 * An effect that starts something and waits for its one answer: a command to a server. That it is no more than that is what
 * lets a time-out be a bare timer beside it, without a fiber of its own (measured: three quarters of what a command costs).
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as RuntimeFlags from "effect/RuntimeFlags"

/** Who waits for an answer. */
export class Caller {
  /** The time-out has answered in place of the call. */
  isLate = false

  constructor(
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    private readonly flags: RuntimeFlags.RuntimeFlags
  ) {}

  /** Asked by a call before it begins with something: nobody tells it when its caller is interrupted. */
  isWaiting(): boolean {
    return !this.isLate
      // Where it cannot be interrupted, it waits on.
      && (!RuntimeFlags.interruptible(this.flags) || Cause.isEmpty(this.fiber.getFiberRef(FiberRef.interruptedCause)))
  }
}

/** Stops what goes on for an answer that nobody waits for any more. */
export type Stop = () => void

/** `start` answers later or at once, at most once, and does not throw. */
export class Call<A, E> extends Effectable.Class<A, E> {
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
