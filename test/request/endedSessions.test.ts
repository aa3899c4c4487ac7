import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { SessionError } from "effect-session"
import { A, B, C, increment } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

describe("a session that ends while a request uses it", () => {
  it.effect("S2: a request that revokes its own session writes nothing more, sends no cookie, and the session stays ended", () =>
    Effect.gen(function*() {
      const { begin, finish, request, sessions, stats, stored } = stage()
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "a"), session.bind("ada")))
      const session = request(token)
      yield* session.get(A)
      expect(yield* sessions.revokeAll("ada")).toBe(1)
      yield* session.insert(B, "b")
      expect(yield* Effect.flip(increment(session))).toEqual(new SessionError.SessionEnded())
      yield* session.renew
      yield* session.commit
      yield* session.insert(C, "c")
      const { verdict } = yield* finish(session, token)
      expect(verdict).toEqual({ cookie: { _tag: "None" }, failure: undefined })
      expect([yield* stored(token), stats.sessions()]).toEqual([undefined, 0])
    }))

  it.effect("S2: a session that ends between two commits of a request sends no cookie at all", () =>
    Effect.gen(function*() {
      const { begin, finish, request, sessions, stored } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "v"))
      const session = request(token)
      yield* session.bind("ada")
      expect(yield* sessions.revokeAll("ada")).toBe(1)
      yield* session.insert(A, "late")
      const { verdict } = yield* finish(session, token)
      expect(verdict).toEqual({ cookie: { _tag: "None" }, failure: undefined })
      expect([yield* stored(token), yield* sessions.list("ada")]).toEqual([undefined, []])
    }))
})
