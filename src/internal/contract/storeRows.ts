/**
 * Rows S and E as they hold, or differ, on every store.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionEnded, SessionTooLarge } from "../../SessionError.js"
import * as SessionKey from "../../SessionKey.js"
import { countOf } from "../edition/metric.js"
import { Count, failureOf, increment, Late, Other, User } from "./fixtures.js"
import { both, client, irrevocable, type Row, server } from "./row.js"
import { type Browser, cookieOf, type Handler, type Visit } from "./world.js"

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

export const rows: ReadonlyArray<Row> = [
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

  irrevocable(client(
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
  )),

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
