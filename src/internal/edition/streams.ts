/**
 * Streams of what a source gives in lists.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** A stream that begins with `begin` and ends with its scope; each run of `take` gives its next elements. */
export const fromLists = <A, R>(
  begin: Effect.Effect<Effect.Effect<ReadonlyArray<A>>, never, R | Scope.Scope>
): Stream.Stream<A, never, Exclude<R, Scope.Scope>> =>
  Stream.unwrapScoped(
    Effect.map(begin, (take) => Stream.repeatEffectChunk(Effect.map(take, Chunk.fromIterable)))
  )
