/**
 * Fibers that this library starts by itself, and what they do for the one that asked.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

export type Running = Fiber.Fiber<unknown, unknown>

/** Runs the effect in a fiber of its own: as the parent, with its context, or with none. */
export const fork = <A, E>(
  effect: Effect.Effect<A, E>,
  answer: (exit: Exit.Exit<A, E>) => void,
  parent?: Running
): Running => {
  // A failure is the fiber's value, and not its end: the runtime would log that, and a driver's message may hold values of
  // a session.
  const exit = Effect.exit(effect)
  const fiber = parent === undefined ? Effect.runFork(exit) : Effect.runForkWith(parent.context)(exit)
  fiber.addObserver((ended) => answer(flatten(ended)))
  return fiber
}

/** The exit that a fiber ended with as its value. */
export const flatten = <A, E>(exit: Exit.Exit<Exit.Exit<A, E>>): Exit.Exit<A, E> =>
  exit._tag === "Success" ? exit.value : Exit.failCause(exit.cause)

/** Interrupts a fiber without waiting for its end. */
export const stop = (running: Running | undefined): void => running?.interruptUnsafe()

/** Whether an effect needs nothing but this turn of the event loop. */
export const endsAtOnce = <A, E>(effect: Effect.Effect<A, E>): boolean =>
  Effect.runFork(Effect.exit(effect)).pollUnsafe() !== undefined

/** What several fibers wait for, made without an effect. */
export const deferred = <A, E>(): Deferred.Deferred<A, E> => Deferred.makeUnsafe<A, E>()

/** Runs effects later, outside of any fiber, with what the present fiber has. */
export const later: Effect.Effect<(effect: Effect.Effect<void>) => void> = Effect.map(
  Effect.context<never>(),
  (context) => {
    const run = Effect.runForkWith(context)
    return (effect) => void run(effect)
  }
)
