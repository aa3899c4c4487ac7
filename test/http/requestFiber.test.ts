import { HttpApp, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, FiberRef, HashMap, Option } from "effect"
import * as RequestFiber from "../../src/internal/http/requestFiber.js"

class Name extends Context.Tag("test/Name")<Name, string>() {}
class Other extends Context.Tag("test/Other")<Other, string>() {}

const provide = <A, E, R>(name: string, app: Effect.Effect<A, E, R>) =>
  Effect.withFiberRuntime<A, E, Exclude<R, Name>>((fiber) =>
    RequestFiber.provide(fiber, app, Name, name, RequestFiber.annotation(fiber, "name", name))
  )

const annotations = Effect.map(FiberRef.get(FiberRef.currentLogAnnotations), (all) => HashMap.toEntries(all))

describe("what a middleware changes of the request's fiber", () => {
  it.effect("R2: the app gets the service in addition to the existing ones, and the log annotation stays when the app has ended", () =>
    Effect.gen(function*() {
      const both = yield* provide("ada", Effect.all([Name, Other])).pipe(Effect.provideService(Other, "other"))
      expect(both).toEqual(["ada", "other"])
      expect(yield* annotations).toEqual([["name", "ada"]])
    }))

  it.effect("M13: when the app has ended, whoever provided the request's context takes the service back", () =>
    Effect.gen(function*() {
      yield* provide("ada", Name).pipe(Effect.provideService(Other, "the request"))
      expect(Option.isNone(yield* Effect.serviceOption(Name))).toBe(true)
    }))

  it.effect("M13: an outer service that was replaced is restored, however the app ends", () =>
    Effect.gen(function*() {
      const outcomes = yield* provide(
        "outer",
        Effect.gen(function*() {
          const inner = yield* provide("inner", Name)
          const failed = yield* Effect.exit(provide("failing", Effect.flatMap(Name, (name) => Effect.fail(name))))
          const forked = yield* Effect.fork(provide("interrupted", Effect.never))
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(forked)
          return [inner, failed, yield* Name] as const
        })
      )
      expect(outcomes).toEqual(["inner", Exit.fail("failing"), "outer"])
      expect(yield* annotations).toEqual([["name", "failing"]])
    }))

  it.effect("M13: response handlers run in the order in which they were appended, each on the response of the one before", () =>
    Effect.gen(function*() {
      const append = (name: string) =>
        Effect.withFiberRuntime<void>((fiber) =>
          RequestFiber.make(
            RequestFiber.handlers(fiber, [
              name,
              (_, response) =>
                Effect.succeed(HttpServerResponse.setHeader(response, "x", `${response.headers.x ?? ""}${name}`))
            ])
          )
        )
      yield* append("a")
      yield* append("b")
      const handler = Option.getOrThrow(yield* FiberRef.get(HttpApp.currentPreResponseHandlers))
      const response = yield* handler(undefined as never, HttpServerResponse.empty())
      expect(response.headers.x).toBe("ab")
    }))
})
