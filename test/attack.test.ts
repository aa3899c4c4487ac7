import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, Schema } from "effect"
import { type SessionBackend, SessionKey } from "effect-session"
import type { RequestSession } from "../src/internal/session.js"
import { settle, stage } from "./support/stage.js"

const A = SessionKey.make("a", Schema.String)
const B = SessionKey.make("b", Schema.String)
const C = SessionKey.make("c", Schema.String)
const Count = SessionKey.make("count", Schema.Int)

const increment = (session: RequestSession) =>
  session.modify(Count, (count) => {
    const next = Option.getOrElse(count, () => 0) + 1
    return [next, Option.some(next)]
  })

/** A backend that trusts `base` as far as the contract lets it: it writes its text over the record of base's version. */
const trustful = (backend: SessionBackend.SessionBackendService): SessionBackend.SessionBackendService => ({
  ...backend,
  update: (id, patch, now, ifVersion, base) =>
    Effect.flatMap(
      base === undefined || (ifVersion !== undefined && ifVersion !== base.version)
        ? Effect.succeed({ _tag: "Conflict" as const })
        : backend.update(
          id,
          {
            ...patch,
            clear: true,
            remove: new Set(),
            set: new Map([...patch.clear ? [] : base.data, ...patch.set].filter(([key]) => !patch.remove.has(key)))
          },
          now,
          base.version
        ),
      (updated) => updated._tag === "Conflict" ? backend.update(id, patch, now, ifVersion) : Effect.succeed(updated)
    )
})

describe("what another request wrote since the load", () => {
  it.effect("C10: renew after a commit copies what another request wrote before that commit", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const renewed = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.insert(B, "of another request"))
          yield* session.insert(C, "c")
          yield* session.commit
          yield* session.renew
        }))
      expect(renewed.token).not.toBe(token)
      expect(yield* stored(renewed.token!)).toEqual({ a: "\"a\"", b: "\"of another request\"", c: "\"c\"" })
    }))

  it.effect("C9: modify after a commit counts on what another request counted before that commit", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, increment)
          yield* session.insert(C, "c")
          yield* session.commit
          expect(yield* increment(session)).toBe(2)
        }))
      expect((yield* stored(token))?.["count"]).toBe("2")
    }))

  it.effect("S3: two commits of a request over a backend that builds on `base` lose no other request's key", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({}, trustful)
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.insert(B, "of another request"))
          yield* session.insert(C, "c")
          yield* session.commit
          yield* session.insert(C, "d")
        }))
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"of another request\"", c: "\"d\"" })
    }))

  it.effect("C7: after a commit the request sees what it saw, what it wrote, and nothing twice", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.insert(B, "b"))
          yield* session.insert(C, "c")
          yield* session.commit
          expect(yield* session.get(A)).toEqual(Option.some("a"))
          expect(yield* session.get(C)).toEqual(Option.some("c"))
          expect([...yield* session.keys].sort()).toEqual(["a", "b", "c"])
        }))
    }))
})

describe("fibers of one request, in each other's way", () => {
  it.effect("C7: modify beside a renewal of the same request does not lose the session", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.renew
      // the old record is gone, the answer is on its way
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

  it.effect("C7: modify that was written before a renewal of the same request, and answered after it", () =>
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
    it.effect(`C5: what is inserted after a flush is a new session, whatever a modify beside it did (${when})`, () =>
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

  it.effect("C7: a modify and a commit of other keys in parallel are both seen afterwards, whoever is answered first", () =>
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

  it.effect("C10: renew and setExpiry asked for while a commit is under way are carried out", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b") // unseen
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

  it.effect("C7: a load that was answered before a commit of the request, and arrives after it, hides nothing", () =>
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

  it.effect("C7: two commits, and a sign-in beside a commit, come one after another", () =>
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

  it.effect("C11: changes after the head come one after another, and each is seen by those after it", () =>
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

  it.effect("C11: a commit that is under way as the response is ready still sends its cookie", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const session = request(undefined)
      yield* session.insert(A, "a")
      const inserting = hold("insert", "after")
      // a fiber of the request that reads, and then saves: the response waits for the read
      const detached = yield* Effect.fork(
        Effect.zipRight(Effect.zipRight(session.get(B), Effect.yieldNow()), session.commit)
      )
      yield* inserting.reached
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* settle
      yield* inserting.release
      yield* Fiber.join(detached)
      const { token } = yield* Fiber.join(finishing)
      expect(yield* stored(token!)).toEqual({ a: "\"a\"" })
    }))
})

describe("interrupted", () => {
  for (const operation of ["insert", "remove"] as const) {
    for (const when of ["before", "after"] as const) {
      it.effect(`C10: a commit that is interrupted while it renews loses no session (${when} ${operation})`, () =>
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

  it.effect("M4: a handler that is interrupted while it commits keeps what was saved, and its cookie goes out", () =>
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
