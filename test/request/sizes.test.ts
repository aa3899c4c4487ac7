import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Option, Schema, TestClock } from "effect"
import { KeyRing, SessionError, SessionKey } from "effect-session"
import type { RequestSession } from "../../src/internal/request/requestSession.js"
import { A, B } from "../support/sessionKeys.js"
import { sealedStage, seeded, stage } from "../support/stage.js"

describe("the size of a session", () => {
  const names = ["a", "b", "", "ü", "__proto__"]
  const bytesOf = (data: ReadonlyMap<string, string>) =>
    [...data].reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text), 0)

  /** Four requests with random steps, one at a time, beside a plain map that says what fits. */
  const fits = (
    seed: number,
    open: (token: string | undefined) => RequestSession,
    finish: (session: RequestSession, token: string | undefined) => Effect.Effect<string | undefined>,
    tooLarge: (data: ReadonlyMap<string, string>) => boolean,
    most: number
  ) =>
    Effect.gen(function*() {
      const below = seeded(seed)
      let token: string | undefined
      let data = new Map<string, string>()
      /** what the store holds at least: a modify that is saved at once is checked against this, too */
      let stored: ReadonlyMap<string, string> = data
      for (let visit = 0; visit < 4; visit++) {
        stored = new Map(data)
        const session = open(token)
        yield* session.keys // without a load the size is checked only at the commit
        for (let step = 0; step < 15; step++) {
          const name = names[below(names.length)]
          const key = SessionKey.make(name, Schema.String)
          const value = "xyü\"\u0001"[below(5)].repeat(below(most))
          const next = new Map(data).set(name, JSON.stringify(value))
          const op = below(9)
          if (op < 5) {
            const exit = yield* Effect.exit(
              op < 4 ? session.insert(key, value) : session.modify(key, () => [undefined, Option.some(value)])
            )
            const isRefused = tooLarge(next)
            // What a request has removed takes its room until the commit, so that a modify may fail before.
            const mayFail = op === 4 && tooLarge(new Map([...stored, [name, JSON.stringify(value)]]))
            if (isRefused || !mayFail) {
              expect([seed, visit, step, exit._tag]).toEqual([seed, visit, step, isRefused ? "Failure" : "Success"])
            }
            if (Exit.isFailure(exit)) {
              expect(Option.getOrThrow(Cause.failureOption(exit.cause))).toBeInstanceOf(SessionError.SessionTooLarge)
            } else {
              data = next
              if (op === 4) stored = new Map([...stored, [name, JSON.stringify(value)]])
            }
          } else if (op === 5) {
            expect(Option.isSome(yield* session.remove(key))).toBe(data.delete(name))
          } else if (op === 6) {
            yield* session.commit
            stored = new Map(data)
          } else if (op === 7 && below(3) === 0) {
            yield* below(2) === 0 ? session.clear : session.flush
            data = new Map()
          } else yield* session.get(key)
          expect([...(yield* session.keys)].sort()).toEqual([...data.keys()].sort())
        }
        token = yield* finish(session, token)
      }
    })

  it.effect(
    "S7: a session takes every change that fits and refuses every one that does not, to the byte, in any order of operations",
    () =>
      Effect.forEach(Array.from({ length: 100 }, (_, seed) => seed), (seed) => {
        const { finish, request } = stage({ maxSessionBytes: 100 })
        return fits(
          seed,
          request,
          (session, token) => Effect.map(finish(session, token), (finished) => finished.token),
          (data) => bytesOf(data) > 100,
          60
        )
      }, { discard: true }),
    60_000
  )

  it.effect(
    "K6: a cookie takes every change that fits and refuses every one that does not, by the size of what is really sent",
    () =>
      Effect.gen(function*() {
        const keys = yield* KeyRing.generate
        const { finish, request, store } = sealedStage(keys)
        const sizeOf = (data: ReadonlyMap<string, string>) => {
          const patch = { clear: false, set: data, remove: new Set<string>(), expiry: undefined, maxBytes: 0 }
          const exit = Effect.runSyncExit(
            store.save({ base: undefined, patch, renew: false, ifVersion: undefined, owner: undefined }, 0)
          )
          return Exit.isSuccess(exit) && exit.value._tag === "Saved" ? `session${exit.value.token}`.length : Infinity
        }
        yield* Effect.forEach(Array.from({ length: 60 }, (_, seed) => seed), (seed) =>
          fits(
            seed,
            request,
            (session, sent) =>
              Effect.map(finish(session, sent), ({ token, verdict }) => {
                expect(verdict.failure).toBeUndefined()
                return token
              }),
            (data) => sizeOf(data) > 4096,
            2200
          ), { discard: true })
      }),
    60_000
  )

  it.effect("S7: an insert that makes a session too large without having loaded it is a failed commit, and changes nothing", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({ maxSessionBytes: 20 })
      const token = yield* begin((session) => session.insert(A, "0123456789"))
      const { verdict } = yield* visit(token, (session) => session.insert(B, "0123456789"))
      expect(verdict.failure).toMatchObject({ _tag: "SessionTooLarge", size: 26, limit: 20 })
      expect(yield* stored(token)).toEqual({ a: "\"0123456789\"" })
    }))
})

