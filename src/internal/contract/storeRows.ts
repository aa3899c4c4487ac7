/**
 * Rows S and E as they hold, or differ, on every store.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionEnded, SessionTooLarge } from "../../SessionError.js"
import * as SessionKey from "../../SessionKey.js"
import { countOf } from "../edition/metric.js"
import { Count, failureOf, increment, Late, maxAgeOf, Other, User } from "./operationRows.js"
import { both, client, type Kit, type Row, server } from "./row.js"
import { type Browser, cookieOf, type Handler, type Visit, type World } from "./world.js"

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Two requests of one browser, of which `slow` has loaded when `quick` runs from start to end. */
const overtaken = <A, E, B, E2>(
  browser: Browser,
  slow: Effect.Effect<A, E, Handler>,
  quick: Effect.Effect<B, E2, Handler>
): Effect.Effect<{ readonly slow: Visit<A, E>; readonly quick: Visit<B, E2> }> =>
  Effect.gen(function*() {
    const loaded = yield* Deferred.make<void>()
    const done = yield* Deferred.make<void>()
    const behind = yield* Effect.fork(browser.visit(
      RequestContext.get(User).pipe(
        Effect.orDie,
        Effect.zipRight(Deferred.succeed(loaded, undefined)),
        Effect.zipRight(Deferred.await(done)),
        Effect.zipRight(slow)
      )
    ))
    yield* Deferred.await(loaded)
    const ahead = yield* browser.visit(quick)
    yield* Deferred.succeed(done, undefined)
    return { slow: yield* Fiber.join(behind), quick: ahead }
  })

/** `bind` asks for `Sessions` by its type alone, so that it does not compile with the cookie store. */
export const signIn = (...args: Parameters<typeof RequestContext.bind>) =>
  RequestContext.bind(...args) as Effect.Effect<
    void,
    Effect.Effect.Error<ReturnType<typeof RequestContext.bind>>,
    RequestContext.RequestContext
  >

