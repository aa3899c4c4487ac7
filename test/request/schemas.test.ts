import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Fiber, Option, Schema, TestClock } from "effect"
import { SessionKey } from "effect-session"
import { A, B } from "../support/sessionKeys.js"
import { settle, stage } from "../support/stage.js"

describe("schemas that take time or need services", () => {
  const Async = SessionKey.make(
    "async",
    Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text) => Effect.as(Effect.sleep("1 second"), text),
      encode: (text) => Effect.as(Effect.sleep("1 second"), text)
    })
  )
  class Prefix extends Context.Tag("Prefix")<Prefix, string>() {}
  const Served = SessionKey.make(
    "served",
    Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text) => Effect.map(Prefix, (prefix) => text.slice(prefix.length)),
      encode: (text) => Effect.map(Prefix, (prefix) => prefix + text)
    })
  )
  const Hanging = SessionKey.make(
    "a",
    Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: () => Effect.never,
      encode: () => Effect.never
    })
  )

  it.effect("C7: the response waits for a value that takes time to encode", () =>
    Effect.gen(function*() {
      const { finish, request, stored } = stage()
      const session = request(undefined)
      const inserting = yield* Effect.fork(session.insert(Async, "slow"))
      yield* settle
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(inserting)
      const { token } = yield* Fiber.join(finishing)
      expect(yield* stored(token!)).toEqual({ async: "\"slow\"" })
    }))

  it.effect("C8: a schema may need services, in every operation", () =>
    Effect.gen(function*() {
      const { begin, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(Served, "one")
      expect(yield* session.get(Served)).toEqual(Option.some("one"))
      expect(yield* session.remove(Served)).toEqual(Option.some("one"))
      yield* session.commit
      expect(yield* session.modify(Served, (was) => [was, Option.some("two")])).toEqual(Option.none())
      expect(yield* session.modify(Served, (was) => [was, Option.some("three")])).toEqual(Option.some("two"))
      expect(yield* stored(token)).toEqual({ a: "\"a\"", served: "\"p:three\"" })
    }).pipe(Effect.provideService(Prefix, "p:")))

  it.effect("M5: a schema that never finishes does not keep the client waiting", () =>
    Effect.gen(function*() {
      const { begin, finish, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b")
      yield* Effect.fork(session.get(Hanging))
      yield* Effect.fork(session.insert(Hanging, "x"))
      yield* settle
      const finishing = yield* Effect.fork(finish(session, token))
      yield* settle
      expect(finishing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("5 seconds")
      expect((yield* Fiber.join(finishing)).verdict.failure).toBeUndefined()
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"" })
    }))
})