describe("values of older versions that have outgrown the limit", () => {
  const CartV1 = SessionKey.make("cart", Schema.Array(Schema.String))
  const Cart = SessionKey.make("cart", Schema.Array(Schema.Struct({ sku: Schema.String, quantity: Schema.Int })), {
    from: SessionKey.previous(Schema.Array(Schema.String), (skus) => skus.map((sku) => ({ sku, quantity: 1 })))
  })
  const skus = (count: number) => Array.from({ length: count }, (_, i) => `sku-00000${i}`)

  it.effect("S7: a migrated value over the limit is read and stays as it is, and other writes and refreshes are saved", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({ maxSessionBytes: 200, expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(CartV1, skus(10)))
      const before = yield* stored(token)
      for (let visits = 0; visits < 6; visits++) {
        yield* TestClock.adjust("20 minutes")
        const { value, verdict } = yield* visit(token, (session) => session.get(Cart))
        expect([visits, Option.isSome(value), verdict.cookie._tag]).toEqual([visits, true, "Set"])
      }
      const { verdict } = yield* visit(token, (session) => Effect.zipRight(session.get(Cart), session.insert(B, "b")))
      expect(verdict.failure).toBeUndefined()
      expect(yield* stored(token)).toEqual({ ...before, b: "\"b\"" })
    }))

  it.effect("K6: a migrated value that a cookie cannot hold is read and stays as it is, and other writes are saved", () =>
    Effect.gen(function*() {
      const { finish, request, visit } = sealedStage(yield* KeyRing.generate)
      const { token: sent } = yield* visit(undefined, (session) => session.insert(CartV1, skus(120)))
      const second = request(sent)
      expect(Option.isSome(yield* second.get(Cart))).toBe(true)
      yield* second.insert(B, "b")
      const { token, verdict } = yield* finish(second, sent)
      expect(verdict.failure).toBeUndefined()
      const third = request(token)
      expect([yield* third.get(B), yield* third.get(CartV1)]).toEqual([Option.some("b"), Option.some(skus(120))])
    }))
})

describe("a session over a limit that was lowered", () => {
  it.effect("S7: a session over a lowered limit is changed, renewed and signed in as before, as long as it does not grow", () =>
    Effect.gen(function*() {
      const before = stage({ maxSessionBytes: 200 })
      const old = yield* before.begin((session) => session.insert(A, "a".repeat(150)))
      const { finish, request } = stage({ maxSessionBytes: 100 }, undefined, before.made)
      const visit = (sent: string, handler: (session: RequestSession) => Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          const session = request(sent)
          const exit = yield* Effect.exit(handler(session))
          const { token, verdict } = yield* finish(session, sent)
          expect(verdict.failure).toBeUndefined()
          return { exit, token: token! }
        })
      const smaller = yield* visit(old, (s) => Effect.zipRight(s.get(A), s.insert(A, "a".repeat(140))))
      expect(smaller.exit._tag).toBe("Success")
      const modified = yield* visit(old, (s) => s.modify(A, () => [1, Option.some("a".repeat(130))]))
      expect(modified.exit._tag).toBe("Success")
      const larger = yield* visit(old, (s) => Effect.zipRight(s.get(A), s.insert(B, "b")))
      expect(larger.exit).toMatchObject({ cause: { error: { _tag: "SessionTooLarge", limit: 100 } } })
      const { token: renewed } = yield* visit(old, (s) => s.renew)
      const { token: bound } = yield* visit(renewed, (s) => s.bind("ada"))
      expect(new Set([old, renewed, bound]).size).toBe(3)
      expect(yield* before.stored(bound)).toEqual({ a: JSON.stringify("a".repeat(130)) })
    }))
})
