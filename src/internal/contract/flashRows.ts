/**
 * Messages that are read once (rows L1 to L7), on every store.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as Flash from "../../Flash.js"
import * as RequestContext from "../../RequestContext.js"
import * as SessionKey from "../../SessionKey.js"
import { User } from "./fixtures.js"
import { both, client, type Row, server } from "./row.js"
import { signIn } from "./storeRows.js"
import { cookieOf } from "./world.js"

const Notice = Flash.make("notice", Schema.Struct({ text: Schema.String, at: Schema.Date }))
const Other = Flash.make("other", Schema.String)

const notice = (text: string) => ({ text, at: new Date(0) })

const add = (...texts: ReadonlyArray<string>) => Effect.forEach(texts, (text) => Flash.add(Notice, notice(text)))

const take = Flash.take(Notice)
const texts = Effect.map(take, (notices) => notices.map(({ text }) => text))
const peeked = Effect.map(Flash.peek(Notice), (notices) => notices.map(({ text }) => text))

export const rows: ReadonlyArray<Row> = [
  both("L1: messages are taken once, in their order, as values of their schema", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(add("first"))
      yield* browser.visit(Effect.zipRight(add("second", "third"), Flash.add(Other, "other")))
      expect((yield* browser.visit(take)).value).toEqual([notice("first"), notice("second"), notice("third")])
      expect((yield* browser.visit(take)).value).toEqual([])
      expect((yield* browser.visit(Flash.take(Other))).value).toEqual(["other"])
    })),

  both(
    "L1: within a request, what was added can be taken, and what was taken is gone",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(add("before"))
        const all = Effect.all([Effect.zipRight(add("now"), texts), texts, Effect.zipRight(add("again"), peeked)])
        expect((yield* browser.visit(all)).value).toEqual([["before", "now"], [], ["again"]])
        expect((yield* browser.visit(texts)).value).toEqual(["again"])
      })
  ),

  both("L1: messages that are only looked at stay", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(add("a"))
      for (const _ of [1, 2]) expect((yield* browser.visit(peeked)).value).toEqual(["a"])
      expect((yield* browser.visit(texts)).value).toEqual(["a"])
    })),

  both(
    "L2: a message waits until it is taken, whatever other requests do, and a renewal takes it along",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(add("a"), { status: 303 })
        yield* browser.visit(RequestContext.get(User), { status: 302 })
        yield* browser.visit(RequestContext.insert(User, "ada"))
        yield* browser.visit(RequestContext.renew)
        yield* browser.visit(Effect.void, { status: 500 })
        expect((yield* browser.visit(texts)).value).toEqual(["a"])
      })
  ),

  server("L2: a message that an anonymous visitor got is there after the sign-in", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(add("a"))
      yield* browser.visit(Effect.zipRight(signIn("ada"), add("welcome")))
      expect((yield* browser.visit(texts)).value).toEqual(["a", "welcome"])
    })),

  both(
    "L2: a message of the request that signs out is in the session that begins with it",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(Effect.zipRight(RequestContext.insert(User, "ada"), add("lost")))
        yield* browser.visit(Effect.zipRight(RequestContext.flush, add("signed out")))
        expect((yield* browser.visit(Effect.all([texts, RequestContext.get(User)]))).value).toEqual([
          ["signed out"],
          Option.none()
        ])
      })
  ),

  server(
    "L4: of requests that take at once each message goes to one, and none is lost that is added meanwhile",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const added = Array.from({ length: 12 }, (_, index) => `${index}`)
        const visits = yield* Effect.all([
          ...added.map((text) => browser.visit(Effect.as(add(text), [] as ReadonlyArray<string>))),
          ...added.map(() => browser.visit(Effect.zipRight(RequestContext.get(User), texts)))
        ], { concurrency: "unbounded" })
        const last = yield* browser.visit(texts)
        expect([...visits, last].flatMap(({ value }) => value).sort()).toEqual([...added].sort())
      })
  ),

  server("L4: two tabs that have both seen a message take it once", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(add("a"))
      const cookie = cookieOf(world, browser.token())
      const tab = yield* browser.visit(Effect.gen(function*() {
        const before = yield* peeked
        const other = yield* browser.visit(texts, { cookie })
        return { before, other: other.value, mine: yield* texts }
      }))
      expect(tab.value).toEqual({ before: ["a"], other: ["a"], mine: [] })
    })),

  client(
    "L4: with a cookie store, an old cookie still has the messages that were taken",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(add("a"))
        const cookie = cookieOf(world, browser.token())
        expect((yield* browser.visit(texts)).value).toEqual(["a"])
        expect((yield* browser.visit(texts)).value).toEqual([])
        expect((yield* browser.visit(texts, { cookie, keep: false })).value).toEqual(["a"])
      })
  ),

  server(
    "L4: a session that ends in the meantime has no messages to take, and gets none",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const use of [texts, Effect.as(add("late"), [])]) {
          const browser = world.browser()
          yield* browser.visit(Effect.zipRight(RequestContext.insert(User, "ada"), add("a")))
          const cookie = cookieOf(world, browser.token())
          const visit = yield* browser.visit(Effect.gen(function*() {
            yield* RequestContext.get(User)
            yield* browser.visit(RequestContext.flush, { cookie })
            return yield* use
          }))
          expect([visit.value, visit.setCookies]).toEqual([[], []])
          expect((yield* browser.visit(texts)).value).toEqual([])
        }
      })
  ),

  both(
    "L5: a visitor without a session gets no messages, and no session; one without messages changes nothing",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const stranger = world.browser()
        const uses = [take, Flash.peek(Notice), Flash.refill(Flash.form("form"))]
        for (const use of uses) {
          const { setCookies } = yield* stranger.visit<unknown, unknown>(use)
          expect(setCookies).toEqual([])
        }
        expect(stranger.token()).toBe(undefined)
        const member = world.browser()
        yield* member.visit(RequestContext.insert(User, "ada"))
        const { modify, save } = { ...world.calls }
        for (const use of uses) {
          const { setCookies } = yield* member.visit<unknown, unknown>(use)
          expect(setCookies).toEqual([])
        }
        expect([world.calls.save - save, world.calls.modify - modify]).toEqual([0, 0])
      })
  ),

  both(
    "L6: a form that failed is shown once with its input and its errors, and only as it failed last",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const SignUp = Flash.form("sign-up", { secrets: ["password"] })
        for (const email of ["first", "ada"]) {
          yield* browser.visit(Flash.failForm(SignUp, {
            input: { email, topics: ["a", "b"], password: "secret" },
            errors: { email: "no address", "": ["try again"] }
          }))
        }
        const shown = (yield* browser.visit(Flash.refill(SignUp))).value
        expect([shown.failed, shown.value("email"), shown.values("topics")]).toEqual([true, "ada", ["a", "b"]])
        expect([shown.error("email"), shown.errors(""), shown.error("topics")]).toEqual([
          "no address",
          ["try again"],
          ""
        ])
        expect([shown.value("password"), shown.values("password")]).toEqual(["", []])
        const again = (yield* browser.visit(Flash.refill(SignUp))).value
        expect([again.failed, again.value("email"), again.errors("email")]).toEqual([false, "", []])
      })
  ),

  both("L6: of a form that is too large for the session, the errors are kept", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world({ maxSessionBytes: 3_000 })
      const browser = world.browser()
      const Essay = Flash.form("essay")
      const failed = yield* browser.visit(
        Flash.failForm(Essay, { input: { title: "short", text: "x".repeat(5_000) }, errors: { text: "too long" } })
      )
      expect(failed.status).toBe(200)
      const shown = (yield* browser.visit(Flash.refill(Essay))).value
      expect([shown.failed, shown.value("title"), shown.error("text")]).toEqual([true, "", "too long"])
    })),

  both("L7: the newest messages are kept where nobody takes them", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      const Few = Flash.make("few", Schema.Int, { max: 3 })
      for (const number of [1, 2, 3, 4, 5]) yield* browser.visit(Flash.add(Few, number))
      expect((yield* browser.visit(Flash.take(Few))).value).toEqual([3, 4, 5])
      const many = Array.from({ length: 25 }, (_, index) => `${index}`)
      yield* browser.visit(Effect.forEach(many, (text) => Flash.add(Other, text)))
      expect((yield* browser.visit(Flash.take(Other))).value).toEqual(many.slice(5))
    })),

  both(
    "L7: messages that cannot be read any more are dropped, and stop neither a page nor a new message",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const stale = RequestContext.insert(SessionKey.make("effect-session/Flash/notice", Schema.Unknown), [{
          old: 1
        }])
        const fresh = world.browser()
        yield* fresh.visit(stale)
        expect((yield* fresh.visit(Effect.all([peeked, texts, texts]))).value).toEqual([[], [], []])
        expect((yield* fresh.visit(RequestContext.keys)).value).toEqual([])
        const adding = world.browser()
        yield* adding.visit(stale)
        yield* adding.visit(add("new"))
        expect((yield* adding.visit(texts)).value).toEqual(["new"])
      })
  )
]
