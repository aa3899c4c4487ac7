/**
 * An effect of a class of its own, so that whoever gets one can see what it is. `commit` makes the effect that it stands for.
 */
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"

export abstract class Lazy<A, E = never, R = never> extends Effectable.Class<A, E, R> {
  abstract commit(): Effect.Effect<A, E, R>

  override asEffect(): Effect.Effect<A, E, R> {
    return this.commit()
  }
}
