/**
 * Ids that are renewed by themselves, and requests that are no activity (rows I1 to I4), on every store.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as Csrf from "../../Csrf.js"
import * as RequestContext from "../../RequestContext.js"
import { Count, increment, Late, maxAgeOf, Other, User } from "./fixtures.js"
import { both, client, type Row, server } from "./row.js"
import { type Browser, cookieOf, type World } from "./world.js"

const minute = 60_000

/** What a look at the session says, without a trace: its response never reaches the browser, and saves nothing. */
const look = <A, E>(
  world: World,
  token: string | undefined,
  effect: Effect.Effect<A, E, RequestContext.RequestContext>
) =>
  Effect.map(
    world.browser().visit(effect, { cookie: cookieOf(world, token), status: 500 }),
    ({ value }) => value
  )

const idOf = (world: World, browser: Browser) =>
  Effect.map(look(world, browser.token(), RequestContext.sessionId), Option.getOrUndefined)

const hourly = { renewEvery: "1 hour", expiry: "10 hours" } as const

/** A browser whose session is a moment from its first renewal. */
const due = (world: World) =>
  Effect.gen(function*() {
    const browser = world.browser()
    yield* browser.visit(RequestContext.insert(User, "ada"))
    world.clock.move(60 * minute)
    return browser
  })

/** Everything by which a request may use its session. */
const uses: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown, RequestContext.RequestContext>]> = [
  ["a read", RequestContext.get(User)],
  ["a write after a read", Effect.zipRight(RequestContext.get(User), RequestContext.insert(Other, "x"))],
  ["a write that never read", RequestContext.insert(Other, "x")],
  ["a modify", increment],
  ["a commit", Effect.zipRight(RequestContext.insert(Other, "x"), RequestContext.commit)],
  ["its own expiry", RequestContext.setExpiry("5 hours")]
]

