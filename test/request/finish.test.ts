import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { SessionError } from "effect-session"
import { A, B, C } from "../support/sessionKeys.js"
import { settle, stage, verdictOf } from "../support/stage.js"

describe("the end of a request", () => {
  it.effect("M4: finishing a request again with another status returns the same verdict and saves nothing twice", () =>
    Effect.gen(function*() {
      const { counts, request, stored } = stage()
      const committed = request(undefined)
      yield* committed.insert(A, "a")
      const first = yield* verdictOf(committed, true)
      for (const again of [false, true]) expect(yield* verdictOf(committed, again)).toBe(first)
      expect([counts.insert, counts.update]).toEqual([1, 0])
      expect(first.cookie._tag === "Set" && (yield* stored(first.cookie.token))).toEqual({ a: "\"a\"" })
      const dropped = request(undefined)
      yield* dropped.insert(A, "a")
      for (const committing of [false, true, true]) {
        expect(yield* verdictOf(dropped, committing)).toEqual({ cookie: { _tag: "None" }, failure: undefined })
      }
      expect(counts.insert).toBe(1)
    }))

  it.effect("M4: a 499 drops the changes, because the client that would have received the cookie has gone", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "before"))
      yield* visit(token, (session) => session.insert(A, "dropped"), 499)
      expect(yield* stored(token)).toEqual({ a: "\"before\"" })
      expect((yield* visit(undefined, (session) => session.insert(A, "dropped"), 499)).token).toBeUndefined()
      yield* visit(token, (session) => session.insert(A, "kept"), 498)
      expect(yield* stored(token)).toEqual({ a: "\"kept\"" })
    }))

  it.effect("M5: when the second commit of a request fails, the response is a 503 with the cookie of what the first one saved", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const session = request(undefined)
      yield* session.insert(A, "a")
      yield* session.commit
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* update.reached
      yield* update.fail(SessionError.SessionStoreError.of("update", "Unavailable"))
      const { token, verdict } = yield* Fiber.join(finishing)
      expect(verdict.failure).toMatchObject({ operation: "update" })
      expect(yield* stored(token!)).toEqual({ a: "\"a\"" })
    }))

  it.effect("M5: when a commit after a flush fails, the response is a 503 that removes the cookie of the session that ended", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.flush
      yield* session.insert(B, "b")
      const insert = hold("insert", "before")
      const finishing = yield* Effect.fork(finish(session, token))
      yield* insert.reached
      yield* insert.fail(SessionError.SessionStoreError.of("insert", "Unavailable"))
      const { verdict } = yield* Fiber.join(finishing)
      expect(verdict).toMatchObject({ cookie: { _tag: "Remove" }, failure: { operation: "insert" } })
      expect(yield* stored(token)).toBeUndefined()
    }))

  it.effect("C11: a commit that a fiber calls while the response is being prepared fails if the response's own commit fails", () =>
    Effect.gen(function*() {
      const { finish, hold, request } = stage()
      const session = request(undefined)
      yield* session.insert(A, "a")
      const insert = hold("insert", "before")
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* insert.reached
      const committing = yield* Effect.fork(Effect.exit(session.commit))
      yield* settle
      yield* insert.fail(SessionError.SessionStoreError.of("insert", "Unavailable"))
      yield* Fiber.join(finishing)
      expect(yield* Fiber.join(committing)).toMatchObject({ cause: { error: { operation: "insert" } } })
    }))

  it.effect("C11: what fibers change while the response is being prepared is saved after the head, or refused with a typed error", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const finishing = yield* Effect.fork(finish(session, token))
      yield* update.reached
      const inserting = yield* Effect.fork(session.insert(C, "c"))
      const modifying = yield* Effect.fork(session.modify(B, (b) => [b, Option.some("modified")]))
      for (const refused of [session.renew, session.setExpiry("2 hours"), session.bind("ada")]) {
        expect(yield* Effect.flip(refused)).toBeInstanceOf(SessionError.SessionClosed)
      }
      yield* settle
      yield* update.release
      yield* Fiber.join(inserting)
      expect(yield* Fiber.join(modifying)).toEqual(Option.some("b"))
      const { token: same, verdict } = yield* Fiber.join(finishing)
      expect([verdict.cookie, same]).toEqual([{ _tag: "None" }, token])
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"modified\"", c: "\"c\"" })
    }))
})
