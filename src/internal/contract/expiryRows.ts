/**
 * The rows about expiry (E1 to E5), on every store.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { increment, maxAgeOf, Other, User } from "./fixtures.js"
import { both, type Kit, type Row, server } from "./row.js"
import { type Browser, cookieOf, type Visit, type World } from "./world.js"

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

// ── expiry ──

/** Max-Age of the one Set-Cookie; undefined when there is none of either. */
const maxAge = <A, E>({ setCookies }: Visit<A, E>): number | undefined => maxAgeOf(setCookies[0])

/** Whether the token still opens, asked without a trace: the answer is dropped, and a refresh with it. */
const isAlive = (world: World, token: string | undefined): Effect.Effect<boolean> =>
  Effect.map(
    world.browser().visit(RequestContext.get(User), { cookie: cookieOf(world, token), status: 500 }),
    ({ value }) => Option.isSome(value)
  )

const begin = (
  kit: Kit,
  options: Parameters<Kit["world"]>[0]
): Effect.Effect<
  readonly [World, Browser, Visit<void, unknown>],
  unknown,
  Effect.Effect.Context<ReturnType<Kit["world"]>>
> =>
  Effect.gen(function*() {
    const world = yield* kit.world(options)
    const browser = world.browser()
    return [world, browser, yield* browser.visit(RequestContext.insert(User, "ada"))] as const
  })

