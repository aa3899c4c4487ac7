import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { KeyRing, PrivateCookie } from "effect-session"
import * as RandomPool from "../../src/internal/codec/random.js"
import { countOf } from "../../src/internal/edition/metric.js"
import { A, B, Count, increment } from "../support/sessionKeys.js"
import { sealedStage, stage } from "../support/stage.js"

describe("which of the cookie's values is the session", () => {
  it.effect("M8: with several live tokens an insert goes to the first one, and a flush ends all of them", () =>
    Effect.gen(function*() {
      const { begin, finish, request, stored } = stage()
      const one = yield* begin((session) => session.insert(A, "one"))
      const two = yield* begin((session) => session.insert(A, "two"))
      const unknown = RandomPool.token()
      const session = request([unknown, one, two])
      yield* session.insert(B, "b")
      expect(yield* increment(session)).toBe(1)
      yield* finish(session, one)
      expect([yield* stored(one), yield* stored(two)]).toEqual([{ a: "\"one\"", b: "\"b\"", count: "1" }, {
        a: "\"two\""
      }])
      const leaving = request([unknown, one, two])
      yield* leaving.flush
      yield* finish(leaving, one)
      expect([yield* stored(one), yield* stored(two)]).toEqual([undefined, undefined])
    }))

  it.effect("M6: a malformed value beside an unknown token removes neither, because the browser may hold the token's successor", () =>
    Effect.gen(function*() {
      const { finish, request } = stage()
      for (const tokens of [["garbage", RandomPool.token()], [RandomPool.token(), "garbage"]]) {
        const session = request(tokens)
        expect(yield* session.get(A)).toEqual(Option.none())
        expect((yield* finish(session, undefined)).verdict.cookie._tag).toBe("None")
      }
    }))
})

describe("loads, counted by outcome", () => {
  const count = (outcome: string) => Effect.sync(() => countOf("effect_session_load_total", ["outcome", outcome]))

  /** By how much the count of each outcome went up, where it did. */
  const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const outcomes = ["Found", "Absent", "Malformed", "NotAuthentic", "Unknown", "Expired", "Corrupt"]
      const before = yield* Effect.forEach(outcomes, count)
      yield* effect
      const after = yield* Effect.forEach(outcomes, count)
      return Object.fromEntries(
        outcomes.map((outcome, i) => [outcome, after[i] - before[i]] as const).filter(([, more]) => more !== 0)
      )
    })

  it.effect("M6: each load from a server store is counted by its outcome, once per request", () =>
    Effect.gen(function*() {
      let isCorrupt = false
      const { begin, visit } = stage({}, (backend) => ({
        ...backend,
        find: (id, now) =>
          isCorrupt
            ? Effect.succeed(Option.some({ _tag: "Corrupt" as const, newerFormat: false, detail: "of the test" }))
            : backend.find(id, now)
      }))
      const token = yield* begin((session) => session.insert(A, "v"))
      const look = (token: string | undefined) =>
        counted(visit(token, (session) => Effect.zipRight(session.get(A), session.get(Count))))
      expect(yield* look(token)).toEqual({ Found: 1 })
      expect(yield* look(undefined)).toEqual({ Absent: 1 })
      expect(yield* look("garbage")).toEqual({ Malformed: 1 })
      expect(yield* look(RandomPool.token())).toEqual({ Unknown: 1 })
      expect(yield* counted(visit(token, () => Effect.void))).toEqual({})
      isCorrupt = true
      expect(yield* look(token)).toEqual({ Corrupt: 1 })
    }))

  it.effect("M6: each load from the cookie store is counted by its outcome, once per request", () =>
    Effect.gen(function*() {
      const keys = yield* KeyRing.generate
      const { config, request, visit } = sealedStage(keys, { expiry: "1 hour" })
      const token = (yield* visit(undefined, (session) => session.insert(A, "v"))).token!
      const look = (token: string | undefined) => counted(request(token).get(A))
      expect(yield* look(token)).toEqual({ Found: 1 })
      expect(yield* look(undefined)).toEqual({ Absent: 1 })
      expect(yield* look("garbage")).toEqual({ Malformed: 1 })
      expect(yield* look(yield* PrivateCookie.seal(yield* KeyRing.generate, config.name, "v"))).toEqual({
        NotAuthentic: 1
      })
      expect(yield* look(yield* PrivateCookie.seal(keys, config.name, "v"))).toEqual({ Corrupt: 1 })
      yield* TestClock.adjust("1 hour")
      expect(yield* look(token)).toEqual({ Expired: 1 })
    }))
})
