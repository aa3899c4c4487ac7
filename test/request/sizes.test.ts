import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Option, Schema } from "effect"
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
