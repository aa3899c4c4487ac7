import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, Schema, TestClock } from "effect"
import { SessionKey } from "effect-session"
import type { RequestSession } from "../../src/internal/request/requestSession.js"
import { A, B, Count } from "../support/sessionKeys.js"
import { settle, stage } from "../support/stage.js"

describe("modify", () => {
  const slow = <A>(value: A) => Effect.as(Effect.yieldNow(), value)

  it.effect("C7: parallel modifies of one request lose nothing when the schema takes time, on a new session and on a pending key", () =>
    Effect.gen(function*() {
      const Slow = SessionKey.make(
        "count",
        Schema.transformOrFail(Schema.Int, Schema.Int, { strict: true, decode: slow, encode: slow })
      )
      const increment = (session: RequestSession) =>
        session.modify(Slow, (count) => [undefined, Option.some(Option.getOrElse(count, () => 0) + 1)])
      const remove = (session: RequestSession) => session.modify(Slow, () => [undefined, Option.none()])
      const { begin, request } = stage()
      const pending = request(yield* begin((session) => session.insert(A, "a")))
      yield* pending.insert(Slow, 0)
      for (const session of [request(undefined), pending]) {
        yield* Effect.all(Array.from({ length: 10 }, () => increment(session)), { concurrency: "unbounded" })
        expect(yield* session.get(Slow)).toEqual(Option.some(10))
        yield* Effect.all([increment(session), remove(session), increment(session)], { concurrency: "unbounded" })
        expect([1, 2]).toContain(Option.getOrElse(yield* session.get(Slow), () => 1))
      }
    }))

  it.effect("C9: a modify that cannot apply to the loaded value is tried on the stored value", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ maxSessionBytes: 100 })
      const Number = SessionKey.make("a", Schema.Int)
      const token = yield* begin((session) => session.insert(A, "a".repeat(90)))
      const { value } = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(B)
          yield* session.insert(Count, 1)
          yield* visit(token, (other) => other.insert(Number, 5))
          const decoded = yield* session.modify(Number, (n) => [n, Option.map(n, (n) => n + 1)])
          yield* session.modify(B, () => [undefined, Option.some("b".repeat(50))])
          return decoded
        }))
      expect(value).toEqual(Option.some(5))
    }))

  it.effect("M5: a modify whose schema never finishes does not keep another request of the session waiting", () =>
    Effect.gen(function*() {
      const Hanging = SessionKey.make(
        "hanging",
        Schema.transformOrFail(Schema.String, Schema.String, {
          strict: true,
          decode: (text) => Effect.succeed(text),
          encode: () => Effect.never
        })
      )
      const { begin, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const first = yield* Effect.fork(Effect.exit(visit(token, (s) => s.modify(Hanging, () => [1, Option.some("x")]))))
      yield* settle
      const second = yield* Effect.fork(Effect.exit(visit(token, (s) => s.modify(Count, () => [1, Option.some(1)]))))
      yield* TestClock.adjust("5 seconds")
      yield* settle
      expect(yield* Fiber.join(first)).toMatchObject({ cause: { error: { reason: "Timeout" } } })
      // It waited in the queue behind a time-out and fails at once; the next one gets its turn.
      expect((yield* Fiber.join(second))._tag).toBe("Failure")
      expect((yield* visit(token, (session) => session.modify(Count, () => [1, Option.some(1)]))).value).toBe(1)
    }))
})