const stores: ReadonlyArray<Row> = [
  both(
    "S10: ping succeeds while the store answers, and leaves every session as it is",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        yield* world.store.ping
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        yield* world.store.ping
        expect(world.calls).toEqual({ load: 0, save: 1, end: 0, modify: 0 })
        expect((yield* browser.visit(RequestContext.get(User))).value).toEqual(Option.some("ada"))
      })
  ),

  server(
    "S1: the cookie holds 43 characters of canonical base64url, different for every session",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const tokens = new Set<string>()
        for (let i = 0; i < 20; i++) {
          const browser = world.browser()
          yield* browser.visit(RequestContext.insert(User, "ada"))
          const token = browser.token() ?? ""
          expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
          expect(Buffer.from(token, "base64url").toString("base64url")).toBe(token)
          tokens.add(token)
        }
        expect(tokens.size).toBe(20)
      })
  ),

  server(
    "S2: a request whose session ends after its load writes nothing, sets no cookie, and is counted as ended",
    (kit) =>
      Effect.gen(function*() {
        const enders = [RequestContext.flush, RequestContext.renew]
        const writers: ReadonlyArray<Effect.Effect<unknown, unknown, Handler>> = [
          RequestContext.insert(Late, "late"),
          RequestContext.remove(User),
          RequestContext.clear,
          RequestContext.renew,
          RequestContext.setExpiry("1 hour"),
          Effect.zipRight(RequestContext.insert(Late, "late"), RequestContext.commit)
        ]
        const world = yield* kit.world()
        for (const ender of enders) {
          for (const writer of writers) {
            const browser = world.browser()
            yield* browser.visit(RequestContext.insert(User, "ada"))
            const old = cookieOf(world, browser.token())
            const before = countOf("effect_session_ended_total")
            const { slow } = yield* overtaken(browser, writer, ender)
            expect([slow.status, slow.setCookies, slow.exit._tag]).toEqual([200, [], "Success"])
            expect(countOf("effect_session_ended_total") - before).toBeGreaterThanOrEqual(1)
            const stranger = yield* world.browser().visit(
              Effect.all([RequestContext.get(User), RequestContext.get(Late)]),
              { cookie: old }
            )
            expect(stranger.value).toEqual([Option.none(), Option.none()])
            const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Late)]))
            expect(after.value).toEqual([
              ender === RequestContext.renew ? Option.some("ada") : Option.none(),
              Option.none()
            ])
          }
        }
      })
  ),

  server(
    "C9: a modify on a session that another request has ended or renewed fails with SessionEnded and changes nothing",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const ender of [RequestContext.flush, RequestContext.renew]) {
          const browser = world.browser()
          yield* browser.visit(RequestContext.insert(User, "ada"))
          const { slow } = yield* overtaken(browser, increment, ender)
          expect(failureOf(slow.exit)).toBeInstanceOf(SessionEnded)
          expect([slow.status, slow.setCookies]).toEqual([409, []])
          const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Count)]))
          expect(after.value).toEqual([
            ender === RequestContext.renew ? Option.some("ada") : Option.none(),
            Option.none()
          ])
        }
      })
  ),

  client(
    "S2: a sealed session cannot be ended for good: an older seal still reads, and a slow writer brings it back",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const old = cookieOf(world, browser.token())
        const { slow } = yield* overtaken(browser, RequestContext.insert(Late, "late"), RequestContext.flush)
        expect(slow.setCookies).toHaveLength(1)
        const revived = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Late)]))
        expect(revived.value).toEqual([Option.some("ada"), Option.some("late")])
        yield* browser.visit(RequestContext.flush)
        const replayed = yield* browser.visit(RequestContext.get(User), { cookie: old })
        expect(replayed.value).toEqual(Option.some("ada"))
      })
  ),

  server("S3: requests that change different keys keep each other's changes", (kit) =>
    Effect.gen(function*() {
      const A = SessionKey.make("a", Schema.Int)
      const B = SessionKey.make("b", Schema.Int)
      const C = SessionKey.make("c", Schema.Int)
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(Effect.all([
        RequestContext.insert(User, "ada"),
        RequestContext.insert(A, 1),
        RequestContext.insert(B, 1)
      ]))
      yield* overtaken(
        browser,
        Effect.zip(RequestContext.insert(C, 1), RequestContext.remove(A)),
        Effect.zip(RequestContext.insert(B, 2), RequestContext.insert(Late, "quick"))
      )
      const { value } = yield* browser.visit(
        Effect.all([
          RequestContext.get(User),
          RequestContext.get(A),
          RequestContext.get(B),
          RequestContext.get(C),
          RequestContext.get(Late)
        ])
      )
      expect(value).toEqual([
        Option.some("ada"),
        Option.none(),
        Option.some(2),
        Option.some(1),
        Option.some("quick")
      ])
    })),

  server(
    "S3: the last writer of a key wins, and clear removes keys that it did not see, too",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        yield* overtaken(browser, RequestContext.insert(User, "slow"), RequestContext.insert(User, "quick"))
        const last = yield* browser.visit(RequestContext.get(User))
        expect(last.value).toEqual(Option.some("slow"))
        yield* overtaken(browser, RequestContext.clear, RequestContext.insert(Late, "quick"))
        const cleared = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Late)]))
        expect(cleared.value).toEqual([Option.none(), Option.none()])
      })
  ),

  client(
    "S3: on the cookie store parallel requests overwrite each other, and the response that arrives last wins",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        yield* overtaken(browser, RequestContext.insert(Late, "slow"), RequestContext.insert(Other, "quick"))
        const { value } = yield* browser.visit(
          Effect.all([RequestContext.get(User), RequestContext.get(Late), RequestContext.get(Other)])
        )
        expect(value).toEqual([Option.some("ada"), Option.some("slow"), Option.none()])
      })
  ),

  server(
    "S7: maxSessionBytes counts keys and values in UTF-8: the boundary fits, and one byte more fails with a typed error",
    (kit) =>
      Effect.gen(function*() {
        const limit = 64
        const world = yield* kit.world({ maxSessionBytes: limit })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada")) // user + "ada" in quotes: 9 bytes
        // öther is 6 bytes, the quotes are 2: 47 more fill it
        const Wide = SessionKey.make("öther", Schema.String)
        const fits = "ü".repeat(23) + "x"
        const { value } = yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.get(User)
          yield* RequestContext.insert(Wide, fits)
          return yield* Effect.exit(RequestContext.insert(Wide, `${fits}x`))
        }))
        expect(failureOf(value)).toBeInstanceOf(SessionTooLarge)
        expect(failureOf(value)).toMatchObject({ size: limit + 1, limit })
        const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Wide)]))
        expect(after.value).toEqual([Option.some("ada"), Option.some(fits)])
        // blind: only the store can know
        const blind = yield* browser.visit(RequestContext.insert(Late, ""))
        expect([blind.status, blind.exit._tag]).toEqual([503, "Success"])
        const unchanged = yield* browser.visit(Effect.all([RequestContext.get(Wide), RequestContext.get(Late)]))
        expect(unchanged.value).toEqual([Option.some(fits), Option.none()])
      })
  ),

  server(
    "S7: a sign-in keeps at most 512 characters of the User-Agent, and cuts no character in two",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (
          const [given, kept] of [
            ["x".repeat(15_000), "x".repeat(512)],
            ["x".repeat(512), "x".repeat(512)],
            [`${"x".repeat(511)}\u{1F600}`, "x".repeat(511)]
          ]
        ) {
          const browser = world.browser()
          yield* browser.visit(signIn("ada", { userAgent: given }))
          const loaded = yield* world.store.load([browser.token() ?? ""], world.clock.now())
          expect(loaded).toMatchObject({ _tag: "Found", session: { owner: { subject: "ada", userAgent: kept } } })
        }
      })
  ),

  server(
    "S7: a sign-in whose owner does not fit beside the data fails with SessionTooLarge, and the boundary itself fits",
    (kit) =>
      Effect.gen(function*() {
        // user and "ada" in quotes take 9 bytes; the owner takes 3 + 80 + 3
        const owner = { userAgent: "ü".repeat(40), address: "::1" }
        const signInBob = signIn("bob", owner)
        for (const [limit, fits] of [[95, true], [94, false]] as const) {
          const world = yield* kit.world({ maxSessionBytes: limit })
          const anonymous = world.browser()
          yield* anonymous.visit(RequestContext.insert(User, "ada"))
          for (const browser of [world.browser(), anonymous]) {
            const { exit } = yield* browser.visit(
              browser === anonymous ? signInBob : Effect.zipRight(RequestContext.insert(User, "ada"), signInBob)
            )
            if (fits) expect(exit._tag).toBe("Success")
            else expect(failureOf(exit)).toMatchObject({ _tag: "SessionTooLarge", size: 95, limit })
          }
          const { value } = yield* anonymous.visit(Effect.zip(RequestContext.get(User), RequestContext.signedIn))
          expect([Option.isSome(value[0]), Option.isSome(value[1])]).toEqual([true, fits])
        }
      })
  ),

  server("S7: parallel requests together cannot exceed maxSessionBytes", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world({ maxSessionBytes: 100 })).browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const { quick, slow } = yield* overtaken(
        browser,
        RequestContext.insert(Late, "x".repeat(60)),
        RequestContext.insert(Other, "y".repeat(60))
      )
      expect([quick.status, slow.status]).toEqual([200, 503])
      const after = yield* browser.visit(Effect.all([RequestContext.get(Late), RequestContext.get(Other)]))
      expect(after.value).toEqual([Option.none(), Option.some("y".repeat(60))])
    })),

  client(
    "K6: a change that the cookie cannot hold fails with a typed error and leaves pending changes, and the boundary itself fits",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const { setCookies, value } = yield* browser.visit(Effect.gen(function*() {
          let [fits, tooLong] = [0, 8192]
          while (tooLong - fits > 1) {
            const middle = (fits + tooLong) >> 1
            const error = failureOf(yield* Effect.exit(RequestContext.insert(User, "x".repeat(middle))))
            if (error === undefined) fits = middle
            else {
              expect(error).toBeInstanceOf(SessionTooLarge)
              expect(error).toMatchObject({ limit: 4096 })
              tooLong = middle
            }
          }
          yield* RequestContext.insert(User, "x".repeat(fits))
          const refused = failureOf(yield* Effect.exit(RequestContext.insert(User, "x".repeat(fits + 1))))
          return { fits, refused }
        }))
        expect(value.refused).toBeInstanceOf(SessionTooLarge)
        const bytes = setCookies[0].indexOf(";") - 1
        // base64 grows by four for every three bytes
        expect(bytes).toBeGreaterThan(4096 - 4)
        expect(bytes).toBeLessThanOrEqual(4096)
        const after = yield* browser.visit(RequestContext.get(User))
        expect(after.value).toEqual(Option.some("x".repeat(value.fits)))
      })
  )
]

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

const expiry: ReadonlyArray<Row> = [
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

export const rows: ReadonlyArray<Row> = [...stores, ...expiry]
