import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, FiberRef } from "effect"
import * as FiberLocals from "../../src/internal/edition/fiberLocals.js"

const refs = Effect.all([FiberRef.make("a"), FiberRef.make(1)])

describe("changes of a fiber's refs", () => {
  it.scoped("R2: several refs change in one step, at once, and a fiber that is forked later has them too", () =>
    Effect.gen(function*() {
      const [text, number] = yield* refs
      yield* Effect.withFiberRuntime<void>((fiber) => {
        const changed = FiberLocals.change(fiber, [[text, "b"], [number, 2]])
        expect([fiber.getFiberRef(text), fiber.getFiberRef(number)]).toEqual(["b", 2])
        return changed
      })
      const both = Effect.all([FiberRef.get(text), FiberRef.get(number)])
      expect(yield* both).toEqual(["b", 2])
      expect(yield* Fiber.join(yield* Effect.fork(both))).toEqual(["b", 2])
    }))

  it.scoped("R2: a ref that is changed twice has the later value, and `Effect.locally` around it still ends", () =>
    Effect.gen(function*() {
      const [text] = yield* refs
      const change = (value: string) =>
        Effect.withFiberRuntime<void>((fiber) => FiberLocals.change(fiber, [[text, value]]))
      const within = yield* Effect.zipRight(Effect.zipRight(change("b"), change("c")), FiberRef.get(text)).pipe(
        Effect.locally(text, "local")
      )
      expect([within, yield* FiberRef.get(text)]).toEqual(["c", "a"])
    }))

  it.scoped("R2: where Effect's fiber lacks the fields, the refs change in Effect's public way", () =>
    Effect.gen(function*() {
      const [text, number] = yield* refs
      yield* FiberLocals.change({} as Fiber.RuntimeFiber<unknown, unknown>, [[text, "b"], [number, 2]])
      expect([yield* FiberRef.get(text), yield* FiberRef.get(number)]).toEqual(["b", 2])
    }))
})
