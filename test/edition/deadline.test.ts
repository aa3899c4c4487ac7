import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Logger, LogLevel, TestClock } from "effect"
import { execFile } from "node:child_process"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import { withDeadline } from "../../src/internal/edition/deadline.js"

const timeout = () => "timeout" as const

describe("an effect with a time-out", () => {
  it.effect("M5: with a time-out an effect keeps its result, failure, defect or interruption", () =>
    Effect.gen(function*() {
      const later = Effect.yieldNow()
      for (const before of [Effect.void, later]) {
        const run = <A, E>(effect: Effect.Effect<A, E>) =>
          Effect.exit(withDeadline(Effect.zipRight(before, effect), 1000, timeout))
        expect(yield* run(Effect.succeed(1))).toEqual(Exit.succeed(1))
        expect(yield* run(Effect.fail("failed"))).toEqual(Exit.fail("failed"))
        expect(yield* run(Effect.die("died"))).toEqual(Exit.die("died"))
        expect(Exit.isInterrupted(yield* run(Effect.interrupt))).toBe(true)
      }
    }))

  for (
    const [name, effect] of Object.entries({
      "can be interrupted": Effect.never,
      "cannot be interrupted": Effect.uninterruptible(Effect.never)
    })
  ) {
    it.effect(`M5: an effect that hangs and ${name} fails in time, in an uninterruptible region too`, () =>
      Effect.gen(function*() {
        for (const region of [Effect.interruptible, Effect.uninterruptible]) {
          const fiber = yield* Effect.fork(region(Effect.exit(withDeadline(effect, 1000, timeout))))
          yield* TestClock.adjust(999)
          expect(fiber.unsafePoll()).toBeNull()
          yield* TestClock.adjust(1)
          expect(yield* Fiber.join(fiber)).toEqual(Exit.fail("timeout"))
        }
      }))
  }

  it.effect("M5: an effect that is too late is interrupted, and its result is dropped", () =>
    Effect.gen(function*() {
      const interrupted = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(Effect.exit(withDeadline(
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)),
        1000,
        timeout
      )))
      yield* TestClock.adjust(1000)
      expect(yield* Fiber.join(fiber)).toEqual(Exit.fail("timeout"))
      yield* Deferred.await(interrupted)
    }))

  it.effect("M4: interrupting the waiting fiber interrupts the effect, and does not wait for it", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(withDeadline(
        Effect.zipRight(
          Deferred.succeed(started, undefined),
          Effect.onInterrupt(
            Effect.never,
            () => Effect.zipRight(Deferred.succeed(interrupted, undefined), Effect.never)
          )
        ),
        1000,
        timeout
      ))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
      yield* Deferred.await(interrupted)
    }))

  it.effect("R2: the effect runs with the services of the waiting fiber", () =>
    Effect.gen(function*() {
      const name = Effect.map(Effect.orDie(Effect.currentSpan), (span) => span.name)
      expect(yield* Effect.withSpan(withDeadline(name, 1000, timeout), "inside")).toBe("inside")
    }))

  it.effect("M5: the defect that the effect dies of is not logged, because a driver's message may contain session values", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ cause, message }) => void lines.push(`${JSON.stringify(message)} ${Cause.pretty(cause)}`))
      )
      for (const before of [Effect.void, Effect.yieldNow()]) {
        // @effect-diagnostics-next-line globalErrorInEffectFailure:off
        for (const end of [Effect.die(new Error("a value")), Effect.fail(new Error("a value"))]) {
          yield* Effect.exit(withDeadline(Effect.zipRight(before, end), 1000, timeout)).pipe(
            Effect.provide(logger),
            Logger.withMinimumLogLevel(LogLevel.All)
          )
        }
      }
      expect(lines).toEqual([])
    }))

  it.live("M5: no timer is left, so that the process ends as soon as there is nothing to wait for", () =>
    Effect.gen(function*() {
      const module = pathToFileURL(Path.resolve(import.meta.dirname, "../../src/internal/edition/deadline.ts")).href
      const script = `
        import { Effect } from "effect"
        import { withDeadline } from ${JSON.stringify(module)}
        const timeout = () => "timeout"
        await Effect.runPromise(Effect.gen(function*() {
          yield* withDeadline(Effect.sleep(1), 3_600_000, timeout)
          yield* Effect.exit(withDeadline(Effect.delay(Effect.die("x"), 1), 3_600_000, timeout))
          yield* Effect.timeoutOption(withDeadline(Effect.never, 3_600_000, timeout), 5)
          yield* Effect.exit(withDeadline(Effect.never, 5, timeout))
        }))
        console.log("done")`
      const started = performance.now()
      const output = yield* Effect.async<string>((resume) => {
        execFile(
          process.execPath,
          ["--import", "tsx", "--input-type=module", "--eval", script],
          { cwd: Path.resolve(import.meta.dirname, "../.."), timeout: 25_000 },
          (_, stdout) => resume(Effect.succeed(stdout))
        )
      })
      expect(output).toBe("done\n")
      expect(performance.now() - started).toBeLessThan(25_000)
    }))
})
