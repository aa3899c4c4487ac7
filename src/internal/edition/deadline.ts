/**
 * A time-out for an effect that holds wherever the effect is awaited: in an uninterruptible region, as pre-response handlers
 * are, and around a driver's call that cannot be interrupted. `Effect.timeout` holds there, too, when `Effect.interruptible` and
 * `Effect.disconnect` surround it, but with the fibers of its race it takes about ten times as long.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { Call, Caller, type Stop } from "./call.js"
import { clockOf, live } from "./clock.js"

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
    : Effect.withFiberRuntime<A, E | E2>((parent, { runtimeFlags }) => {
      const runFork = Runtime.runFork(Runtime.make({
        context: parent.currentContext,
        fiberRefs: parent.getFiberRefs(),
        runtimeFlags: RuntimeFlags.enable(runtimeFlags, RuntimeFlags.Interruption)
      }))
      return Effect.async<A, E | E2>((resume) => {
        // The exit is the fiber's value. As its failure the runtime would log it, and a driver's message may contain values of
        // a session.
        const fiber = runFork(Effect.exit(effect))
        const ended = fiber.unsafePoll()
        if (ended !== null) return resume(Exit.flatten(ended))
        const cancelTimer = startTimer(parent, millis, () => {
          fiber.unsafeInterruptAsFork(FiberId.none)
          resume(Exit.fail(onTimeout()))
        })
        fiber.addObserver((exit) => {
          cancelTimer()
          resume(Exit.flatten(exit))
        })
        return Effect.sync(() => {
          cancelTimer()
          fiber.unsafeInterruptAsFork(FiberId.none)
        })
      })
    })

const callWithDeadline = <A, E, E2>(
  call: Call<A, E>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2> =>
  Effect.withFiberRuntime((fiber, { runtimeFlags }) =>
    Effect.async<A, E | E2>((resume) => {
      const caller = new Caller(fiber, runtimeFlags)
      let answered = false
      let stop: Stop | void = undefined
      let cancelTimer = (): void => undefined // the timer may fire before `startTimer` returns
      const end = (): void => {
        caller.isLate = true
        cancelTimer()
        stop?.()
      }
      cancelTimer = startTimer(fiber, millis, () => {
        resume(Exit.fail(onTimeout()))
        if (stop !== undefined) fiber.removeObserver(end)
        end()
      })
      stop = call.start((exit) => {
        answered = true
        cancelTimer()
        if (stop !== undefined) fiber.removeObserver(end)
        resume(exit)
      }, caller)
      // A canceller would double the cost for the sake of the few callers that are interrupted. An interrupted fiber ends soon
      // and notifies its observers. Where there is nothing to stop, the timer ends by itself.
      if (stop !== undefined && !answered) fiber.addObserver(end)
    })
  )

/** Starts a bare timer under the live clock, and a sleeping fiber under any other clock, so that `TestClock` moves it. */
const startTimer = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  millis: number,
  fire: () => void
): () => void => {
  const clock = clockOf(fiber)
  if (clock === live) {
    const timer = setTimeout(fire, millis)
    return () => clearTimeout(timer)
  }
  const sleeper = Effect.runFork(Effect.flatMap(clock.sleep(Duration.millis(millis)), () => Effect.sync(fire)))
  return () => sleeper.unsafeInterruptAsFork(FiberId.none)
}
