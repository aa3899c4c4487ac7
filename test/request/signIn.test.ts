import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { A, B } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

describe("signing in", () => {
  it.effect("C10: a sign-in on a session that has ended in the meantime begins a new one with this request's changes", () =>
    Effect.gen(function*() {
      const { begin, request, sessions, stored, visit } = stage()
      const subjectOf = (token: string) => Effect.map(request(token).signedIn, Option.map(({ subject }) => subject))
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "old"), session.bind("ada")))
      const { token: changed } = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.signedIn
          yield* session.insert(B, "before")
          yield* sessions.revokeAll("ada")
          yield* session.bind("ada")
        }))
      expect(changed).not.toBe(token)
      expect(yield* subjectOf(changed!)).toEqual(Option.some("ada"))
      expect(yield* stored(changed!)).toEqual({ b: "\"before\"" })
      expect(yield* subjectOf(token)).toEqual(Option.none())
    }))

  it.effect("C10: a sign-in on a session that ends between its load and its save begins a new one too", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, store, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "old"))
      const session = request(token)
      yield* session.insert(B, "b")
      const remove = hold("remove", "before")
      const signing = yield* Effect.fork(session.bind("ada"))
      yield* remove.reached
      yield* store.end({ token, session: undefined }, 0)
      yield* remove.release
      yield* Fiber.join(signing)
      expect(Option.map(yield* session.signedIn, ({ subject }) => subject)).toEqual(Option.some("ada"))
      const { token: fresh } = yield* finish(session, token)
      expect(yield* stored(fresh!)).toEqual({ b: "\"b\"" })
    }))

  it.effect("C10: a sign-in keeps an anonymous session's data, and passes nothing of one subject to another", () =>
    Effect.gen(function*() {
      const { begin, store, stored, visit } = stage({ expiry: "1 hour" })
      const anonymous = yield* begin((session) => session.insert(A, "cart"))
      const ada = (yield* visit(anonymous, (session) => session.bind("ada"))).token!
      expect(yield* stored(ada)).toEqual({ a: "\"cart\"" })
      const again = (yield* visit(ada, (session) => Effect.zipRight(session.setExpiry("30 days"), session.bind("ada"))))
        .token!
      expect(yield* stored(again)).toEqual({ a: "\"cart\"" })
      const bob = (yield* visit(again, (session) => Effect.zipRight(session.insert(B, "new"), session.bind("bob"))))
        .token!
      expect(yield* stored(bob)).toEqual({ b: "\"new\"" })
      expect(yield* store.load([bob], 0)).toMatchObject({ session: { own: false, owner: { subject: "bob" } } })
      expect(yield* stored(again)).toBeUndefined()
    }))

  it.effect("C10: a sign-in passes nothing of one subject to another even if the copy had to be made again", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, store, stored, visit } = stage({ expiry: "1 hour" })
      const ada = yield* begin((session) => Effect.zipRight(session.insert(A, "ada's"), session.bind("ada")))
      const session = request(ada)
      yield* session.get(A)
      const remove = hold("remove", "before")
      const signing = yield* Effect.fork(session.bind("bob"))
      yield* remove.reached
      yield* visit(ada, (other) => Effect.zipRight(other.insert(B, "ada's"), other.setExpiry("30 days")))
      yield* remove.release
      yield* Fiber.join(signing)
      const { token } = yield* finish(session, ada)
      expect(yield* stored(token!)).toEqual({})
      expect(yield* store.load([token!], 0)).toMatchObject({ session: { own: false, owner: { subject: "bob" } } })
    }))
})
