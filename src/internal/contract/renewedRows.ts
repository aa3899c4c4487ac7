/**
 * What becomes of requests that carry the id of a session that was renewed (row S9).
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionEnded } from "../../SessionError.js"
import { countOf } from "../edition/metric.js"
import { Count, failureOf, increment, Other, User } from "./fixtures.js"
import { type Row, server } from "./row.js"
import { cookieOf, type World } from "./world.js"

const both = Effect.all([RequestContext.get(User), RequestContext.get(Other)])

/** A browser whose session was renewed, and the cookie that it had before. */
const renewed = (world: World) =>
  Effect.gen(function*() {
    const browser = world.browser()
    yield* browser.visit(RequestContext.insert(User, "ada"))
    const old = cookieOf(world, browser.token())
    yield* browser.visit(RequestContext.renew)
    return { browser, old }
  })

const oldIdsUsed = (): number => countOf("effect_session_old_id_total")

export const rows: ReadonlyArray<Row> = [
  server(
    "S9: a request with an id that was renewed away reads nothing, and what it writes neither starts nor changes a session",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const writers = [
          RequestContext.insert(Other, "late"),
          Effect.zipRight(RequestContext.get(User), RequestContext.insert(Other, "late")),
          Effect.zipRight(RequestContext.insert(Other, "late"), RequestContext.commit),
          RequestContext.clear,
          RequestContext.renew,
          RequestContext.setExpiry("1 hour")
        ]
        for (const writer of writers) {
          const { browser, old } = yield* renewed(world)
          const read = yield* browser.visit(both, { cookie: old, keep: false })
          expect([read.value, read.setCookies]).toEqual([[Option.none(), Option.none()], []])
          const late = yield* browser.visit<unknown, unknown>(writer, { cookie: old, keep: false })
          expect([late.status, late.setCookies]).toEqual([200, []])
          expect((yield* browser.visit(both)).value).toEqual([Option.some("ada"), Option.none()])
        }
      })
  ),

  server(
    "S9: a modify with an id that was renewed away fails with SessionEnded, loaded or not",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const modifier of [increment, Effect.zipRight(RequestContext.get(User), increment)]) {
          const { browser, old } = yield* renewed(world)
          const late = yield* browser.visit(modifier, { cookie: old, keep: false })
          expect(failureOf(late.exit)).toBeInstanceOf(SessionEnded)
          expect([late.status, late.setCookies]).toEqual([409, []])
          expect((yield* browser.visit(RequestContext.get(Count))).value).toEqual(Option.none())
        }
      })
  ),

  server(
    "S9: a flush with an id that was renewed away ends the session that replaced it, however often it was renewed",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const renewals of [0, 1, 3]) {
          for (const out of [RequestContext.flush, Effect.zipRight(RequestContext.get(User), RequestContext.flush)]) {
            const { browser, old } = yield* renewed(world)
            for (let i = 0; i < renewals; i++) yield* browser.visit(RequestContext.renew)
            const left = yield* world.browser().visit(out, { cookie: old })
            expect([left.status, left.setCookies.length]).toEqual([200, 1])
            expect((yield* browser.visit(both)).value).toEqual([Option.none(), Option.none()])
          }
        }
      })
  ),

  server(
    "S9: the use of an old id is counted once ten seconds have passed, and it is unknown when the grace is over",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ renewGrace: "30 seconds" })
        const { browser, old } = yield* renewed(world)
        const before = oldIdsUsed()
        yield* browser.visit(RequestContext.get(User), { cookie: old, keep: false })
        expect(oldIdsUsed()).toBe(before)
        world.clock.move(11_000)
        yield* browser.visit(RequestContext.get(User), { cookie: old, keep: false })
        expect(oldIdsUsed()).toBe(before + 1)
        world.clock.move(20_000)
        const late = yield* browser.visit(RequestContext.insert(Other, "anew"), { cookie: old, keep: false })
        expect(late.setCookies).toHaveLength(1)
        expect(oldIdsUsed()).toBe(before + 1)
      })
  ),

  server("S9: without a grace the old id is unknown at once", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world({ renewGrace: 0 })
      const { browser, old } = yield* renewed(world)
      const late = yield* browser.visit(RequestContext.insert(Other, "anew"), { cookie: old, keep: false })
      expect([late.status, late.setCookies.length]).toEqual([200, 1])
    })),

  server("C5: flush ends every session whose cookie the request carries", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      for (const out of [RequestContext.flush, Effect.zipRight(RequestContext.get(User), RequestContext.flush)]) {
        const browsers = [world.browser(), world.browser(), world.browser()]
        for (const browser of browsers) yield* browser.visit(RequestContext.insert(User, "ada"))
        const cookie = browsers.map((browser) => cookieOf(world, browser.token())).join("; ")
        yield* world.browser().visit(out, { cookie })
        for (const browser of browsers) {
          expect((yield* browser.visit(RequestContext.get(User))).value).toEqual(Option.none())
        }
      }
    }))
]
