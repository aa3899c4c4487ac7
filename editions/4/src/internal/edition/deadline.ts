/**
 * A time-out for an effect that holds wherever the effect is awaited: in an uninterruptible region, as pre-response handlers
 * are, and around a driver's call that cannot be interrupted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { Call, Caller, type Stop } from "./call.js"
import { clockOf, live } from "./clock.js"
import { flatten } from "./fork.js"

/**
 * Runs the effect in a fiber of its own, unless it is a bare {@link Call}. When it has not ended after `millis`, it fails with
 * `onTimeout` and the fiber is interrupted without waiting for its end. An interruption of the caller interrupts it, too.
 */
export const withDeadline = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2> =>
  effect instanceof Call
    ? callWithDeadline(effect as Call<A, E>, millis, onTimeout)
    : Effect.withFiber<A, E | E2>((parent) =>
      Effect.callback<A, E | E2>((resume) => {
        // The exit is the fiber's value. As its failure the runtime would log it, and a driver's message may contain values of
        // a session.
        const fiber = Effect.runForkWith(parent.context)(Effect.exit(effect))
        const ended = fiber.pollUnsafe()
        if (ended !== undefined) return resume(flatten(ended))
        const cancelTimer = startTimer(parent, millis, () => {
          // An interrupted fiber may end at once, and the first answer counts.
          resume(Exit.fail(onTimeout()))
          fiber.interruptUnsafe()
        })
        fiber.addObserver((exit) => {
          cancelTimer()
          resume(flatten(exit))
        })
        return Effect.sync(() => {
          cancelTimer()
          fiber.interruptUnsafe()
        })
      })
    )

const callWithDeadline = <A, E, E2>(
  call: Call<A, E>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2> =>
  Effect.withFiber<A, E | E2>((fiber) =>
    Effect.callback<A, E | E2>((resume) => {
      const caller = new Caller(fiber)
      let answered = false
      let stop: Stop | void = undefined
      let cancelTimer = (): void => undefined // the timer may fire before `startTimer` returns
      let removeObserver = (): void => undefined
      const end = (): void => {
        caller.isLate = true
        cancelTimer()
        stop?.()
      }
      cancelTimer = startTimer(fiber, millis, () => {
        resume(Exit.fail(onTimeout()))
        removeObserver()
        end()
      })
      stop = call.start((exit) => {
        answered = true
        cancelTimer()
        removeObserver()
        resume(exit)
      }, caller)
      // A canceller would double the cost for the sake of the few callers that are interrupted. An interrupted fiber ends soon
      // and notifies its observers. Where there is nothing to stop, the timer ends by itself.
      if (stop !== undefined && !answered) removeObserver = fiber.addObserver(end)
    })
  )

/** Starts a bare timer under the live clock, and a sleeping fiber under any other clock, so that `TestClock` moves it. */
const startTimer = (
  fiber: Fiber.Fiber<unknown, unknown>,
  millis: number,
  fire: () => void
): () => void => {
  const clock = clockOf(fiber)
  if (clock === live) {
    const timer = setTimeout(fire, millis)
    return () => clearTimeout(timer)
  }
  const sleeper = Effect.runFork(Effect.flatMap(clock.sleep(Duration.millis(millis)), () => Effect.sync(fire)))
  return () => sleeper.interruptUnsafe()
}
