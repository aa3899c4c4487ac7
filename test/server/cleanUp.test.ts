import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Scope, TestClock } from "effect"
import { SessionBackend, SessionStore } from "effect-session"
import { countingStore } from "../support/counting.js"

describe("clean-up", () => {
  const times = { createdAt: 0, refreshedAt: 0, expiresAt: 10, idleMillis: 10, persistent: true, own: false }

  it.effect("S4: clean-up runs in the background in small steps, and stops with its scope", () =>
    Effect.gen(function*() {
      const { backend, counts, layer } = countingStore({ cleanupInterval: "1 minute" })
      for (let i = 0; i < 1_200; i++) {
        yield* backend.insert(`${String(i).padStart(42, "A")}A`, { ...times, data: new Map(), owner: undefined }, 0)
      }
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(layer, scope)
      yield* TestClock.adjust("59 seconds")
      expect(counts.removeExpired).toBe(0)
      yield* TestClock.adjust("1 seconds")
      // 24 of 50, and one that finds nothing: each step in its own turn of the event loop
      expect(counts.removeExpired).toBe(25)
      expect(yield* backend.removeExpired(1e6, 5_000)).toBe(0)
      yield* TestClock.adjust("1 minute")
      expect(counts.removeExpired).toBe(26)
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("10 minutes")
      expect(counts.removeExpired).toBe(26)
    }))

  it.effect("S4: a failed clean-up is logged and tried again", () =>
    Effect.gen(function*() {
      const { backend } = countingStore()
      let calls = 0
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const layer = SessionStore.layerBackend({ cleanupInterval: "1 minute" }).pipe(
        Layer.provide(Layer.succeed(SessionBackend.SessionBackend, {
          ...backend,
          removeExpired: () => (calls++, Effect.die(new Error("a defect of the test")))
        }))
      )
      yield* Effect.gen(function*() {
        yield* Layer.build(layer)
        yield* TestClock.adjust("3 minutes")
      }).pipe(Effect.scoped, Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      expect(calls).toBe(3)
      expect(lines).toHaveLength(3)
    }))
})