const periodRows: ReadonlyArray<Row> = [
  both(
    "I1: the first request in each period gives the session a new id, whatever it does with it, and no other request does",
    (kit) =>
      Effect.gen(function*() {
        for (const [what, use] of uses) {
          const world = yield* kit.world(hourly)
          const browser = world.browser()
          yield* browser.visit(RequestContext.insert(User, "ada"))
          const first = yield* idOf(world, browser)
          world.clock.move(60 * minute - 1)
          yield* browser.visit<unknown, unknown>(use)
          expect(yield* idOf(world, browser), `${what}, early`).toBe(first)
          world.clock.move(1)
          const renewing = yield* browser.visit<unknown, unknown>(use)
          const second = yield* idOf(world, browser)
          expect([second === first, renewing.status, renewing.setCookies.length], what).toEqual([false, 200, 1])
          world.clock.move(59 * minute)
          yield* browser.visit<unknown, unknown>(use)
          expect(yield* idOf(world, browser), `${what}, in the same period`).toBe(second)
          world.clock.move(2 * minute)
          yield* browser.visit<unknown, unknown>(use)
          expect(yield* idOf(world, browser), `${what}, in the next period`).not.toBe(second)
          expect((yield* browser.visit(RequestContext.get(User))).value).toEqual(Option.some("ada"))
        }
      })
  ),

  both(
    "I1: a renewed session keeps its values, the secret of its forms, its own expiry and its absolute end",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ renewEvery: "1 hour", expiry: "10 hours", absoluteExpiry: "150 minutes" })
        const browser = world.browser()
        yield* browser.visit(
          Effect.all([RequestContext.insert(User, "ada"), Csrf.token, RequestContext.setExpiry("100 minutes")])
        )
        world.clock.move(60 * minute)
        const renewing = yield* browser.visit(RequestContext.get(User))
        expect(maxAgeOf(renewing.setCookies[0])).toBe(90 * 60) // 100 minutes, cut off by the absolute end
        const keys = yield* look(world, browser.token(), RequestContext.keys)
        expect([...keys].sort()).toEqual(["effect-session/Csrf", "user"])
        world.clock.move(60 * minute)
        expect(maxAgeOf((yield* browser.visit(RequestContext.get(User))).setCookies[0])).toBe(30 * 60)
        const token = browser.token()
        world.clock.move(30 * minute - 1)
        expect(yield* look(world, token, RequestContext.get(User))).toEqual(Option.some("ada"))
        world.clock.move(1)
        expect(yield* look(world, token, RequestContext.get(User))).toEqual(Option.none())
      })
  ),

  both(
    "I1: a response that drops the changes renews nothing, and without the option no id changes",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world(hourly)
        const browser = yield* due(world)
        const first = yield* idOf(world, browser)
        const dropped = yield* browser.visit(RequestContext.get(User), { status: 500 })
        const untouched = yield* browser.visit(Effect.void)
        expect([dropped.setCookies, untouched.setCookies]).toEqual([[], []])
        expect(yield* idOf(world, browser)).toBe(first)

        const without = yield* kit.world({ expiry: "10 hours" })
        const other = yield* due(without)
        const before = yield* idOf(without, other)
        yield* other.visit(RequestContext.get(User))
        expect(yield* idOf(without, other)).toBe(before)
      })
  ),

  both(
    "I1: an explicit renewal counts, so that the id is not renewed again in its period",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world(hourly)
        const browser = yield* due(world)
        yield* browser.visit(RequestContext.renew)
        const id = yield* idOf(world, browser)
        world.clock.move(30 * minute)
        yield* browser.visit(RequestContext.get(User))
        expect(yield* idOf(world, browser)).toBe(id)
      })
  ),

  server(
    "I2: a request that still has the old token works on the renewed session, and brings the new cookie",
    (kit) =>
      Effect.gen(function*() {
        for (const [what, use] of uses) {
          const world = yield* kit.world(hourly)
          const browser = yield* due(world)
          const old = browser.token()
          yield* browser.visit(RequestContext.get(User)) // renews
          const renewed = browser.token()
          expect(renewed).not.toBe(old)
          world.clock.move(30_000)
          const late = yield* browser.visit<unknown, unknown>(use, { cookie: cookieOf(world, old) })
          expect([late.status, late.setCookies.length, browser.token() === renewed], what).toEqual([200, 1, true])
          const [count, other, user] = (yield* browser.visit(
            Effect.all([RequestContext.get(Count), RequestContext.get(Other), RequestContext.get(User)])
          )).value
          const isWritten = what.includes("write") || what === "a commit"
          expect([Option.isSome(count), Option.isSome(other), user], what)
            .toEqual([use === increment, isWritten, Option.some("ada")])
        }
      })
  ),

  server(
    "I2: a browser that never got the response of the renewal keeps its session within the grace, and not after it",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ ...hourly, renewGrace: "2 minutes" })
        const [lucky, late] = [yield* due(world), yield* due(world)]
        for (const browser of [lucky, late]) yield* browser.visit(RequestContext.get(User), { keep: false })
        world.clock.move(2 * minute - 1)
        expect((yield* lucky.visit(RequestContext.get(User))).value).toEqual(Option.some("ada"))
        world.clock.move(1)
        expect((yield* lucky.visit(RequestContext.get(User))).value).toEqual(Option.some("ada"))
        expect((yield* late.visit(RequestContext.get(User))).value).toEqual(Option.none())
      })
  ),

  server(
    "I2: the old token leads nowhere once the renewed session was renewed explicitly or signed out",
    (kit) =>
      Effect.gen(function*() {
        for (const step of [RequestContext.renew, RequestContext.flush]) {
          const world = yield* kit.world(hourly)
          const browser = yield* due(world)
          const old = cookieOf(world, browser.token())
          yield* browser.visit(RequestContext.get(User))
          yield* browser.visit<void, unknown>(step)
          const read = yield* browser.visit(RequestContext.get(User), { cookie: old, keep: false })
          const written = yield* browser.visit(RequestContext.insert(Late, "late"), { cookie: old, keep: false })
          expect([read.value, read.setCookies, written.setCookies]).toEqual([Option.none(), [], []])
          expect((yield* browser.visit(RequestContext.get(Late))).value).toEqual(Option.none())
        }
      })
  ),

  server("I2: a sign-out with the old token ends the renewed session", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world(hourly)
      const browser = yield* due(world)
      const old = cookieOf(world, browser.token())
      yield* browser.visit(RequestContext.get(User))
      yield* browser.visit(RequestContext.flush, { cookie: old, keep: false })
      expect((yield* browser.visit(RequestContext.get(User))).value).toEqual(Option.none())
    })),

  server(
    "I3: parallel requests renew a session once, and none of them loses what it writes",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world(hourly)
        for (let round = 0; round < 5; round++) {
          const browser = yield* due(world)
          const old = cookieOf(world, browser.token())
          const requests = Array.from({ length: 8 }, (_, i) =>
            browser.visit<unknown, unknown>(
              i % 4 === 0
                ? Effect.zipRight(RequestContext.get(User), RequestContext.insert(i === 0 ? Other : Late, "x"))
                : i % 4 === 1
                ? RequestContext.get(User)
                : increment,
              { cookie: old, keep: i === 7 }
            ))
          const visits = yield* Effect.all(requests, { concurrency: "unbounded" })
          expect(visits.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
          const tokens = new Set(visits.flatMap(({ setCookies }) => setCookies.map((each) => each.split(";", 1)[0])))
          expect([...tokens].filter((each) => each !== old)).toHaveLength(1)
          const renewed = [...tokens].find((each) => each !== old)
          const seen = yield* browser.visit(
            Effect.all([
              RequestContext.get(User),
              RequestContext.get(Other),
              RequestContext.get(Late),
              RequestContext.get(Count)
            ]),
            { cookie: renewed }
          )
          expect(seen.value).toEqual([Option.some("ada"), Option.some("x"), Option.some("x"), Option.some(4)])
        }
      })
  ),

  server(
    "I3: a request that has read the session before another one renews it loses nothing that it does then",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world(hourly)
        const changes: ReadonlyArray<Effect.Effect<unknown, unknown, RequestContext.RequestContext>> = [
          RequestContext.insert(Other, "x"),
          Effect.zipRight(RequestContext.insert(Other, "x"), RequestContext.commit),
          Effect.zipRight(increment, RequestContext.insert(Other, "x")),
          Effect.zipRight(RequestContext.renew, RequestContext.insert(Other, "x"))
        ]
        for (const [i, change] of changes.entries()) {
          const browser = yield* due(world)
          const old = cookieOf(world, browser.token())
          const other = browser.visit(RequestContext.get(User), { cookie: old, keep: false })
          const visit = yield* browser.visit<unknown, unknown>(
            Effect.zipRight(Effect.zipRight(RequestContext.get(User), other), change),
            { cookie: old }
          )
          expect([visit.status, visit.setCookies.length], `change ${i}`).toEqual([200, 1])
          const seen = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Other)]))
          expect(seen.value, `change ${i}`).toEqual([Option.some("ada"), Option.some("x")])
        }
      })
  ),

  client("I3: parallel requests that renew a sealed session come to the same id", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world(hourly)
      const browser = yield* due(world)
      const former = yield* idOf(world, browser)
      const old = cookieOf(world, browser.token())
      const ids = yield* Effect.forEach([0, 1, 2], (i) =>
        Effect.gen(function*() {
          const one = world.browser()
          yield* one.visit(RequestContext.insert(Other, `${i}`), { cookie: old })
          return yield* idOf(world, one)
        }))
      expect(new Set(ids).size).toBe(1)
      expect(ids[0]).not.toBe(former)
    })),

  both(
    "I4: a request that is no activity reads and writes, and neither extends the session nor renews its id",
    (kit) =>
      Effect.gen(function*() {
        for (const [what, use] of uses.filter(([what]) => what !== "its own expiry")) {
          let isActive = true
          const world = yield* kit.world({ ...hourly, isActivity: () => isActive })
          const browser = world.browser()
          yield* browser.visit(RequestContext.insert(User, "ada"))
          const id = yield* idOf(world, browser)
          isActive = false
          for (let i = 0; i < 9; i++) {
            world.clock.move(60 * minute)
            yield* browser.visit<unknown, unknown>(use)
          }
          expect(yield* idOf(world, browser), what).toBe(id)
          const token = browser.token()
          world.clock.move(60 * minute - 1)
          expect(yield* look(world, token, RequestContext.get(User)), what).toEqual(Option.some("ada"))
          if (use === increment) expect(yield* look(world, token, RequestContext.get(Count))).toEqual(Option.some(9))
          world.clock.move(1)
          expect(yield* look(world, token, RequestContext.get(User)), what).toEqual(Option.none())
        }
      })
  ),

  both(
    "I4: an explicit renewal in such a request gives a new id and extends nothing; a predicate that throws counts as activity",
    (kit) =>
      Effect.gen(function*() {
        let isActive = false
        const world = yield* kit.world({ expiry: "1 hour", isActivity: () => isActive })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const id = yield* idOf(world, browser)
        world.clock.move(30 * minute)
        const renewed = yield* browser.visit(RequestContext.renew)
        expect([maxAgeOf(renewed.setCookies[0]), (yield* idOf(world, browser)) === id]).toEqual([30 * 60, false])
        isActive = true
        expect(maxAgeOf((yield* browser.visit(RequestContext.get(User))).setCookies[0])).toBe(60 * 60)

        const failing = yield* kit.world({
          expiry: "1 hour",
          isActivity: () => {
            throw new Error("a bug of the app")
          }
        })
        const other = failing.browser()
        yield* other.visit(RequestContext.insert(User, "ada"))
        failing.clock.move(30 * minute)
        const read = yield* other.visit(RequestContext.get(User))
        expect([read.status, maxAgeOf(read.setCookies[0])]).toEqual([200, 60 * 60])
      })
  )
]

/** A store with revocation refuses `renewEvery`: it would sign parallel requests out. */
export const rows: ReadonlyArray<Row> = periodRows.map((row) => ({ ...row, irrevocable: true }))
