/**
 * Behaviour rows that look behind the store, or race it at each of its calls to the backend.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import type { SessionBackendService } from "../../SessionBackend.js"
import * as Token from "../server/token.js"
import * as StandingClock from "../testing/clock.js"
import * as decorate from "../testing/decorate.js"
import { Count, increment, Other, User } from "./fixtures.js"
import * as raceRows from "./raceRows.js"
import { data, freshId, hour, patch, session } from "./records.js"
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
  row(
    "S1: the record is stored under the token's SHA-256, and the backend never sees a token",
    (kit) =>
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
      })
  ),

  row("S4: clean-up runs in the background, and stops with its scope", (kit) =>
    Effect.gen(function*() {
      // A day ago: what expires then has expired by now for everybody, and nobody misses it.
      const clock = StandingClock.make(Date.now() - 24 * hour)
      let sweeps = 0
      const counted = decorate.backend(kit.backend, (operation, call) => {
        if (operation === "removeExpired") sweeps += 1
        return call()
      })
      const scope = yield* Scope.make()
      const options = { cleanupInterval: "100 millis", expiry: "1 hour" } as const
      const world = yield* Scope.extend(kit.over(counted, options, clock), scope)
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const id = Token.idOf(browser.token() ?? "")
      const begun = clock.now()
      yield* Effect.sleep("250 millis")
      expect(Option.isSome(yield* kit.backend.find(id, begun))).toBe(true)
      clock.move(24 * hour)
      // Physically gone: even at a time when it still lived.
      const gone = Effect.map(Effect.suspend(() => kit.backend.find(id, begun)), Option.isNone)
      if (!kit.expiresNatively) {
        yield* Effect.repeat(Effect.delay(gone, "5 millis"), { until: (gone) => gone }).pipe(
          // Only for the test runner to show.
          // @effect-diagnostics-next-line globalErrorInEffectFailure:off
          Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("nothing was cleaned up") })
        )
      }
      yield* Scope.close(scope, Exit.void)
      const stopped = sweeps
      expect(stopped).toBeGreaterThan(0)
      yield* Effect.sleep("250 millis")
      expect(sweeps).toBe(stopped)
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

  row(
    "M3: requests of two processes over one backend see each other's changes at once",
    (kit) =>
      Effect.gen(function*() {
        const [one, two] = [yield* kit.over(another(kit.backend)), yield* kit.over(another(kit.backend))]
        const browser = one.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const cookie = cookieOf(one, browser.token())
        const seen = yield* two.browser().visit(
          Effect.zip(RequestContext.get(User), RequestContext.insert(Other, "x")),
          {
            cookie
          }
        )
        expect(seen.value[0]).toEqual(Option.some("ada"))
        const back = yield* browser.visit(RequestContext.get(Other))
        expect(back.value).toEqual(Option.some("x"))
        yield* two.browser().visit(RequestContext.flush, { cookie })
        const after = yield* browser.visit(RequestContext.get(User))
        expect(after.value).toEqual(Option.none())
      })
  ),

  long(row("C9: many increments by two processes over one backend are all counted", (kit) =>
    Effect.gen(function*() {
      const { increments } = kit.sizes
      // Each yields: a store that answers at once would let nobody come between.
      const one = yield* kit.over(yielding(kit.backend), raceRows.patient)
      const two = yield* kit.over(yielding(kit.backend), raceRows.patient, one.clock)
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
    row("C9: within a process an increment costs at most three calls to the backend", (kit) =>
      Effect.gen(function*() {
        const { increments } = kit.sizes
        let calls = 0
        const counting = decorate.backend(kit.backend, (_, call) => {
          calls += 1
          return call()
        })
        const world = yield* kit.over(yielding(counting), raceRows.patient)
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

/** How a record is spoiled, or made one of a later format, behind the adapter's back. */
export type Spoil = (id: string) => Effect.Effect<unknown, unknown>

/** Rows about a record that cannot be read; `spoil` makes it so. */
export const corruptRows = (spoil: Spoil): ReadonlyArray<Row<BackendKit>> => [
  row(
    "S6: an unreadable record is found as Corrupt, without its content, and can be removed",
    (kit) =>
      Effect.gen(function*() {
        const now = Date.now()
        const id = freshId()
        yield* kit.backend.insert(id, session(now, { data: data({ user: "a-secret-value" }) }), now)
        yield* spoil(id)
        const found = yield* kit.backend.find(id, now)
        expect(found).toMatchObject({ value: { _tag: "Corrupt", newerFormat: false } })
        expect(JSON.stringify(found)).not.toContain("a-secret-value")
        expect(yield* kit.backend.remove(id, undefined, now)).toBe("removed")
        expect(yield* kit.backend.find(id, now)).toEqual(Option.none())
      })
  ),

  row(
    "S6: a corrupt record reads as an empty session and is removed, and the next write starts a new session",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const reads of [true, false]) {
          const browser = world.browser()
          yield* browser.visit(RequestContext.insert(User, "ada"))
          const token = browser.token() ?? ""
          yield* spoil(Token.idOf(token))
          if (reads) {
            const read = yield* browser.visit(RequestContext.get(User))
            expect([read.status, read.value, read.setCookies]).toEqual([200, Option.none(), []])
            expect(yield* kit.backend.find(Token.idOf(token), world.clock.now())).toEqual(Option.none())
          }
          const written = yield* browser.visit(RequestContext.insert(Other, "x"))
          expect([written.status, written.setCookies.length]).toEqual([200, 1])
          expect(browser.token()).not.toBe(token)
          const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Other)]))
          expect(after.value).toEqual([Option.none(), Option.some("x")])
        }
      })
  )
]

/** Rows about a record of a later format; `spoil` makes it so. */
export const newerFormatRows = (spoil: Spoil): ReadonlyArray<Row<BackendKit>> => [
  row(
    "S6: a record of a newer format reads as an empty session, and is left untouched",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const token = browser.token() ?? ""
        const id = Token.idOf(token)
        yield* spoil(id)
        const found = Effect.suspend(() => kit.backend.find(id, world.clock.now()))
        expect(yield* found).toMatchObject({ value: { _tag: "Corrupt", newerFormat: true } })
        const read = yield* browser.visit(RequestContext.get(User))
        expect([read.status, read.value, read.setCookies]).toEqual([200, Option.none(), []])
        const written = yield* browser.visit(Effect.zip(RequestContext.get(User), RequestContext.insert(Other, "x")))
        expect([written.status, written.setCookies.length]).toEqual([200, 1])
        expect(browser.token()).not.toBe(token)
        const blind = yield* world.browser().visit(RequestContext.insert(Other, "x"), {
          cookie: cookieOf(world, token)
        })
        expect([blind.status, blind.setCookies.length]).toEqual([200, 1])
        expect(yield* found).toMatchObject({ value: { _tag: "Corrupt", newerFormat: true } })
      })
  ),

  row("S6: a record of a newer format can be removed, so that a logout always works", (kit) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = freshId()
      yield* kit.backend.insert(id, session(now), now)
      yield* spoil(id)
      expect(yield* kit.backend.update(id, patch({ set: data({ a: 1 }) }), now)).toMatchObject({ _tag: "Missing" })
      expect(yield* kit.backend.insert(id, session(now), now)).toBe(false)
      expect(yield* kit.backend.remove(id, undefined, now)).toBe("removed")
      expect(yield* kit.backend.find(id, now)).toEqual(Option.none())
      expect(yield* kit.backend.remove(id, undefined, now)).toBe("missing")
    }))
]
