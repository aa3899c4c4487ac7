/**
 * An effect with a time-out that holds wherever it is awaited: in an uninterruptible region (pre-response handlers are
 * one), around a driver call that cannot be interrupted, and without the two fibers of a race.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { Call, Caller, type Stop } from "./call.js"
import { clockOf } from "./clock.js"

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

/**
 * Runs the effect in a fiber of its own, unless it is a bare {@link Call}. When it has not ended after `millis` it is interrupted, nobody waits for that,
 * and the answer is `onTimeout`. Interrupting the caller interrupts it likewise.
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
        // Its end is the fiber's value and not its failure: the runtime would log that, and a driver's words may hold a
        // session's.
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
      let cancelTimer = (): void => undefined // until it is started: it may fire at once
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
      // No canceller: it would cost as much again, for a caller that is interrupted once in a while. A fiber that is, soon
      // ends and tells; where there is nothing to stop, the timer ends by itself.
      if (stop !== undefined && !answered) fiber.addObserver(end)
    })
  )

/** A bare timer under the live clock; a sleeping fiber under any other, so that `TestClock` moves it. */
const startTimer = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  millis: number,
  fire: () => void
): () => void => {
  const clock = clockOf(fiber)
  if (clock === liveClock) {
    const timer = setTimeout(fire, millis)
    return () => clearTimeout(timer)
  }
  const sleeper = Effect.runFork(Effect.flatMap(clock.sleep(Duration.millis(millis)), () => Effect.sync(fire)))
  return () => sleeper.unsafeInterruptAsFork(FiberId.none)
}
