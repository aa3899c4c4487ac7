/**
 * Fibers that this library starts by itself, and what they do for the one that asked.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

export type Running = Fiber.RuntimeFiber<unknown, unknown>

/**
 * Runs the effect in a fiber of its own: as the parent, with its context, or with none. A fiber without a parent costs a
 * quarter less.
 */
export const fork = <A, E>(
  effect: Effect.Effect<A, E>,
  answer: (exit: Exit.Exit<A, E>) => void,
  parent?: Running
): Running => {
  // A failure is the fiber's value, and not its end: the runtime would log that, and a driver's message may hold values of
  // a session.
  const exit = Effect.exit(effect)
  const fiber = parent === undefined ? Effect.runFork(exit) : Runtime.runFork(
    Runtime.make({
      context: parent.currentContext,
      fiberRefs: parent.getFiberRefs(),
      runtimeFlags: Runtime.defaultRuntimeFlags
    })
  )(exit)
  fiber.addObserver((ended) => answer(Exit.flatten(ended)))
  return fiber
}

/** Interrupts a fiber without waiting for its end. */
export const stop = (running: Running | undefined): void => running?.unsafeInterruptAsFork(FiberId.none)

/** Whether an effect needs nothing but this turn of the event loop. */
export const endsAtOnce = <A, E>(effect: Effect.Effect<A, E>): boolean =>
  Effect.runFork(Effect.exit(effect)).unsafePoll() !== null

/** What several fibers wait for, made without an effect. */
export const deferred = <A, E>(): Deferred.Deferred<A, E> => Deferred.unsafeMake<A, E>(FiberId.none)

/** Runs effects later, outside of any fiber, with what the present fiber has. */
export const later: Effect.Effect<(effect: Effect.Effect<void>) => void> = Effect.map(
  Effect.runtime<never>(),
  (runtime) => {
    const run = Runtime.runFork(runtime)
    return (effect) => void run(effect)
  }
)