export const rows: ReadonlyArray<Row> = [
  both(
    "E1: expiry is the idle time and starts anew with use, and nothing reaches past the absolute time since creation",
    (kit) =>
      Effect.gen(function*() {
        const [world, browser, begun] = yield* begin(kit, { expiry: "10 minutes", absoluteExpiry: "25 minutes" })
        expect(maxAge(begun)).toBe(600)
        world.clock.move(9 * minute)
        expect(maxAge(yield* browser.visit(RequestContext.get(User)))).toBe(600)
        world.clock.move(9 * minute)
        expect(maxAge(yield* browser.visit(RequestContext.get(User)))).toBe(7 * 60)
        world.clock.move(2 * minute)
        for (
          const change of [
            RequestContext.insert(Other, "x"),
            Effect.asVoid(increment),
            RequestContext.renew,
            RequestContext.setExpiry("10 days")
          ]
        ) {
          const changed = yield* browser.visit(Effect.orDie(change))
          expect(maxAge(changed) ?? 0).toBeLessThanOrEqual(5 * 60)
        }
        const token = browser.token()
        world.clock.move(5 * minute - 1)
        expect(yield* isAlive(world, token)).toBe(true)
        const last = yield* browser.visit(RequestContext.get(User))
        expect(last.setCookies).toEqual([])
        world.clock.move(1)
        expect(yield* isAlive(world, token)).toBe(false)
      })
  ),

  both("E1: a session that nobody uses ends after its idle time", (kit) =>
    Effect.gen(function*() {
      const [world, browser] = yield* begin(kit, { expiry: "10 minutes" })
      const token = browser.token()
      world.clock.move(10 * minute - 1)
      expect(yield* isAlive(world, token)).toBe(true)
      world.clock.move(1)
      expect(yield* isAlive(world, token)).toBe(false)
    })),

  server("E1: without an absolute expiry a session lives as long as it is used", (kit) =>
    Effect.gen(function*() {
      const [world, browser] = yield* begin(kit, { expiry: "20 days", absoluteExpiry: Duration.infinity })
      for (let i = 0; i < 5; i++) {
        world.clock.move(19 * day)
        const { value } = yield* browser.visit(RequestContext.get(User))
        expect(value).toEqual(Option.some("ada"))
      }
    })),

  both(
    "E1: a session lives at most 30 days by default, and Infinity lifts that limit",
    (kit) =>
      Effect.gen(function*() {
        const [world, browser] = yield* begin(kit, { expiry: "20 days" })
        world.clock.move(19 * day)
        expect(maxAge(yield* browser.visit(RequestContext.get(User)))).toBe((11 * day) / second)
        const token = browser.token()
        world.clock.move(11 * day - 1)
        expect(yield* isAlive(world, token)).toBe(true)
        world.clock.move(1)
        expect(yield* isAlive(world, token)).toBe(false)

        const [other, lasting] = yield* begin(kit, { expiry: "20 days", absoluteExpiry: Duration.infinity })
        for (let i = 0; i < 3; i++) {
          other.clock.move(19 * day)
          const { value } = yield* lasting.visit(RequestContext.get(User))
          expect(value).toEqual(Option.some("ada"))
        }
      })
  ),

  both(
    "E2: without expiry the cookie ends with the browser, and the record lives for the idle time, 14 days by default",
    (kit) =>
      Effect.gen(function*() {
        for (const [idle, millis] of [[undefined, 14 * day], ["1 hour", hour]] as const) {
          const [world, browser, begun] = yield* begin(kit, { idle })
          expect(begun.setCookies).toHaveLength(1)
          expect(begun.setCookies[0]).not.toMatch(/Max-Age|Expires/i)
          const token = browser.token()
          world.clock.move(millis - 1)
          expect(yield* isAlive(world, token)).toBe(true)
          world.clock.move(1)
          expect(yield* isAlive(world, token)).toBe(false)
        }
      })
  ),

  both(
    "E3: a session in use is refreshed once a tenth of its idle time has passed, and not before",
    (kit) =>
      Effect.gen(function*() {
        const [world, browser] = yield* begin(kit, { expiry: "100 minutes" })
        world.calls.save = 0
        world.clock.move(10 * minute - 1)
        const early = yield* browser.visit(RequestContext.get(User))
        expect([early.setCookies, world.calls.save]).toEqual([[], 0])
        const untouched = yield* browser.visit(Effect.void)
        expect(untouched.setCookies).toEqual([])
        world.clock.move(1)
        const due = yield* browser.visit(RequestContext.get(User))
        expect([maxAge(due), world.calls.save]).toEqual([6000, 1])
        const again = yield* browser.visit(RequestContext.get(User))
        expect([again.setCookies, world.calls.save]).toEqual([[], 1])
        const token = browser.token()
        world.clock.move(100 * minute - 1)
        expect(yield* isAlive(world, token)).toBe(true)
        world.clock.move(1)
        expect(yield* isAlive(world, token)).toBe(false)
      })
  ),

  both(
    "E3: a write refreshes the session as a read does, even if the request never read",
    (kit) =>
      Effect.gen(function*() {
        const [world, browser] = yield* begin(kit, { expiry: "100 minutes" })
        world.clock.move(5 * minute)
        const early = yield* browser.visit(RequestContext.insert(Other, "early"))
        expect(maxAge(early)).toBe(kit.kind === "server" ? undefined : 95 * 60)
        world.clock.move(5 * minute)
        const blind = yield* browser.visit(RequestContext.insert(Other, "blind"))
        expect(maxAge(blind)).toBe(6000)
        world.clock.move(10 * minute)
        const read = yield* browser.visit(Effect.zip(RequestContext.get(User), RequestContext.insert(Other, "read")))
        expect(maxAge(read)).toBe(6000)
        world.clock.move(10 * minute)
        const modified = yield* browser.visit(increment)
        expect(maxAge(modified)).toBe(6000)
        world.clock.move(100 * minute - 1)
        const { value } = yield* browser.visit(RequestContext.get(Other))
        expect(value).toEqual(Option.some("read"))
      })
  ),

  both(
    "E3: refreshAfter sets the part of the idle time that has to pass before a refresh",
    (kit) =>
      Effect.gen(function*() {
        const [world, browser] = yield* begin(kit, { expiry: "100 minutes", refreshAfter: 0.5 })
        world.clock.move(50 * minute - 1)
        expect((yield* browser.visit(RequestContext.get(User))).setCookies).toEqual([])
        // touched at 50 minutes less 1 ms: the last touch that refreshes nothing
        const token = browser.token()
        world.clock.move(50 * minute)
        expect(yield* isAlive(world, token)).toBe(true)
        world.clock.move(1)
        expect(yield* isAlive(world, token)).toBe(false)
      })
  ),

  both(
    "E4: a session's own expiry is kept on later requests, and its refreshes follow it",
    (kit) =>
      Effect.gen(function*() {
        const options = { expiry: "1 hour", absoluteExpiry: Duration.infinity } as const
        const world = yield* kit.world(options)
        const browser = world.browser()
        const remembered = yield* browser.visit(
          Effect.zip(RequestContext.insert(User, "ada"), RequestContext.setExpiry("30 days"))
        )
        expect(maxAge(remembered)).toBe((30 * day) / second)
        world.clock.move(2 * day)
        expect((yield* browser.visit(RequestContext.get(User))).setCookies).toEqual([])
        world.clock.move(20 * day)
        const refreshed = yield* browser.visit(RequestContext.get(User))
        expect([refreshed.value, maxAge(refreshed)]).toEqual([Option.some("ada"), (30 * day) / second])
        const token = browser.token()
        world.clock.move(30 * day)
        expect(yield* isAlive(world, token)).toBe(false)
      })
  ),

  both("E4: a session's own expiry is limited to 400 days and to the absolute expiry", (kit) =>
    Effect.gen(function*() {
      const most = yield* kit.world({ absoluteExpiry: Duration.infinity })
      const lasting = most.browser()
      const clamped = yield* lasting.visit(
        Effect.zip(RequestContext.insert(User, "ada"), RequestContext.setExpiry("9999 days"))
      )
      expect(maxAge(clamped)).toBe((400 * day) / second)
      const kept = lasting.token()
      most.clock.move(400 * day - 1)
      expect(yield* isAlive(most, kept)).toBe(true)
      most.clock.move(1)
      expect(yield* isAlive(most, kept)).toBe(false)
      const world = yield* kit.world({ absoluteExpiry: "2 hours" })
      const browser = world.browser()
      const absolute = yield* browser.visit(
        Effect.zip(RequestContext.insert(User, "ada"), RequestContext.setExpiry("9 hours"))
      )
      expect(maxAge(absolute)).toBe((2 * hour) / second)
      const token = browser.token()
      world.clock.move(2 * hour)
      expect(yield* isAlive(world, token)).toBe(false)
    })),

  both(
    "E4: a session that was set to end with the browser has no Max-Age, on later requests either",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 hour" })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const own = yield* browser.visit(RequestContext.setExpiry("browser-session"))
        expect(own.setCookies).toHaveLength(1)
        expect(own.setCookies[0]).not.toMatch(/Max-Age|Expires/i)
        world.clock.move(30 * minute)
        const later = yield* browser.visit(Effect.zip(RequestContext.get(User), RequestContext.renew))
        expect(later.setCookies).toHaveLength(1)
        expect(later.setCookies[0]).not.toMatch(/Max-Age|Expires/i)
        const token = browser.token()
        world.clock.move(hour)
        expect(yield* isAlive(world, token)).toBe(false)
      })
  ),

  both(
    "E5: a clock that jumps back ends no session early, and extends none past its absolute end",
    (kit) =>
      Effect.gen(function*() {
        const [world, browser] = yield* begin(kit, { expiry: "30 minutes", absoluteExpiry: "60 minutes" })
        const start = world.clock.now()
        world.clock.move(20 * minute)
        yield* browser.visit(RequestContext.get(User))
        world.clock.move(-40 * minute)
        for (
          const change of [
            Effect.asVoid(RequestContext.get(User)),
            RequestContext.insert(Other, "x"),
            RequestContext.renew
          ]
        ) {
          const changed = yield* browser.visit(Effect.orDie(change))
          expect(changed.exit._tag).toBe("Success")
        }
        const token = browser.token()
        // the touch at 20 minutes still counts
        world.clock.move(start + 50 * minute - 1 - world.clock.now())
        expect(yield* isAlive(world, token)).toBe(true)
        yield* browser.visit(RequestContext.get(User))
        const last = browser.token()
        world.clock.move(start + 60 * minute - 1 - world.clock.now())
        expect(yield* isAlive(world, last)).toBe(true)
        world.clock.move(1)
        expect(yield* isAlive(world, last)).toBe(false)
      })
  )
]
