/**
 * The `FiberRef`s of a fiber, several of which change in one step.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import type * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"

/** One change of one `FiberRef`. */
export type Change = readonly [
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in `FiberRefs`: the list is of refs of different types
  ref: FiberRef.FiberRef<any>,
  value: unknown
]

/** What Effect's fiber has beside its public interface. */
interface Fields {
  readonly _fiberRefs?: FiberRefs.FiberRefs
  readonly setFiberRefs?: (refs: FiberRefs.FiberRefs) => void
}

type Stack = readonly [readonly [FiberId.Single, unknown], ...ReadonlyArray<readonly [FiberId.Single, unknown]>]

/** The refs after the changes, in one copy. `FiberRefs.updateManyAs` would compare old and new values, by hashes made for it. */
const changed = (
  refs: FiberRefs.FiberRefs,
  own: FiberId.Single,
  changes: ReadonlyArray<Change>
): FiberRefs.FiberRefs => {
  const locals = new Map<Change[0], Stack>()
  // `new Map(map)` would make an array for each entry.
  refs.locals.forEach((stack, ref) => locals.set(ref, stack))
  for (const [ref, value] of changes) {
    const stack = locals.get(ref) ?? []
    // One value for each fiber that has set it, the innermost first.
    locals.set(ref, [[own, value], ...(stack[0]?.[0] === own ? stack.slice(1) : stack)])
  }
  return FiberRefs.unsafeMake(locals)
}

/**
 * Makes the changes at once, and is done: only the fiber itself may call this, in the step that goes on with the result. Effect's
 * public way copies the refs a second time; it is left for a version of Effect whose fiber has other fields.
 */
export const change = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  changes: ReadonlyArray<Change>
): Effect.Effect<void> => {
  const fields = fiber as Fields
  if (fields._fiberRefs === undefined || fields.setFiberRefs === undefined) {
    return Effect.updateFiberRefs((own, refs) => changed(refs, own, changes))
  }
  fields.setFiberRefs(changed(fields._fiberRefs, fiber.id(), changes))
  return Effect.void
}
