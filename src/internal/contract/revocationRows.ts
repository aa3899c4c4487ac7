/**
 * Rows V: cookie sessions that the server can end, over any store of revocations.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import type { SessionConfigOptions } from "../../SessionConfig.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Sessions from "../../Sessions.js"
import * as random from "../codec/random.js"
import type { RevocationService } from "../store/revocation.js"
import type { StandingClock } from "../testing/clock.js"
import { Count, failureOf, Other, User } from "./fixtures.js"
import { type Browser, cookieOf, type Handler, type Visit, type VisitOptions, type World } from "./world.js"

/**
 * - `revocation`: the store of revocations that the row is about.
 * - `world`: an app over the cookie store with that one, or with another one in its place.
 */
export interface RevocationKit {
  readonly revocation: RevocationService
  readonly world: (
    options?: SessionConfigOptions,
    extra?: { readonly revocation?: RevocationService; readonly clock?: StandingClock }
  ) => Effect.Effect<World, unknown, Scope.Scope>
}

export interface RevocationRow {
  readonly title: string
  readonly run: (kit: RevocationKit) => Effect.Effect<void, unknown, Scope.Scope>
}

const row = (title: string, run: RevocationRow["run"]): RevocationRow => ({ title, run })

const hour = 60 * 60 * 1000

/** The store provides `Sessions`, beside what handlers of every store may use. */
const visit = <A, E>(
  browser: Browser,
  effect: Effect.Effect<A, E, Handler | Sessions.Sessions>,
  options?: VisitOptions
): Effect.Effect<Visit<A, E>> => browser.visit(effect as Effect.Effect<A, E, Handler>, options)

const who = Effect.map(RequestContext.signedIn, Option.map(({ subject }) => subject))

/** No two rows share a subject, because they may share a database. */
const freshSubject = (): string => `ada-${random.sid()}`

const signedIn = (world: World, subject: string) =>
  Effect.gen(function*() {
    const browser = world.browser()
    yield* visit(browser, RequestContext.bind(subject))
    return browser
  })

const expectSignedIn = (browser: Browser, subject: string | undefined) =>
  Effect.map(visit(browser, who), ({ value }) => expect(value).toEqual(Option.fromNullable(subject)))

type Counts = Record<"check" | "deny" | "denyOlder", number>

const counting = (revocation: RevocationService) => {
  let counts: Counts = { check: 0, deny: 0, denyOlder: 0 }
  const counted =
    <Args extends ReadonlyArray<unknown>, A>(name: keyof Counts, f: (...args: Args) => A) => (...args: Args) => {
      counts[name]++
      return f(...args)
    }
  return {
    service: {
      ...revocation,
      check: counted("check", revocation.check),
      deny: counted("deny", revocation.deny),
      denyOlder: counted("denyOlder", revocation.denyOlder)
    } satisfies RevocationService,
    taken: () => {
      const taken = counts
      counts = { check: 0, deny: 0, denyOlder: 0 }
      return taken
    }
  }
}

const calls = (over: Partial<Counts>): Counts => ({ check: 0, deny: 0, denyOlder: 0, ...over })

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

  row(
    "V3: after renew and bind the old cookie opens nothing, and the new one goes on",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const subject = freshSubject()
        for (const renewal of [RequestContext.renew, RequestContext.bind(subject)]) {
          const browser = world.browser()
          yield* visit(browser, RequestContext.insert(User, "ada"))
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
    })),

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
