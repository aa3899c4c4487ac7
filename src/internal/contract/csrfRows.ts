/**
 * The secret of a session's forms (row X6), on every store.
 */
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import * as Csrf from "../../Csrf.js"
import * as RequestContext from "../../RequestContext.js"
import * as Secret from "../csrf/secret.js"
import { User } from "./fixtures.js"
import { both, type Row, server } from "./row.js"
import { signIn } from "./storeRows.js"
import { cookieOf } from "./world.js"

/** What a request of the session makes of a token. */
const verdictOn = (token: string) =>
  Effect.flatMap(RequestContext.RequestContext, (context) => Secret.verify(context, Effect.succeed(token)))

export const rows: ReadonlyArray<Row> = [
  both(
    "X6: each page has a token of its own, and every token of the session is right in any of its requests",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const first = (yield* browser.visit(Csrf.token)).value // begins the session
        const second = (yield* browser.visit(Csrf.token)).value
        const pair = (yield* browser.visit(Effect.all([Csrf.token, Csrf.token]))).value
        const tokens = [first, second, ...pair]
        expect(new Set(tokens).size).toBe(4)
        for (const token of tokens) expect((yield* browser.visit(verdictOn(token))).value).toBe("Right")
      })
  ),

  both(
    "X6: a session that has a secret is not changed by further tokens, nor by looking at one",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const token = (yield* browser.visit(Csrf.token)).value
        for (const look of [Csrf.token, verdictOn(token), verdictOn("wrong")]) {
          const { modify, save } = { ...world.calls }
          const { setCookies } = yield* browser.visit<unknown, unknown>(look)
          expect([setCookies, world.calls.save - save, world.calls.modify - modify]).toEqual([[], 0, 0])
        }
      })
  ),

  both(
    "X6: the token of another visitor, and that of a visitor without a session, is not right",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const [ada, eve, nobody] = [world.browser(), world.browser(), world.browser()]
        const hers = (yield* ada.visit(Csrf.token)).value
        yield* eve.visit(Csrf.token)
        expect((yield* eve.visit(verdictOn(hers))).value).toBe("WrongToken")
        const visit = yield* nobody.visit(verdictOn(hers))
        expect([visit.value, visit.setCookies]).toEqual(["NoToken", []])
      })
  ),

  both(
    "X6: a renewal ends the tokens from before it, and keeps those that its own page gets after it",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const before = (yield* browser.visit(Csrf.token)).value
        const page = yield* browser.visit(Effect.gen(function*() {
          const early = yield* Csrf.token
          yield* RequestContext.renew
          return { early, late: yield* Csrf.token, now: yield* verdictOn(before) }
        }))
        expect(page.value.now).toBe("WrongToken")
        for (const token of [before, page.value.early]) {
          expect((yield* browser.visit(verdictOn(token))).value).toBe("WrongToken")
        }
        expect((yield* browser.visit(verdictOn(page.value.late))).value).toBe("Right")
        expect((yield* browser.visit(RequestContext.get(User))).value).toMatchObject({ value: "ada" })
        yield* browser.visit(RequestContext.renew)
        expect((yield* browser.visit(verdictOn(page.value.late))).value).toBe("NoToken")
      })
  ),

  server(
    "X6: a sign-in ends the tokens from before it, whoever was signed in, and whenever they were made",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const anonymous = (yield* browser.visit(Csrf.token)).value
        for (const subject of ["ada", "ada", "eve"]) {
          const page = yield* browser.visit(Effect.gen(function*() {
            const early = yield* Csrf.token
            yield* signIn(subject)
            const now = yield* verdictOn(early)
            return { early, now, late: yield* Csrf.token }
          }))
          expect(page.value.now).toBe("NoToken")
          for (const token of [anonymous, page.value.early]) {
            expect((yield* browser.visit(verdictOn(token))).value).toBe("WrongToken")
          }
          expect((yield* browser.visit(verdictOn(page.value.late))).value).toBe("Right")
        }
        const first = world.browser() // a token and a sign-in in one request, without a session before it
        const early = (yield* first.visit(Effect.zipLeft(Csrf.token, signIn("ada")))).value
        expect((yield* first.visit(verdictOn(early))).value).toBe("NoToken")
      })
  ),

  server(
    "X6: a renewal ends the token that another request has made since the session was loaded",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const cookie = cookieOf(world, browser.token())
        let token = ""
        yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.renew
          token = (yield* browser.visit(Csrf.token, { cookie, keep: false })).value
          expect((yield* browser.visit(verdictOn(token), { cookie, keep: false })).value).toBe("Right")
        }))
        expect((yield* browser.visit(RequestContext.get(User))).value).toMatchObject({ value: "ada" })
        expect((yield* browser.visit(verdictOn(token))).value).toBe("NoToken")
      })
  ),

  server(
    "X6: two pages that get their first token at once get tokens of the same secret",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const pages = yield* Effect.all(Array.from({ length: 8 }, () => browser.visit(Csrf.token)), {
          concurrency: "unbounded"
        })
        for (const { value } of pages) expect((yield* browser.visit(verdictOn(value))).value).toBe("Right")
      })
  ),

  server(
    "X6: the page of a session that has ended in the meantime gets a token that is worth nothing",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const cookie = cookieOf(world, browser.token())
        const page = yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.get(User)
          yield* browser.visit(RequestContext.flush, { cookie, keep: false })
          return yield* Csrf.token
        }))
        expect([page.status, page.setCookies]).toEqual([200, []])
        expect((yield* browser.visit(verdictOn(page.value))).value).toBe("NoToken")
      })
  )
]
