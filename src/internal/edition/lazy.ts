/**
 * An effect of a class of its own, so that whoever gets one can see what it is. `commit` makes the effect that it stands for.
 */
import * as Effectable from "effect/Effectable"

export abstract class Lazy<A, E = never, R = never> extends Effectable.Class<A, E, R> {}
