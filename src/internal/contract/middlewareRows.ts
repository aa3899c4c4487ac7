/**
 * The rows about what a request loads, saves and sends (M2 to M7), on every store.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import * as random from "../codec/random.js"
import { Late, Other, User } from "./fixtures.js"
import { both, client, type Row, server } from "./row.js"
import { cookieOf } from "./world.js"

const minute = 60_000

export const rows: ReadonlyArray<Row> = [
  both(
    "M2: a request that only reads loads at most once and saves and sends nothing, and inserting an equal value is no change",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        Object.assign(world.calls, { load: 0, save: 0 })
        const { setCookies } = yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.get(User)
          yield* RequestContext.get(Other)
          yield* RequestContext.insert(User, "ada")
          yield* RequestContext.remove(Other)
        }))
        expect(setCookies).toEqual([])
        expect(world.calls).toEqual({ load: 1, save: 0, end: 0, modify: 0 })
      })
  ),

  server("M2: an insert alone loads nothing", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      Object.assign(world.calls, { load: 0, save: 0 })
      yield* browser.visit(RequestContext.insert(Other, "x"))
      expect(world.calls).toEqual({ load: 0, save: 1, end: 0, modify: 0 })
      const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Other)]))
      expect(after.value).toEqual([Option.some("ada"), Option.some("x")])
    })),

  server(
    "M3: a request commits once, and sends Set-Cookie only when the token is new or renewed",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 hour" })
        const browser = world.browser()
        const counts: Array<readonly [string, number, number]> = []
        const count = (name: string, effect: Effect.Effect<unknown, unknown, RequestContext.RequestContext>) =>
          Effect.gen(function*() {
            world.calls.save = 0
            const { setCookies } = yield* browser.visit(effect)
            counts.push([name, world.calls.save, setCookies.length])
          })
        yield* count("new", Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "x")))
        yield* count("insert", Effect.zip(RequestContext.insert(User, "bob"), RequestContext.insert(Late, "y")))
        yield* count("remove", RequestContext.remove(User))
        yield* count("clear", RequestContext.clear)
        yield* count("renew", Effect.zip(RequestContext.renew, RequestContext.insert(User, "eve")))
        yield* count("own expiry", RequestContext.setExpiry("2 hours"))
        expect(counts).toEqual([
          ["new", 1, 1],
          ["insert", 1, 0],
          ["remove", 1, 0],
          ["clear", 1, 0],
          ["renew", 1, 1],
          ["own expiry", 1, 1]
        ])
      })
  ),

  client(
    "M3: a request that changes the session commits once, and sends one Set-Cookie",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 hour" })
        const browser = world.browser()
        const changes = [
          Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "x")),
          RequestContext.insert(User, "bob"),
          RequestContext.remove(User),
          RequestContext.clear,
          RequestContext.renew,
          RequestContext.setExpiry("2 hours")
        ]
        for (const change of changes) {
          world.calls.save = 0
          const { setCookies } = yield* browser.visit(Effect.asVoid(Effect.orDie(change)))
          expect([world.calls.save, setCookies.length]).toEqual([1, 1])
        }
      })
  ),

  both(
    "M6: a malformed cookie reads as an empty session, is never an error, and stays in the browser",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const values = ["", "garbage", "a".repeat(43), "a".repeat(10_000), "%00", "%", "\"", "{}", "null", "==", "é"]
        for (const value of values) {
          const cookie = cookieOf(world, encodeURI(value))
          const read = yield* browser.visit(RequestContext.get(User), { cookie, keep: false })
          expect([read.status, read.value, read.setCookies]).toEqual([200, Option.none(), []])
        }
      })
  ),

  server(
    "M6: a well-formed token that is unknown, expired or ended reads as an empty session, and stays in the browser",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 minute" })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const ended = cookieOf(world, browser.token())
        yield* browser.visit(RequestContext.flush)
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const expired = cookieOf(world, browser.token())
        world.clock.move(minute)
        for (const cookie of [ended, expired, cookieOf(world, random.token())]) {
          const read = yield* browser.visit(RequestContext.get(User), { cookie, keep: false })
          expect([read.status, read.value, read.setCookies]).toEqual([200, Option.none(), []])
        }
      })
  ),

  client(
    "M6: a seal that was tampered with or has expired reads as an empty session, and stays in the browser",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 minute" })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const token = browser.token() ?? ""
        for (const at of [0, 10, token.length >> 1, token.length - 4]) {
          const flipped = token.slice(0, at) + (token.charAt(at) === "A" ? "B" : "A") + token.slice(at + 1)
          const cookie = cookieOf(world, flipped)
          const read = yield* browser.visit(RequestContext.get(User), { cookie, keep: false })
          expect([read.status, read.value, read.setCookies]).toEqual([200, Option.none(), []])
        }
        world.clock.move(minute)
        const expired = yield* browser.visit(RequestContext.get(User), { cookie: cookieOf(world, token), keep: false })
        expect([expired.status, expired.value, expired.setCookies]).toEqual([200, Option.none(), []])
      })
  ),

  server(
    "M7: a token that the store does not know is never adopted, and the next write creates a new one",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const attacker = random.token()
        for (const before of [Effect.void, Effect.asVoid(RequestContext.get(User))]) {
          const browser = world.browser()
          const { setCookies } = yield* browser.visit(
            Effect.zipRight(Effect.orDie(before), RequestContext.insert(User, "victim")),
            { cookie: cookieOf(world, attacker) }
          )
          expect(setCookies).toHaveLength(1)
          expect(browser.token()).not.toBe(attacker)
          const fixed = yield* browser.visit(RequestContext.get(User), { cookie: cookieOf(world, attacker) })
          expect(fixed.value).toEqual(Option.none())
          const after = yield* browser.visit(RequestContext.get(User))
          expect(after.value).toEqual(Option.some("victim"))
        }
      })
  ),

  server(
    "M7: a session that was never loaded and is missing at the commit becomes a new one with only this request's keys",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const token = browser.token()
        yield* browser.visit(RequestContext.flush)
        yield* browser.visit(RequestContext.insert(Other, "x"), { cookie: cookieOf(world, token) })
        expect(browser.token()).not.toBe(token)
        const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Other)]))
        expect(after.value).toEqual([Option.none(), Option.some("x")])
      })
  )
]
