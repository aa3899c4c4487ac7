/**
 * Rows V4, V5 and V7: the sessions of a subject that the server ends, what a check costs, and what becomes of one that fails.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Sessions from "../../Sessions.js"
import { failureOf, User } from "./fixtures.js"
import {
  calls,
  counting,
  expectSignedIn,
  freshSubject,
  hour,
  type RevocationRow,
  row,
  signedIn,
  visit,
  who
} from "./revocationKit.js"
import { type Browser, cookieOf, type Handler } from "./world.js"

export const rows: ReadonlyArray<RevocationRow> = [
  // ── subjects ──

  row(
    "V4: revokeAll ends every session of the subject and of nobody else, and returns no number",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const [ada, eve] = [freshSubject(), freshSubject()]
        const browsers = [yield* signedIn(world, ada), yield* signedIn(world, ada)]
        const other = yield* signedIn(world, eve)
        world.clock.move(hour)
        yield* visit(browsers[0], RequestContext.renew)
        const revoked = yield* visit(other, Sessions.revokeAll(ada))
        expect([revoked.value, revoked.setCookies]).toEqual([undefined, []])
        for (const move of [0, 20 * 24 * hour]) {
          world.clock.move(move)
          for (const browser of browsers) yield* expectSignedIn(browser, undefined)
        }
      })
  ),

  row(
    "V4: a sign-in after revokeAll lives, in the same millisecond and in the same request too, and the next revokeAll ends it",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const subject = freshSubject()
        for (let round = 0; round < 3; round++) {
          const before = yield* signedIn(world, subject)
          const reset = world.browser()
          yield* visit(reset, Effect.zipRight(Sessions.revokeAll(subject), RequestContext.bind(subject)))
          const after = yield* signedIn(world, subject)
          yield* expectSignedIn(before, undefined)
          yield* expectSignedIn(reset, subject)
          yield* expectSignedIn(after, subject)
        }
        const last = yield* signedIn(world, subject)
        yield* visit(world.browser(), Sessions.revokeAll(subject))
        yield* expectSignedIn(last, undefined)
      })
  ),

  row("V4: servers whose clocks differ by up to an hour agree on what came before", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      for (const difference of [hour - 1, -hour]) {
        const other = yield* kit.world()
        other.clock.move(difference + world.clock.now() - other.clock.now())
        const subject = freshSubject()
        const before = yield* signedIn(other, subject)
        yield* visit(world.browser(), Sessions.revokeAll(subject))
        const after = yield* signedIn(other, subject)
        for (const one of [world, other]) {
          const seen = (browser: Browser) =>
            Effect.map(visit(one.browser(), who, { cookie: cookieOf(other, browser.token()) }), ({ value }) => value)
          expect([yield* seen(before), yield* seen(after)]).toEqual([Option.none(), Option.some(subject)])
        }
      }
    })),

  row(
    "V4: revokeOthers spares the current session, as it is and after it was renewed, and no other",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const revocations = [
          (subject: string) => Effect.asVoid(Sessions.revokeOthers(subject)),
          (subject: string) => Effect.zipRight(Sessions.revokeOthers(subject), RequestContext.renew),
          (subject: string) => Effect.zipRight(RequestContext.renew, Sessions.revokeOthers(subject))
        ]
        for (const revoke of revocations) {
          const subject = freshSubject()
          const [current, other] = [yield* signedIn(world, subject), yield* signedIn(world, subject)]
          yield* visit(current, RequestContext.insert(User, "mine"))
          yield* visit(current, revoke(subject))
          yield* expectSignedIn(other, undefined)
          yield* expectSignedIn(current, subject)
          yield* visit(current, RequestContext.renew)
          yield* expectSignedIn(current, subject)
          expect((yield* visit(current, RequestContext.get(User))).value).toEqual(Option.some("mine"))
          yield* visit(world.browser(), Sessions.revokeAll(subject))
          yield* expectSignedIn(current, undefined)
        }
      })
  ),

  row("V4: no renewal and no change that is under way escapes revokeAll", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      for (
        const change of [RequestContext.renew, RequestContext.insert(User, "late"), RequestContext.setExpiry("9 days")]
      ) {
        const subject = freshSubject()
        const browser = yield* signedIn(world, subject)
        const elsewhere = world.browser()
        // The session was loaded before it is revoked, and is saved after it.
        yield* visit(
          browser,
          Effect.gen(function*() {
            expect(yield* who).toEqual(Option.some(subject))
            yield* visit(elsewhere, Sessions.revokeAll(subject))
            yield* change
          })
        )
        yield* expectSignedIn(browser, undefined)
      }
    })),

  row(
    "V4: the session of another subject that signs in within a revoked session is a new one",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const [ada, eve] = [freshSubject(), freshSubject()]
        for (const next of [ada, eve]) {
          const browser = yield* signedIn(world, ada)
          yield* visit(browser, RequestContext.insert(User, "ada's"))
          const bound = yield* visit(
            browser,
            Effect.gen(function*() {
              yield* RequestContext.get(User)
              yield* visit(world.browser(), Sessions.revokeAll(ada))
              yield* RequestContext.bind(next)
            })
          )
          expect(bound.status).toBe(200)
          yield* expectSignedIn(browser, next)
          expect((yield* visit(browser, RequestContext.get(User))).value).toEqual(Option.none())
        }
      })
  ),

  // ── what it costs ──

  row(
    "V5: a request asks once, however many cookies open, and one that has no session or does not touch it never asks",
    (kit) =>
      Effect.gen(function*() {
        const { service, taken } = counting(kit.revocation)
        const world = yield* kit.world({}, { revocation: service })
        const subject = freshSubject()
        const browser = yield* signedIn(world, subject)
        expect(taken()).toEqual(calls({ check: 1 }))
        const read = Effect.all([RequestContext.get(User), who, RequestContext.keys], { concurrency: "unbounded" })
        yield* visit(browser, read)
        expect(taken()).toEqual(calls({ check: 1 }))
        yield* visit(browser, Effect.zipRight(read, RequestContext.insert(User, "ada")))
        expect(taken()).toEqual(calls({ check: 1 }))
        const browsers = yield* Effect.forEach(Array.from({ length: 4 }), () => signedIn(world, subject))
        taken()
        const cookie = browsers.map((each) => cookieOf(world, each.token())).join("; ")
        yield* visit(browser, read, { cookie, keep: false })
        expect(taken()).toEqual(calls({ check: 1 }))
        yield* visit(world.browser(), Effect.zipRight(read, RequestContext.insert(User, "new")))
        for (const cookie of ["a=b", `${cookieOf(world, "x".repeat(60))}`, `${cookieOf(world, "A".repeat(60))}`]) {
          yield* visit(world.browser(), read, { cookie })
          yield* visit(world.browser(), RequestContext.flush, { cookie })
        }
        yield* visit(browser, Effect.void)
        expect(taken()).toEqual(calls({}))
      })
  ),

  row(
    "V5: a sign-out is one call, a renewal one more than its read, and revokeAll one",
    (kit) =>
      Effect.gen(function*() {
        const { service, taken } = counting(kit.revocation)
        const world = yield* kit.world({}, { revocation: service })
        const subject = freshSubject()
        const anonymous = world.browser()
        yield* visit(anonymous, RequestContext.insert(User, "ada"))
        expect(taken()).toEqual(calls({}))
        yield* visit(anonymous, RequestContext.renew)
        expect(taken()).toEqual(calls({ check: 1, deny: 1 }))
        yield* visit(anonymous, RequestContext.bind(subject))
        expect(taken()).toEqual(calls({ check: 2, deny: 1 }))
        yield* visit(anonymous, RequestContext.renew)
        expect(taken()).toEqual(calls({ check: 2, deny: 1 }))
        yield* visit(world.browser(), Sessions.revokeAll(subject))
        expect(taken()).toEqual(calls({ denyOlder: 1 }))
        yield* visit(anonymous, RequestContext.flush)
        expect(taken()).toEqual(calls({ deny: 1 }))
      })
  ),

  // ── failures ──

  row(
    "V7: a check that fails, dies or never answers is a 503 to every operation, and never passes as a session",
    (kit) =>
      Effect.gen(function*() {
        const failures: ReadonlyArray<() => Effect.Effect<never, SessionStoreError>> = [
          () => Effect.fail(SessionStoreError.of("check", "Unavailable", "out of order")),
          () => Effect.die(new Error("broken")),
          () => Effect.never,
          () => {
            throw new Error("broken")
          }
        ]
        const well = yield* kit.world()
        const browser = yield* signedIn(well, freshSubject())
        yield* visit(browser, RequestContext.insert(User, "ada"))
        const cookie = cookieOf(well, browser.token())
        for (const fail of failures) {
          const revocation = { ...kit.revocation, check: fail, deny: fail, denyOlder: fail }
          const world = yield* kit.world({ storeTimeout: 30 }, { revocation })
          const operations: ReadonlyArray<Effect.Effect<unknown, unknown, Handler | Sessions.Sessions>> = [
            RequestContext.get(User),
            RequestContext.insert(User, "eve"),
            RequestContext.modify(User, (user) => [user, user]),
            RequestContext.requireSignedIn,
            RequestContext.renew,
            RequestContext.flush,
            RequestContext.bind(freshSubject()),
            Sessions.revokeAll(freshSubject())
          ]
          for (const operation of operations) {
            const failed = yield* visit(world.browser(), operation, { cookie })
            expect(failureOf(failed.exit)).toBeInstanceOf(SessionStoreError)
            expect([failed.status, failed.setCookies]).toEqual([503, []])
          }
        }
        // The session is as it was.
        expect((yield* visit(browser, RequestContext.get(User))).value).toEqual(Option.some("ada"))
      })
  ),

  row(
    "V7: a renewal whose old id cannot be denied is a 503 without a cookie, and the old session goes on",
    (kit) =>
      Effect.gen(function*() {
        const fail = () => Effect.fail(SessionStoreError.of("deny", "Unavailable", "out of order"))
        const world = yield* kit.world({}, { revocation: { ...kit.revocation, deny: fail } })
        const browser = world.browser()
        yield* visit(browser, RequestContext.insert(User, "ada"))
        const renewed = yield* visit(browser, RequestContext.renew)
        expect([renewed.status, renewed.setCookies]).toEqual([503, []])
        expect((yield* visit(browser, RequestContext.get(User))).value).toEqual(Option.some("ada"))
      })
  )
]
