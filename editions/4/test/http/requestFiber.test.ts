import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Option, References } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import * as RequestFiber from "../../src/internal/http/requestFiber.js"

class Name extends Context.Service<Name, string>()("test/Name") {}
class Other extends Context.Service<Other, string>()("test/Other") {}

const provide = <A, E, R>(name: string, app: Effect.Effect<A, E, R>) =>
  Effect.withFiber<A, E, Exclude<R, Name>>((fiber) =>
    RequestFiber.provide(fiber, app, Name, name, RequestFiber.annotation(fiber, "name", name))
  )

const annotations = Effect.map(References.CurrentLogAnnotations, (all) => Object.entries(all))

/** Runs an effect as the handler of a request, and returns the response. */
const inRequest = (handler: Effect.Effect<unknown>) =>
  Effect.promise(() =>
    HttpEffect.toWebHandler(Effect.as(handler, HttpServerResponse.empty()))(new Request("http://localhost/"))
  )

const append = (name: string, handle: RequestFiber.Handle) =>
  Effect.withFiber<void>((fiber) => RequestFiber.make(RequestFiber.handlers(fiber, [name, handle])))

describe("what a middleware changes of the request's fiber", () => {
  it.effect("R2: the app gets the service in addition to the existing ones, and the log annotation stays when the app has ended", () =>
    Effect.gen(function*() {
      const both = yield* provide("ada", Effect.all([Name, Other]))
      expect(both).toEqual(["ada", "other"])
      expect(yield* annotations).toEqual([["name", "ada"]])
    }).pipe(Effect.provideService(Other, "other")))

  it.effect("N4: the handlers of the response have the annotation, whatever was provided around the middleware", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      yield* inRequest(
        Effect.gen(function*() {
          yield* append("a", (_, response) => Effect.as(Effect.map(annotations, (all) => seen.push(all)), response))
          yield* provide("ada", Name)
        }).pipe(Effect.provideService(Other, "other"))
      )
      expect(seen).toEqual([[["name", "ada"]]])
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
          const forked = yield* Effect.forkChild(provide("interrupted", Effect.never))
          yield* Effect.yieldNow
          yield* Fiber.interrupt(forked)
          return [inner, failed, yield* Name] as const
        })
      )
      expect(outcomes).toEqual(["inner", Exit.fail("failing"), "outer"])
    }))

  it.effect("M13: response handlers run in the order in which they were appended, each on the response of the one before", () =>
    Effect.gen(function*() {
      const adds = (name: string): RequestFiber.Handle => (_, response) =>
        Effect.succeed(HttpServerResponse.setHeader(response, "x", `${response.headers.x ?? ""}${name}`))
      const response = yield* inRequest(Effect.andThen(append("a", adds("a")), append("b", adds("b"))))
      expect(response.headers.get("x")).toBe("ab")
    }))
})
