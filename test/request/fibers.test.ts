/** Fibers of one request that use its session at the same time. A test decides which of two store calls comes first. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import * as RandomPool from "../../src/internal/codec/random.js"
import { A, B, C, Count, increment } from "../support/sessionKeys.js"
import { settle, stage } from "../support/stage.js"

describe("concurrent fibers of one request", () => {
  it.effect("C7: a modify that runs while the same request renews its session loses nothing", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.renew
      // the old record has been removed, and the answer is on its way
      const removing = hold("remove", "after")
      const committing = yield* Effect.fork(session.commit)
      yield* removing.reached
      const modifying = yield* Effect.fork(increment(session))
      yield* settle
      yield* removing.release
      yield* Fiber.join(committing)
      expect(yield* Fiber.join(modifying)).toBe(1)
      const { token: next } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", count: "1" })
    }))

  it.effect("C7: a modify that was written before a renewal of the same request and answered after it is kept", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.renew
      const updating = hold("update", "after")
      const modifying = yield* Effect.fork(increment(session))
      yield* updating.reached
      yield* session.commit
      yield* updating.release
      expect(yield* Fiber.join(modifying)).toBe(1)
      yield* session.insert(B, "later")
      const { token: next } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", b: "\"later\"", count: "1" })
    }))

  for (const when of ["before", "after"] as const) {
    it.effect(`C5: an insert after a flush starts a new session, although a modify runs at the same time (held up ${when} its update)`, () =>
      Effect.gen(function*() {
        const { begin, finish, hold, request, stored } = stage()
        const token = yield* begin((session) => session.insert(A, "a"))
        const session = request(token)
        yield* session.get(A)
        const updating = hold("update", when)
        const modifying = yield* Effect.fork(increment(session))
        yield* updating.reached
        yield* session.flush
        yield* session.insert(B, "new")
        yield* updating.release
        yield* Fiber.join(modifying)
        const { token: next } = yield* finish(session, token)
        expect(yield* stored(token)).toBeUndefined()
        expect(next).not.toBe(token)
        expect((yield* stored(next!))?.["b"]).toBe("\"new\"")
      }))
  }

  it.effect("C7: a modify and a commit of other keys that run in parallel are both seen afterwards, whichever is answered first", () =>
    Effect.gen(function*() {
      for (const first of ["modify", "commit"] as const) {
        const { begin, finish, hold, request, stored } = stage()
        const token = yield* begin((session) => session.insert(A, "a"))
        const session = request(token)
        yield* session.get(A)
        yield* session.insert(B, "b")
        const update = hold("update", "after")
        const slow = yield* Effect.fork(first === "modify" ? Effect.asVoid(increment(session)) : session.commit)
        yield* update.reached
        yield* first === "modify" ? session.commit : Effect.asVoid(increment(session))
        yield* update.release
        yield* Fiber.join(slow)
        expect(yield* session.get(B)).toEqual(Option.some("b"))
        expect(yield* session.get(Count)).toEqual(Option.some(1))
        expect(yield* increment(session)).toBe(2)
        yield* finish(session, token)
        expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"", count: "2" })
      }
    }))

  it.effect("C10: renew and setExpiry are carried out although they are called while a commit is in progress", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b") // without a load
      const update = hold("update", "after")
      const committing = yield* Effect.fork(session.commit)
      yield* update.reached
      yield* session.renew
      yield* session.setExpiry("2 hours")
      yield* update.release
      yield* Fiber.join(committing)
      const { token: next, verdict } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(verdict.cookie).toMatchObject({ maxAge: 7200 })
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", b: "\"b\"" })
      expect(yield* stored(token)).toBeUndefined()
    }))

  it.effect("C7: a load that was answered before a commit of the same request and arrives after it hides no change", () =>
    Effect.gen(function*() {
      const { begin, hold, request } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const committing = yield* Effect.fork(session.commit)
      yield* update.reached
      const find = hold("find", "after")
      const reading = yield* Effect.fork(session.get(A))
      yield* find.reached
      yield* update.release
      yield* Fiber.join(committing)
      yield* find.release
      expect(yield* Fiber.join(reading)).toEqual(Option.some("a"))
      expect(yield* session.get(B)).toEqual(Option.some("b"))
    }))

  it.effect("C7: a load that was answered before a modify of the same request and arrives after it hides no change", () =>
    Effect.gen(function*() {
      const { begin, hold, request, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      const update = hold("update", "before")
      const modifying = yield* Effect.fork(increment(session))
      yield* update.reached
      yield* visit(token, (other) => other.insert(C, "of another request"))
      yield* session.insert(B, "b")
      yield* session.commit // the next read has to load again
      const find = hold("find", "after")
      const reading = yield* Effect.fork(session.get(A))
      yield* find.reached
      yield* update.release
      expect(yield* Fiber.join(modifying)).toBe(1)
      yield* find.release
      expect(yield* Fiber.join(reading)).toEqual(Option.some("a"))
      expect(yield* session.get(Count)).toEqual(Option.some(1))
    }))

  it.effect("C7: a commit and a sign-in of one request run one after the other", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const committing = yield* Effect.fork(session.commit)
      yield* update.reached
      const binding = yield* Effect.fork(session.bind("ada"))
      yield* settle
      yield* update.release
      yield* Fiber.join(committing)
      yield* Fiber.join(binding)
      const { token: next } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(yield* stored(token)).toBeUndefined()
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", b: "\"b\"" })
    }))

  it.effect("C11: changes after the response's head run one after another, and each sees the ones before it", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      yield* finish(session, token)
      const update = hold("update", "after")
      const first = yield* Effect.fork(session.insert(B, "b"))
      yield* update.reached
      const second = yield* Effect.fork(session.insert(C, "c"))
      yield* settle
      expect(yield* session.get(B)).toEqual(Option.some("b"))
      yield* update.release
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      expect(yield* session.get(B)).toEqual(Option.some("b"))
      expect(yield* session.get(C)).toEqual(Option.some("c"))
      expect(yield* increment(session)).toBe(1)
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"", c: "\"c\"", count: "1" })
    }))

  it.effect("C11: a commit that is still in progress when the response is ready sends its cookie", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const token = RandomPool.token() // identifies no session
      const session = request(token)
      const finding = hold("find", "after")
      const inserting = hold("insert", "after")
      // one fiber reads, and another one writes and saves: the response waits for both
      const reading = yield* Effect.fork(session.get(B))
      yield* finding.reached
      const saving = yield* Effect.fork(Effect.zipRight(session.insert(A, "a"), session.commit))
      const finishing = yield* Effect.fork(finish(session, token))
      yield* settle
      yield* finding.release
      yield* inserting.reached
      yield* settle
      yield* inserting.release
      yield* Fiber.join(reading)
      yield* Fiber.join(saving)
      const { token: next } = yield* Fiber.join(finishing)
      expect(yield* stored(next!)).toEqual({ a: "\"a\"" })
    }))
})

describe("interruption", () => {
  for (const operation of ["insert", "remove"] as const) {
    for (const when of ["before", "after"] as const) {
      it.effect(`C10: a commit that is interrupted while it renews the session loses nothing (held up ${when} its ${operation})`, () =>
        Effect.gen(function*() {
          const { begin, finish, hold, request, stored } = stage()
          const token = yield* begin((session) => session.insert(A, "a"))
          const session = request(token)
          yield* session.renew
          const held = hold(operation, when)
          const committing = yield* Effect.fork(session.commit)
          yield* held.reached
          const interrupting = yield* Effect.fork(Fiber.interrupt(committing))
          yield* settle
          yield* held.release
          yield* Fiber.join(interrupting)
          const { token: next } = yield* finish(session, token)
          expect(yield* stored(next!)).toEqual({ a: "\"a\"" })
        }))
    }
  }

  it.effect("M4: what was saved is kept when the handler is interrupted during its commit, and the cookie is sent", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const session = request(undefined)
      const held = hold("insert", "after")
      const handler = yield* Effect.fork(Effect.zipRight(session.insert(A, "a"), session.commit))
      yield* held.reached
      const interrupting = yield* Effect.fork(Fiber.interrupt(handler))
      yield* settle
      yield* held.release
      yield* Fiber.join(interrupting)
      const { token } = yield* finish(session, undefined, 499)
      expect(yield* stored(token!)).toEqual({ a: "\"a\"" })
    }))
})
