/**
 * Behaviour rows that look behind the store, or race it at each of its calls to the backend.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import type { SessionBackendService } from "../../SessionBackend.js"
import * as Token from "../token.js"
import * as decorate from "./decorate.js"
import { Count, increment, Other, User } from "./operationRows.js"
import * as raceRows from "./raceRows.js"
import { type BackendKit, both, long, type Row } from "./row.js"
import { cookieOf } from "./world.js"

/** Another object in front of the same backend: the store queues by object, so that two of them are two processes. */
const another = (backend: SessionBackendService): SessionBackendService =>
  decorate.backend(backend, (_, call) => call())

/** Other fibers run before and after each call. */
const yielding = (backend: SessionBackendService): SessionBackendService => decorate.backend(backend, decorate.yielding)

const row = both<BackendKit>

/** The races, with other fibers between any two calls of the backend. */
const races: ReadonlyArray<Row<BackendKit>> = raceRows.rows.map((race) =>
  long(
    row(race.title, (kit) =>
      race.run({
        ...kit,
        world: (options, extra) => kit.over(yielding(kit.backend), options, extra?.clock)
      }))
  )
)

export const rows: ReadonlyArray<Row<BackendKit>> = [
  row("S1: the record is under the token's SHA-256: the backend never sees a token", (kit) =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const backend = kit.backend
      const spied: SessionBackendService = {
        find: (id, now) => Effect.suspend(() => (seen.push(id), backend.find(id, now))),
        insert: (id, session, now) =>
          Effect.suspend(() => (seen.push(id, JSON.stringify([...session.data])), backend.insert(id, session, now))),
        update: (id, patch, now, ifVersion, base) =>
          Effect.suspend(() => (seen.push(id), backend.update(id, patch, now, ifVersion, base))),
        remove: (id, ifVersion, now) => Effect.suspend(() => (seen.push(id), backend.remove(id, ifVersion, now))),
        removeExpired: (now, limit) => backend.removeExpired(now, limit)
      }
      const world = yield* kit.over(spied)
      const browser = world.browser()
      const tokens: Array<string> = []
      for (
        const change of [RequestContext.insert(User, "ada"), RequestContext.renew, RequestContext.insert(Other, "x")]
      ) {
        yield* browser.visit(Effect.orDie(change))
        tokens.push(browser.token() ?? "")
      }
      yield* browser.visit(increment)
      const now = world.clock.now()
      for (const token of tokens) {
        expect(seen.join(" ")).not.toContain(token)
        expect(yield* backend.find(token, now)).toEqual(Option.none())
      }
      expect(Option.isSome(yield* backend.find(Token.idOf(tokens[2]), now))).toBe(true)
      expect(yield* backend.find(Token.idOf(tokens[0]), now)).toEqual(Option.none())
      yield* browser.visit(RequestContext.flush)
      expect(yield* backend.find(Token.idOf(tokens[2]), now)).toEqual(Option.none())
    })),

  row("C10: after a renewal the store has one record of the session, not two", (kit) =>
    Effect.gen(function*() {
      const live = new Set<string>()
      const counted: SessionBackendService = {
        ...another(kit.backend),
        insert: (id, session, now) =>
          Effect.tap(kit.backend.insert(id, session, now), (inserted) => Effect.sync(() => inserted && live.add(id))),
        remove: (id, ifVersion, now) =>
          Effect.tap(kit.backend.remove(id, ifVersion, now), (removed) =>
            Effect.sync(() => removed === "removed" && live.delete(id)))
      }
      const world = yield* kit.over(counted)
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      yield* browser.visit(Effect.gen(function*() {
        yield* RequestContext.renew
        // another request writes at the last moment: the first copy is thrown away
        yield* browser.visit(RequestContext.insert(Other, "x"))
      }))
      expect([...live]).toEqual([Token.idOf(browser.token() ?? "")])
    })),

  row("M3: requests of two processes over one backend see each other at once", (kit) =>
    Effect.gen(function*() {
      const [one, two] = [yield* kit.over(another(kit.backend)), yield* kit.over(another(kit.backend))]
      const browser = one.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const cookie = cookieOf(one, browser.token())
      const seen = yield* two.browser().visit(Effect.zip(RequestContext.get(User), RequestContext.insert(Other, "x")), {
        cookie
      })
      expect(seen.value[0]).toEqual(Option.some("ada"))
      const back = yield* browser.visit(RequestContext.get(Other))
      expect(back.value).toEqual(Option.some("x"))
      yield* two.browser().visit(RequestContext.flush, { cookie })
      const after = yield* browser.visit(RequestContext.get(User))
      expect(after.value).toEqual(Option.none())
    })),

  long(row("C9: many increments through two processes over one backend lose none", (kit) =>
    Effect.gen(function*() {
      const { increments } = kit.sizes
      const one = yield* kit.over(another(kit.backend))
      const two = yield* kit.over(another(kit.backend), {}, one.clock)
      const browser = one.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const cookie = cookieOf(one, browser.token())
      const other = two.browser()
      const answers = yield* Effect.forEach(
        Array.from({ length: increments }),
        (_, i) => (i % 2 === 0 ? browser : other).visit(increment, { cookie }),
        { concurrency: "unbounded" }
      )
      expect(new Set(answers.map(({ value }) => value)).size).toBe(increments)
      const { value } = yield* browser.visit(RequestContext.get(Count))
      expect(value).toEqual(Option.some(increments))
    }))),

  long(
    row("C9: within a process an increment costs at most three calls of the backend", (kit) =>
      Effect.gen(function*() {
        const { increments } = kit.sizes
        let calls = 0
        const counting = decorate.backend(kit.backend, (_, call) => {
          calls += 1
          return call()
        })
        const world = yield* kit.over(yielding(counting))
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        calls = 0
        yield* Effect.forEach(Array.from({ length: increments }), () => browser.visit(increment), {
          concurrency: "unbounded"
        })
        expect(calls).toBeGreaterThanOrEqual(increments)
        expect(calls).toBeLessThanOrEqual(3 * increments)
        const { value } = yield* browser.visit(RequestContext.get(Count))
        expect(value).toEqual(Option.some(increments))
      }))
  ),

  ...races
]
