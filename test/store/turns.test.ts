import { describe, expect, it, vi } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Random } from "effect"
import type { SessionBackend } from "effect-session"
import { passing, Turns } from "../../src/internal/store/turns.js"
import { makeLocal } from "../support/local.js"

const never = () => undefined

/** How many queues are left: none, once nobody waits. */
const left = (turns: Turns<string>): number =>
  (turns as unknown as { readonly queues: Map<string, unknown> }).queues.size

const yields = (times: number) => Effect.repeatN(Effect.yieldNow(), times)

describe("taking turns", () => {
  it.effect("C9: a caller that holds the only connection passes the queue, and does not take the turn", () =>
    Effect.gen(function*() {
      const alone = makeLocal(false)
      const turns = new Turns<string>(alone.get)
      const gate = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(turns.take("key", () => Deferred.await(gate)))
      yield* yields(3)
      const left = yield* alone.within(turns.take("key", (turn) => Effect.succeed(turn.snapshot)), true)
      expect(left).toBeUndefined()
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(holder)
    }))

  it.effect("C9: in a worker of Cloudflare no caller waits for another one", () =>
    Effect.gen(function*() {
      vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" })
      const turns = new Turns<string>(passing(undefined))
      vi.unstubAllGlobals()
      const gate = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(turns.take("key", () => Deferred.await(gate)))
      yield* yields(3)
      expect(yield* turns.take("key", (turn) => Effect.succeed(turn.snapshot))).toBeUndefined()
      expect(left(turns)).toBe(0)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(holder)
      expect(passing(undefined)).toBeUndefined()
    }))

  it.effect("C9: callers of one key run one at a time, in the order in which they came, each with what the last one left", () =>
    Effect.gen(function*() {
      const turns = new Turns<string>()
      const order: Array<number> = []
      let inside = 0
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, i) => i),
        (i) =>
          turns.take("key", (turn) =>
            Effect.gen(function*() {
              expect(++inside).toBe(1)
              expect(turn.snapshot?.version).toBe(i === 0 ? undefined : i - 1)
              yield* yields(i % 3)
              turn.snapshot = { version: i } as SessionBackend.StoredSession
              order.push(i)
              inside--
            }), never),
        { concurrency: "unbounded" }
      )
      expect(order).toEqual(Array.from({ length: 200 }, (_, i) => i))
      expect(left(turns)).toBe(0)
    }))

  it.effect("C9: callers of different keys do not wait for each other", () =>
    Effect.gen(function*() {
      const turns = new Turns<string>()
      const gate = yield* Deferred.make<void>()
      const slow = yield* Effect.fork(turns.take("a", () => Deferred.await(gate), never))
      yield* yields(3)
      yield* turns.take("b", () => Effect.void, never)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(slow)
      expect(left(turns)).toBe(0)
    }))

  it.effect("C9: a caller that fails, dies or is interrupted hands the turn on, and leaves no record to the next one", () =>
    Effect.gen(function*() {
      const turns = new Turns<string>()
      const seen: Array<unknown> = []
      const look = turns.take("key", (turn) => Effect.sync(() => seen.push(turn.snapshot)), never)
      const stale = { version: 1 } as SessionBackend.StoredSession
      for (
        const end of [
          Effect.fail("failed"),
          Effect.die("died"),
          Effect.interrupt,
          Effect.sync((): string => {
            throw new Error("thrown")
          })
        ]
      ) {
        const first = yield* Effect.fork(turns.take("key", (turn) => {
          turn.snapshot = stale
          return Effect.zipRight(yields(3), end)
        }, never))
        const second = yield* Effect.fork(look)
        yield* Fiber.await(first)
        yield* Fiber.join(second)
      }
      expect(seen).toEqual([undefined, undefined, undefined, undefined])
      expect(left(turns)).toBe(0)
    }))

  it.effect("M5: when the store is down, everybody who waits fails at once, and a later caller tries again", () =>
    Effect.gen(function*() {
      const turns = new Turns<string>()
      let uses = 0
      const use = turns.take(
        "key",
        () => Effect.zipRight(yields(3), Effect.suspend(() => (uses++, Effect.fail("down")))),
        (e) => e
      )
      const exits = yield* Effect.all(Array.from({ length: 100 }, () => Effect.exit(use)), { concurrency: "unbounded" })
      expect(uses).toBe(1)
      for (const exit of exits) expect(exit).toEqual(Exit.fail("down"))
      expect(left(turns)).toBe(0)
      yield* turns.take("key", () => Effect.void, never)
      expect(left(turns)).toBe(0)
    }))

  it.effect(
    "C9: interruptions at any time never let two callers in, lose a turn or leave a queue behind",
    () =>
      Effect.gen(function*() {
        for (let round = 0; round < 200; round++) {
          const turns = new Turns<string>()
          let inside = 0
          let most = 0
          const use = turns.take("key", () =>
            Effect.acquireUseRelease(
              Effect.sync(() => most = Math.max(most, ++inside)),
              () => Effect.flatMap(Random.nextIntBetween(0, 4), yields),
              () => Effect.sync(() => inside--)
            ), never)
          const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
          for (let i = 0; i < 30; i++) {
            fibers.push(yield* Effect.fork(use))
            if ((yield* Random.nextIntBetween(0, 3)) === 0) yield* Effect.yieldNow()
            if ((yield* Random.nextIntBetween(0, 2)) === 0) {
              const victim = fibers[yield* Random.nextIntBetween(0, fibers.length)]
              yield* Effect.fork(Fiber.interrupt(victim))
            }
          }
          const exits = yield* Effect.forEach(Chunk.fromIterable(fibers), Fiber.await)
          for (const exit of exits) expect(Exit.isSuccess(exit) || Exit.isInterrupted(exit)).toBe(true)
          expect([most <= 1, left(turns)]).toEqual([true, 0])
          yield* use
        }
      }).pipe(Effect.withRandom(Random.make("turns"))),
    20_000
  )

  it.effect("C9: a queue that is never empty keeps its order and forgets the callers that are done", () =>
    Effect.gen(function*() {
      const turns = new Turns<string>()
      const order: Array<number> = []
      const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
      for (let i = 0; i < 1000; i++) {
        fibers.push(
          yield* Effect.fork(
            turns.take("key", () => Effect.zipRight(Effect.yieldNow(), Effect.sync(() => order.push(i))), never)
          )
        )
        if (i > 10) yield* Effect.yieldNow()
      }
      yield* Effect.forEach(fibers, Fiber.join)
      expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i))
      expect(left(turns)).toBe(0)
    }))
})
