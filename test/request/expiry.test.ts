import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, TestClock } from "effect"
import { SessionError } from "effect-session"
import { collectLogs } from "../support/collectLogs.js"
import { A, B, increment } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

describe("a request's expiry and refresh", () => {
  const hours = (n: number) => Duration.hours(n)

  it.effect("M3: a modify that refreshes the record of a browser-session cookie sends no cookie, because it has no Max-Age to move", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ idle: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust(hours(2))
      const { verdict } = yield* visit(token, increment)
      expect(verdict.cookie).toEqual({ _tag: "None" })
      yield* TestClock.adjust(hours(9))
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.some("a"))
    }))

  it.effect("M3: a commit that refreshes the record of a browser-session cookie sends no cookie either", () =>
    Effect.gen(function*() {
      const { begin, counts, stored, visit } = stage({ idle: "10 days" })
      const token = yield* begin((session) => session.insert(A, "v"))
      yield* TestClock.adjust("2 days")
      const updates = counts.update
      const read = yield* visit(token, (session) => session.get(A))
      expect([read.verdict.cookie._tag, counts.update - updates]).toEqual(["None", 1])
      yield* TestClock.adjust("2 days")
      const written = yield* visit(token, (session) => Effect.zipRight(session.get(A), session.insert(A, "w")))
      expect(written.verdict.cookie._tag).toBe("None")
      yield* TestClock.adjust("9 days")
      expect(yield* stored(token)).toEqual({ a: "\"w\"" })
    }))

  it.effect("E3: the cookie's Max-Age follows a refresh that modify has saved, even if the response is a 500", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ expiry: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust(hours(2))
      const { verdict } = yield* visit(token, increment, 500)
      expect(verdict.cookie).toEqual({ _tag: "Set", token, maxAge: 36_000 })
    }))

  it.effect("E3: a session that is touched shortly before its absolute end is refreshed, and lives until that end", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ expiry: "1 hour", absoluteExpiry: "100 minutes" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("39 minutes")
      yield* visit(token, (session) => session.get(A)) // its idle time now ends at minute 99
      yield* TestClock.adjust("59 minutes")
      const { verdict } = yield* visit(token, (session) => session.get(A))
      expect(verdict.cookie).toEqual({ _tag: "Set", token, maxAge: 120 })
      yield* TestClock.adjust("90 seconds")
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.some("a"))
      yield* TestClock.adjust("30 seconds")
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.none())
    }))

  it.effect("C10: a renewal keeps the expiry that another request set after the load", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "a"), session.setExpiry("2 hours")))
      const renewed = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.renew
          yield* visit(token, (other) => other.setExpiry("30 days"))
        }))
      const loaded = yield* store.load([renewed.token!], 0)
      expect(loaded).toMatchObject({ session: { idleMillis: Duration.toMillis("30 days"), own: true } })
    }))

  it.effect("C10: an expiry that a request sets along with its renewal wins over one that another request set in the meantime", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "a"), session.setExpiry("2 hours")))
      const renewed = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.renew
          yield* session.setExpiry("3 hours")
          yield* visit(token, (other) => other.setExpiry("30 days"))
        }))
      const loaded = yield* store.load([renewed.token!], 0)
      expect(loaded).toMatchObject({ session: { idleMillis: Duration.toMillis("3 hours"), own: true } })
    }))

  it.effect("M7: an insert into a session that is past a newly configured absolute expiry starts a new session", () =>
    Effect.gen(function*() {
      const before = stage({ expiry: "10 hours" })
      const after = stage({ expiry: "10 hours", absoluteExpiry: "1 hour" }, () => before.backend)
      const token = yield* before.begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust(hours(2))
      const { token: next } = yield* after.visit(token, (session) => session.insert(B, "b"))
      expect(next).not.toBe(token)
      expect(yield* after.stored(next!)).toEqual({ b: "\"b\"" })
      expect(yield* before.stored(token)).toBeUndefined()
    }))

  for (const trouble of ["fails", "hangs"] as const) {
    it.effect(`M5: when the refresh after an insert ${trouble}, the commit has not failed, and logs nothing beside the failed call`, () =>
      Effect.gen(function*() {
        const { begin, finish, hold, request } = stage({ expiry: "10 hours" })
        const token = yield* begin((session) => session.insert(A, "a"))
        yield* TestClock.adjust(hours(2))
        const session = request(token)
        yield* session.insert(B, "b")
        const first = hold("update", "before")
        const second = hold("update", "before")
        const logs: Array<string> = []
        const finishing = yield* Effect.fork(Effect.provide(finish(session, token), collectLogs(logs)))
        yield* first.reached
        yield* first.release
        yield* second.reached
        if (trouble === "fails") yield* second.fail(SessionError.SessionStoreError.of("update", "Unavailable"))
        else yield* TestClock.adjust("5 seconds")
        const { verdict } = yield* Fiber.join(finishing)
        expect(verdict).toEqual({ cookie: { _tag: "None" }, failure: undefined })
        expect(logs).toEqual([]) // the call itself is logged by the guard of the layer's store
      }))
  }

  it.effect("E4: setExpiry sends the cookie when it gains, changes or loses its Max-Age, and otherwise sends none", () =>
    Effect.gen(function*() {
      for (const persistent of [true, false]) {
        const { begin, visit } = stage(persistent ? { expiry: "1 hour" } : { idle: "1 hour" })
        const token = yield* begin((session) => session.insert(A, "a"))
        const steps = [
          ["browser-session", persistent ? "sent" : "none", undefined],
          ["browser-session", "none", undefined],
          ["2 hours", "sent", 7200],
          ["2 hours", "sent", 7200],
          ["browser-session", "sent", undefined]
        ] as const
        for (const [expiry, sent, maxAge] of steps) {
          const { verdict } = yield* visit(token, (session) => session.setExpiry(expiry))
          expect([persistent, expiry, verdict.cookie])
            .toEqual([persistent, expiry, sent === "none" ? { _tag: "None" } : { _tag: "Set", token, maxAge }])
        }
      }
    }))

  const month = { session: { idleMillis: Duration.toMillis("30 days"), own: true } }
  const minutes = { session: { idleMillis: Duration.toMillis("5 minutes"), own: true } }

  it.effect("E4: the refresh of a request that only reads yields to an expiry that another request set", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("20 minutes")
      yield* visit(
        token,
        (session) => Effect.zipRight(session.get(A), visit(token, (other) => other.setExpiry("30 days")))
      )
      expect(yield* store.load([token], 0)).toMatchObject(month)
    }))

  it.effect("E4: the refresh of a request that writes yields to an expiry that another request set, and the write is saved", () =>
    Effect.gen(function*() {
      const { begin, store, stored, visit } = stage({ expiry: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("2 hours")
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.setExpiry("5 minutes"))
          yield* session.insert(B, "b")
        }))
      expect(yield* store.load([token], 0)).toMatchObject(minutes)
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"" })
    }))

  it.effect("E4: the refresh after a write without a read yields to an expiry that another request set", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, store, visit } = stage({ expiry: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("2 hours")
      const session = request(token)
      yield* session.insert(B, "b")
      const update = hold("update", "after")
      const finishing = yield* Effect.fork(finish(session, token))
      yield* update.reached
      yield* visit(token, (other) => other.setExpiry("5 minutes"))
      yield* update.release
      yield* Fiber.join(finishing)
      expect(yield* store.load([token], 0)).toMatchObject(minutes)
    }))

  it.effect("E3: when another write displaces the refresh of a request's write, a second step refreshes the session", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("30 minutes")
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* store.save({
            base: { token, session: undefined },
            patch: { clear: false, set: new Map([["c", "1"]]), remove: new Set(), expiry: undefined, maxBytes: 1000 },
            renew: false,
            ifVersion: undefined,
            owner: undefined
          }, 0)
          yield* session.insert(B, "b")
        }))
      yield* TestClock.adjust("45 minutes")
      const now = Duration.toMillis("75 minutes")
      expect((yield* store.load([token], now))._tag).toBe("Found")
    }))

  it.effect("S4: a socket or a stream that outlives its session reads nothing from it and writes nothing to it", () =>
    Effect.gen(function*() {
      const { begin, request, stored } = stage({ expiry: "1 hour", absoluteExpiry: "2 hours" })
      const token = yield* begin((session) => session.insert(A, "admin"))
      const socket = request(token)
      yield* socket.upgrade
      expect(yield* socket.get(A)).toEqual(Option.some("admin"))
      yield* TestClock.adjust("3 hours")
      expect([yield* socket.get(A), yield* socket.keys, yield* socket.sessionId]).toEqual([
        Option.none(),
        [],
        Option.none()
      ])
      yield* socket.insert(B, "late")
      expect(yield* stored(token)).toBeUndefined()
    }))
})
