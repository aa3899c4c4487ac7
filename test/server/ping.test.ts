import { describe, expect, it } from "@effect/vitest"
import { KeyRing, SessionStore } from "effect-session"
import { SessionBackend, type SessionBackendService } from "effect-session/SessionBackend"
import { SessionStoreError } from "effect-session/SessionError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"

const over = (find: SessionBackendService["find"]) => {
  const unused = () => Effect.die("only find may be called")
  const backend: SessionBackendService = { find, insert: unused, update: unused, remove: unused, removeExpired: unused }
  return SessionStore.layerBackend({ secure: false, storeTimeout: "2 seconds" }).pipe(
    Layer.provide(Layer.succeed(SessionBackend, backend))
  )
}

describe("ping", () => {
  it.effect("S10: the memory store and the cookie store are always ready", () =>
    Effect.gen(function*() {
      yield* Effect.provide(SessionStore.ping, SessionStore.layerMemory({ secure: false }))
      const keys = yield* KeyRing.generate
      yield* Effect.provide(SessionStore.ping, SessionStore.layerCookie({ secure: false, keys }))
    }))

  it.effect("S10: a ping makes one call to the backend, each time it runs, with a well-formed id", () =>
    Effect.gen(function*() {
      const ids: Array<string> = []
      const layer = over((id) => Effect.sync(() => ids.push(id)).pipe(Effect.as(Option.none())))
      yield* Effect.zipRight(SessionStore.ping, SessionStore.ping).pipe(Effect.provide(layer))
      expect(ids).toHaveLength(2)
      for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
    }))

  it.effect("S10: a ping fails with SessionStoreError when the backend fails or dies", () =>
    Effect.gen(function*() {
      for (const failing of [Effect.fail(SessionStoreError.of("find", "Unavailable")), Effect.die("down")]) {
        const error = yield* Effect.flip(SessionStore.ping).pipe(Effect.provide(over(() => failing)))
        expect(error).toMatchObject({ _tag: "SessionStoreError", reason: "Unavailable" })
      }
    }))

  it.effect("S10: a ping waits no longer than storeTimeout", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.flip(SessionStore.ping).pipe(Effect.provide(over(() => Effect.never))))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "SessionStoreError", reason: "Timeout" })
    }))
})
