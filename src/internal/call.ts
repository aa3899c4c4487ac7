/**
 * An effect that starts something and waits for its one answer: a command to a server. That it is no more than that is what
 * lets a time-out be a bare timer beside it, without a fiber of its own (measured: three quarters of what a command costs).
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Exit from "effect/Exit"

/** `start` answers later or at once, at most once, and does not throw. */
export class Call<A, E> extends Effectable.Class<A, E> {
  constructor(readonly start: (answer: (exit: Exit.Exit<A, E>) => void) => void) {
    super()
  }

  commit(): Effect.Effect<A, E> {
    return Effect.async((resume) => this.start(resume))
  }
}
