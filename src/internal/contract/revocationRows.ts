/**
 * Rows V1 to V3: signing in with a cookie session that the server can end, and what becomes of its ids.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import * as Sessions from "../../Sessions.js"
import type { RevocationService } from "../store/revocation.js"
import { Count, Other, User } from "./fixtures.js"
import { expectSignedIn, freshSubject, hour, type RevocationRow, row, signedIn, visit, who } from "./revocationKit.js"
import { cookieOf } from "./world.js"

export const rows: ReadonlyArray<RevocationRow> = [
  // ── signing in ──

  row(
    "V1: bind signs in under a new id, and the subject and the time of the sign-in outlive changes, refreshes and renewals",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 hour" })
        const subject = freshSubject()
        const browser = world.browser()
        const before = yield* visit(
          browser,
          Effect.zipRight(RequestContext.insert(User, "cart"), RequestContext.commit)
        )
        expect(before.status).toBe(200)
        const anonymous = yield* visit(browser, RequestContext.sessionId)
        const bound = yield* visit(
          browser,
          Effect.zipRight(RequestContext.bind(subject), Effect.all([RequestContext.sessionId, RequestContext.signedIn]))
        )
        const authenticatedAt = world.clock.now()
        expect(bound.value[0]).not.toEqual(anonymous.value)
        expect(bound.value[1]).toEqual(Option.some({ subject, authenticatedAt }))
        for (const step of [RequestContext.insert(Count, 1), RequestContext.renew, RequestContext.get(User)]) {
          world.clock.move(hour / 2)
          expect((yield* visit(browser, step)).setCookies).toHaveLength(1)
          expect((yield* visit(browser, RequestContext.signedIn)).value).toEqual(
            Option.some({ subject, authenticatedAt })
          )
        }
        const values = Effect.all([RequestContext.get(User), RequestContext.get(Count)])
        expect((yield* visit(browser, values)).value).toEqual([Option.some("cart"), Option.some(1)])
      })
  ),

  row("V1: a subject with any characters is the one that is revoked, and no other", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const base = freshSubject()
      const subjects = [
        `${base}é`,
        `${base}e\u0301`,
        `${base}\ud800`,
        `${base}\ud801`,
        `${base} `,
        `${base}"`,
        `${base}\n🍪`
      ]
      const browsers = yield* Effect.forEach(subjects, (subject) => signedIn(world, subject))
      for (const [at, subject] of subjects.entries()) {
        yield* expectSignedIn(browsers[at], subject)
        yield* visit(world.browser(), Sessions.revokeAll(subject))
        yield* expectSignedIn(browsers[at], undefined)
      }
    })),

  // ── ids ──

  row(
    "V2: after a flush no copy of the cookie opens, whenever it was sealed, and the next write starts another session",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({ expiry: "1 hour" })
        for (const prepare of [Effect.void, RequestContext.bind(freshSubject())]) {
          const browser = world.browser()
          yield* visit(browser, Effect.zipRight(prepare, RequestContext.insert(User, "ada")))
          const copies = [cookieOf(world, browser.token())]
          const { value: id } = yield* visit(browser, RequestContext.sessionId)
          yield* visit(browser, RequestContext.setExpiry("30 days"))
          copies.push(cookieOf(world, browser.token()))
          yield* visit(browser, RequestContext.setExpiry("1 hour"))
          copies.push(cookieOf(world, browser.token()))
          // What the browser holds now would expire in an hour; a copy would live for a month.
          expect((yield* visit(browser, RequestContext.flush)).setCookies).toHaveLength(1)
          for (const move of [0, hour / 2, 2 * hour, 26 * 24 * hour]) {
            world.clock.move(move)
            for (const cookie of copies) {
              const read = yield* visit(browser, Effect.all([RequestContext.get(User), who]), { cookie, keep: false })
              expect([read.value, read.setCookies]).toEqual([[Option.none(), Option.none()], []])
            }
          }
          const anew = yield* visit(
            browser,
            Effect.zipRight(RequestContext.insert(Other, "new"), RequestContext.commit),
            { cookie: copies[1] }
          )
          expect(anew.setCookies).toHaveLength(1)
          expect((yield* visit(browser, RequestContext.sessionId)).value).not.toEqual(id)
          expect((yield* visit(browser, RequestContext.get(User))).value).toEqual(Option.none())
        }
      })
  ),

  row(
    "V2: a denied id is kept for as long as any cookie of its session can open, and one hour more",
    (kit) =>
      Effect.gen(function*() {
        const denied: Array<number> = []
        const revocation: RevocationService = {
          ...kit.revocation,
          deny: (name, denial, now) => {
            denied.push(denial.expiresAt - now)
            return kit.revocation.deny(name, denial, now)
          }
        }
        const day = 24 * hour
        const cases = [
          [{ expiry: "1 hour" }, 30 * day],
          [{ expiry: "1 hour", absoluteExpiry: "2 days" }, 2 * day],
          [{ expiry: "1 hour", absoluteExpiry: Infinity }, 400 * day]
        ] as const
        for (const [options, millis] of cases) {
          const world = yield* kit.world(options, { revocation })
          const browser = world.browser()
          yield* visit(browser, RequestContext.insert(User, "ada"))
          world.clock.move(1000)
          yield* visit(browser, RequestContext.flush)
          expect(denied.pop()).toBe(millis + hour - (millis === 400 * day ? 0 : 1000))
        }
      })
  ),

  row(
    "V2: a flush still ends the session when the response is a 500, and when the handler has read nothing",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const out of [RequestContext.flush, Effect.zipRight(RequestContext.get(User), RequestContext.flush)]) {
          const browser = yield* signedIn(world, freshSubject())
          const copy = cookieOf(world, browser.token())
          yield* visit(browser, out, { status: 500, keep: false })
          expect((yield* visit(browser, who, { cookie: copy })).value).toEqual(Option.none())
        }
      })
  ),

  row("V2: a flush ends the session after the response's head has left, too", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const subject = freshSubject()
      const browser = yield* signedIn(world, subject)
      const request = yield* visit(
        browser,
        Effect.flatMap(RequestContext.RequestContext, (context) => Effect.succeed(context))
      )
      yield* expectSignedIn(browser, subject)
      yield* request.value.flush
      yield* expectSignedIn(browser, undefined)
    })),

  row(
    "V3: after renew and bind, and after another bind of the same subject, the old cookie opens nothing, and the new one goes on",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const bind = RequestContext.bind(freshSubject())
        for (const [before, renewal] of [[Effect.void, RequestContext.renew], [Effect.void, bind], [bind, bind]]) {
          const browser = world.browser()
          yield* visit(browser, Effect.zipRight(before, RequestContext.insert(User, "ada")))
          const old = cookieOf(world, browser.token())
          yield* visit(browser, renewal)
          for (const move of [0, 10 * 24 * hour]) {
            world.clock.move(move)
            expect((yield* visit(browser, RequestContext.get(User), { cookie: old, keep: false })).value).toEqual(
              Option.none()
            )
            expect((yield* visit(browser, RequestContext.get(User))).value).toEqual(Option.some("ada"))
          }
        }
      })
  ),

  row(
    "V3: of renewals at once one wins, and the others write nothing and send no cookie",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (let round = 0; round < 5; round++) {
          const browser = world.browser()
          yield* visit(browser, RequestContext.insert(User, "ada"))
          const cookie = cookieOf(world, browser.token())
          const renewing = Effect.zipRight(RequestContext.insert(Other, "late"), RequestContext.renew)
          const visits = yield* Effect.forEach(
            Array.from({ length: 6 }),
            () => visit(browser, renewing, { cookie, keep: false }),
            { concurrency: "unbounded" }
          )
          expect(visits.map(({ status }) => status)).toEqual(visits.map(() => 200))
          const sent = visits.flatMap(({ setCookies }) => setCookies)
          expect(sent).toHaveLength(1)
          const next = sent[0].split(";")[0]
          expect((yield* visit(browser, RequestContext.get(Other), { cookie: next })).value).toEqual(
            Option.some("late")
          )
        }
      })
  ),

  row(
    "V3: a renewal that comes second, although it had loaded the session before the first, writes nothing",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const first of [RequestContext.renew, RequestContext.flush]) {
          const browser = yield* signedIn(world, freshSubject())
          const cookie = cookieOf(world, browser.token())
          const second = yield* visit(
            world.browser(),
            Effect.gen(function*() {
              yield* who
              yield* visit(browser, first, { cookie })
              yield* RequestContext.renew
            }),
            { cookie }
          )
          expect([second.status, second.setCookies]).toEqual([200, []])
        }
      })
  ),

  row("V3: a logout wins over a renewal that runs beside it, whichever comes first", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      for (let round = 0; round < 10; round++) {
        const browser = world.browser()
        yield* visit(browser, RequestContext.insert(User, "ada"))
        const cookie = cookieOf(world, browser.token())
        const renewing = yield* Effect.fork(visit(browser, RequestContext.renew, { cookie, keep: false }))
        if (round % 2 === 1) yield* Effect.yieldNow()
        yield* visit(browser, RequestContext.flush, { cookie, keep: false })
        const { setCookies } = yield* Fiber.join(renewing)
        for (const sent of [cookie, ...setCookies.map((sent) => sent.split(";")[0])]) {
          expect((yield* visit(browser, RequestContext.get(User), { cookie: sent })).value).toEqual(Option.none())
        }
      }
    }))
]
