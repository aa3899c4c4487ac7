/**
 * Rows C and M as they hold, or differ, on every store.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionSchemaError, SessionStoreError } from "../../SessionError.js"
import * as SessionKey from "../../SessionKey.js"
import * as random from "../codec/random.js"
import { errorOf } from "../edition/cause.js"
import { both, client, type Row, server } from "./row.js"
import { cookieOf } from "./world.js"

export const User = SessionKey.make("user", Schema.String)
export const Other = SessionKey.make("other", Schema.String)
export const Late = SessionKey.make("late", Schema.String)
export const Count = SessionKey.make("count", Schema.Int)

/** What an effect failed with: typed, and nothing else. */
export const failureOf = <A, E>(exit: Exit.Exit<A, E>): E | Cause.Cause<E> | undefined =>
  Exit.isSuccess(exit) ? undefined : errorOf(exit.cause) ?? exit.cause

export const increment = RequestContext.modify(Count, (count) => {
  const next = Option.getOrElse(count, () => 0) + 1
  return [next, Option.some(next)]
})

export const attributesOf = (setCookie: string): ReadonlyArray<string> =>
  setCookie.split(";").slice(1).map((attribute) => attribute.trim())

export const maxAgeOf = (setCookie: string | undefined): number | undefined => {
  const match = /; Max-Age=(\d+)/i.exec(setCookie ?? "")
  return match === null ? undefined : Number(match[1])
}

/** Names that a store may mix up: with fields of its own or of its language, with each other, with nothing. */
export const awkwardNames = [
  "",
  " ",
  "a",
  "A",
  "a ",
  " a",
  "\u00e9",
  "e\u0301",
  "\u0000",
  "a\u0000b",
  "a\nb",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "version",
  "expires",
  "expiresAt",
  "data",
  "owner",
  "v",
  "1",
  "'; DROP TABLE sessions; --",
  "\\",
  "\\u0000",
  "\"",
  "a\"b",
  "%",
  "%61",
  "_",
  "*",
  "d:a",
  "\ud83d\ude00",
  "\uffff",
  "\u2028"
]

class Point extends Schema.Class<Point>("Point")({ x: Schema.Number, y: Schema.Number }) {}

const UserId = Schema.String.pipe(Schema.brand("UserId"))

class Instance {
  readonly field = 1
}

const nested = (depth: number): unknown => {
  let value: unknown = 0
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const notJson = (): ReadonlyArray<readonly [string, unknown]> => {
  const cycle: Record<string, unknown> = {}
  cycle["self"] = cycle
  return [
    ["undefined", undefined],
    ["NaN", NaN],
    ["Infinity", Infinity],
    ["-Infinity", -Infinity],
    ["a bigint", 1n],
    ["a Date", new Date(0)],
    ["an instance", new Instance()],
    ["a Map", new Map()],
    ["a function", () => 1],
    ["a symbol", Symbol.iterator],
    ["a cycle", cycle],
    ["nesting that overflows", nested(200_000)],
    ["NaN inside", { list: [1, NaN] }],
    ["undefined in a list", [undefined]]
  ]
}

const operations: ReadonlyArray<Row> = [
  both(
    "C1: insert stores the value as it is at the call, and changing the object later, or one that get returned, changes nothing",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const List = SessionKey.make("list", Schema.mutable(Schema.Array(Schema.String)))
        yield* browser.visit(Effect.gen(function*() {
          const list = ["tea"]
          yield* RequestContext.insert(List, list)
          list.push("mutated after insert")
          const got = Option.getOrThrow(yield* RequestContext.get(List))
          got.push("mutated after get")
          expect(yield* RequestContext.get(List)).toEqual(Option.some(["tea"]))
        })).pipe(Effect.map(({ value }) => value))
        const { value } = yield* browser.visit(Effect.gen(function*() {
          const got = Option.getOrThrow(yield* RequestContext.get(List))
          got.push("mutated after get")
          return yield* RequestContext.get(List)
        }))
        expect(value).toEqual(Option.some(["tea"]))
      })
  ),

  both(
    "C1: a value that does not encode, or is not JSON, fails with a typed error and changes nothing",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const Anything = SessionKey.make("anything", Schema.Unknown)
        const Positive = SessionKey.make("anything", Schema.Number.pipe(Schema.filter((n) => n > 0)))
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const { value } = yield* browser.visit(Effect.gen(function*() {
          for (const [name, given] of notJson()) {
            const error = failureOf(yield* Effect.exit(RequestContext.insert(Anything, given)))
            expect(error, name).toBeInstanceOf(SessionSchemaError)
            expect(error, name).toMatchObject({ key: "anything", direction: "encode" })
          }
          expect(failureOf(yield* Effect.exit(RequestContext.insert(Positive, -1)))).toBeInstanceOf(SessionSchemaError)
          return yield* RequestContext.get(Anything)
        }))
        expect(value).toEqual(Option.none())
        const after = yield* browser.visit(Effect.all([RequestContext.get(Anything), RequestContext.get(User)]))
        expect(after.value).toEqual([Option.none(), Option.some("ada")])
      })
  ),

  both("C2: get returns None for an absent key, and a stored null is present", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      const Nullable = SessionKey.make("nullable", Schema.NullOr(Schema.String))
      yield* browser.visit(RequestContext.insert(Nullable, null))
      const { value } = yield* browser.visit(Effect.all([RequestContext.get(Nullable), RequestContext.get(User)]))
      expect(value).toEqual([Option.some(null), Option.none()])
    })),

  both(
    "C2: a value that does not decode fails with a typed error that names its key and path but not the value, and stays stored",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const Written = SessionKey.make("profile", Schema.Struct({ age: Schema.String }))
        const Read = SessionKey.make("profile", Schema.Struct({ age: Schema.Number }))
        yield* browser.visit(RequestContext.insert(Written, { age: "a-secret-age" }))
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const { value } = yield* browser.visit(Effect.gen(function*() {
          const errors = [
            failureOf(yield* Effect.exit(RequestContext.get(Read))),
            failureOf(yield* Effect.exit(RequestContext.modify(Read, (age) => [0, age])))
          ]
          return { errors, other: yield* RequestContext.get(User) }
        }))
        for (const error of value.errors) {
          expect(error).toBeInstanceOf(SessionSchemaError)
          expect(error).toMatchObject({ key: "profile", direction: "decode", path: "age" })
          expect(`${error} ${JSON.stringify(error)}`).not.toContain("a-secret-age")
        }
        expect(value.other).toEqual(Option.some("ada"))
        const after = yield* browser.visit(RequestContext.get(Written))
        expect(after.value).toEqual(Option.some({ age: "a-secret-age" }))
      })
  ),

  both("C3: remove returns the removed value, and the key is gone", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "stays")))
      const removed = yield* browser.visit(Effect.all([RequestContext.remove(User), RequestContext.remove(User)]))
      expect(removed.value).toEqual([Option.some("ada"), Option.none()])
      const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Other)]))
      expect(after.value).toEqual([Option.none(), Option.some("stays")])
    })),

  both(
    "C3: a value that does not decode is removed all the same, and reported as a typed error",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const AsNumber = SessionKey.make("user", Schema.Number)
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const removed = yield* browser.visit(Effect.exit(RequestContext.remove(AsNumber)))
        expect(failureOf(removed.value)).toBeInstanceOf(SessionSchemaError)
        const after = yield* browser.visit(RequestContext.get(User))
        expect(after.value).toEqual(Option.none())
      })
  ),

  server("C4: clear removes every key, and the session lives on under its id", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "x")))
      const token = browser.token()
      const before = yield* browser.visit(RequestContext.sessionId)
      const cleared = yield* browser.visit(RequestContext.clear)
      expect(cleared.setCookies).toEqual([])
      expect(browser.token()).toBe(token)
      const after = yield* browser.visit(
        Effect.all([RequestContext.get(User), RequestContext.get(Other), RequestContext.sessionId])
      )
      expect(after.value).toEqual([Option.none(), Option.none(), before.value])
      expect(Option.isSome(before.value)).toBe(true)
    })),

  client("C4: after a clear the cookie holds an empty session", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "x")))
      const before = yield* browser.visit(RequestContext.sessionId)
      const cleared = yield* browser.visit(RequestContext.clear)
      expect(cleared.setCookies).toHaveLength(1)
      expect(browser.token()).not.toBe("")
      const after = yield* browser.visit(
        Effect.all([RequestContext.get(User), RequestContext.get(Other), RequestContext.sessionId])
      )
      expect(after.value).toEqual([Option.none(), Option.none(), before.value])
      expect(Option.isSome(before.value)).toBe(true)
    })),

  both("C4: after a clear the session holds only what the same request inserts later", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "x")))
      const { value } = yield* browser.visit(Effect.gen(function*() {
        yield* RequestContext.insert(Late, "before")
        yield* RequestContext.clear
        yield* RequestContext.insert(Other, "y")
        return yield* Effect.all([RequestContext.get(User), RequestContext.get(Other), RequestContext.get(Late)])
      }))
      expect(value).toEqual([Option.none(), Option.some("y"), Option.none()])
      const after = yield* browser.visit(
        Effect.all([RequestContext.get(User), RequestContext.get(Other), RequestContext.get(Late)])
      )
      expect(after.value).toEqual([Option.none(), Option.some("y"), Option.none()])
    })),

  both(
    "C5: flush ends the session, and the browser gets a removal cookie with the same attributes",
    (kit) =>
      Effect.gen(function*() {
        const options = { domain: "app.test", partitioned: true, sameSite: "strict", expiry: "1 hour" } as const
        const browser = (yield* kit.world(options)).browser()
        const begun = yield* browser.visit(RequestContext.insert(User, "ada"))
        const flushed = yield* browser.visit(RequestContext.flush)
        expect(flushed.setCookies).toHaveLength(1)
        const lasting = (attribute: string) => !/^(Max-Age|Expires)=/i.test(attribute)
        expect(attributesOf(flushed.setCookies[0]).filter(lasting).sort())
          .toEqual(attributesOf(begun.setCookies[0]).filter(lasting).sort())
        expect(attributesOf(begun.setCookies[0]).filter(lasting)).toHaveLength(6)
        expect(flushed.setCookies[0].split("=")[0]).toBe(begun.setCookies[0].split("=")[0])
        expect(maxAgeOf(flushed.setCookies[0])).toBe(0)
        expect(browser.token()).toBeUndefined()
        const after = yield* browser.visit(RequestContext.get(User))
        expect(after.value).toEqual(Option.none())
      })
  ),

  server("C5: flush deletes the record at once, whatever becomes of the response", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const meanwhile = yield* browser.visit(
        Effect.zipRight(RequestContext.flush, browser.visit(RequestContext.get(User))),
        { status: 500 }
      )
      expect(meanwhile.value.value).toEqual(Option.none())
      expect(meanwhile.setCookies).toHaveLength(1)
    })),

  both(
    "C5: an insert after a flush starts a new session under a new id, with only the later keys",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const token = browser.token()
        const before = yield* browser.visit(RequestContext.sessionId)
        const { setCookies } = yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.get(User)
          yield* RequestContext.flush
          yield* RequestContext.insert(Other, "new")
        }))
        expect(setCookies).toHaveLength(1)
        expect(browser.token()).not.toBe(token)
        const after = yield* browser.visit(
          Effect.all([RequestContext.get(User), RequestContext.get(Other), RequestContext.sessionId])
        )
        expect(after.value.slice(0, 2)).toEqual([Option.none(), Option.some("new")])
        expect(Option.isSome(after.value[2])).toBe(true)
        expect(after.value[2]).not.toEqual(before.value)
      })
  ),

  both(
    "C6: after a clear, or the removal of the last key, what the browser sends next reads as empty",
    (kit) =>
      Effect.gen(function*() {
        for (const operation of [RequestContext.clear, Effect.asVoid(RequestContext.remove(User))]) {
          const browser = (yield* kit.world()).browser()
          yield* browser.visit(RequestContext.insert(User, "ada"))
          yield* Effect.map(browser.visit(operation), ({ value }) => value)
          const { value } = yield* browser.visit(RequestContext.get(User))
          expect(value).toEqual(Option.none())
        }
      })
  ),

  both(
    "C7: later operations of a request see earlier ones, and its concurrent fibers share one load",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({}, {
          before: (call) => call === "load" ? Effect.sleep("5 millis") : Effect.void
        })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        world.calls.load = 0
        const { value } = yield* browser.visit(Effect.gen(function*() {
          const reads = yield* Effect.all(
            [RequestContext.get(User), RequestContext.get(Other), RequestContext.get(User)],
            { concurrency: "unbounded" }
          )
          yield* Effect.all([RequestContext.insert(User, "bob"), RequestContext.insert(Other, "x")], {
            concurrency: "unbounded"
          })
          return [...reads, yield* RequestContext.get(User), yield* RequestContext.remove(Other)]
        }))
        expect(value).toEqual([
          Option.some("ada"),
          Option.none(),
          Option.some("ada"),
          Option.some("bob"),
          Option.some("x")
        ])
        expect(world.calls.load).toBe(1)
      })
  ),

  both(
    "C7: when the fiber that loads is interrupted, the other fibers neither hang nor fail",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({}, {
          before: (call) => call === "load" ? Effect.sleep("20 millis") : Effect.void
        })
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const { value } = yield* browser.visit(Effect.gen(function*() {
          const first = yield* Effect.fork(RequestContext.get(User))
          yield* Effect.sleep("2 millis")
          const second = yield* Effect.fork(RequestContext.get(User))
          yield* Effect.sleep("2 millis")
          yield* Fiber.interrupt(first)
          return yield* Effect.timeout(Fiber.join(second), "2 seconds")
        }))
        expect(value).toEqual(Option.some("ada"))
      })
  ),

  both("C7: a failed load is a typed error, and the next operation loads again", (kit) =>
    Effect.gen(function*() {
      let failing = 0
      const world = yield* kit.world({}, {
        before: (call) =>
          call === "load" && failing-- > 0 ? Effect.fail(SessionStoreError.of("find", "Unavailable")) : Effect.void
      })
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      failing = 1
      const { value } = yield* browser.visit(
        Effect.all([Effect.exit(RequestContext.get(User)), RequestContext.get(User)])
      )
      expect(failureOf(value[0])).toBeInstanceOf(SessionStoreError)
      expect(value[1]).toEqual(Option.some("ada"))
    })),

  both("C7: the commit waits for operations that are still running", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world({}, {
        before: (call) => call === "load" ? Effect.sleep("20 millis") : Effect.void
      })
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      yield* browser.visit(Effect.zip(Effect.forkDaemon(RequestContext.remove(User)), Effect.sleep("2 millis")))
      const { value } = yield* browser.visit(RequestContext.get(User))
      expect(value).toEqual(Option.none())
    })),

  both("C8: dates, bigints, options, branded ids and class instances come back equal", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      const When = SessionKey.make("when", Schema.Date)
      const Big = SessionKey.make("big", Schema.BigInt)
      const Maybe = SessionKey.make("maybe", Schema.Option(Schema.Date))
      const Id = SessionKey.make("id", UserId)
      const Where = SessionKey.make("where", Schema.Array(Point))
      const Text = SessionKey.make("text", Schema.String)
      const text = "\u0000\u001f\u007f\u0080\"\\/\u2028\u2029\ud83d\ude00e\u0301 \t\r\n'%;,="
      yield* browser.visit(Effect.all([
        RequestContext.insert(When, new Date(1_234_567_890_123)),
        RequestContext.insert(Big, 2n ** 70n),
        RequestContext.insert(Maybe, Option.some(new Date(0))),
        RequestContext.insert(Id, UserId.make("u-1")),
        RequestContext.insert(Where, [new Point({ x: 1, y: -0.5 })]),
        RequestContext.insert(Text, text)
      ])).pipe(Effect.map(({ value }) => value))
      const { value } = yield* browser.visit(Effect.all([
        RequestContext.get(When),
        RequestContext.get(Big),
        RequestContext.get(Maybe),
        RequestContext.get(Id),
        RequestContext.get(Where),
        RequestContext.get(Text)
      ]))
      const [when, big, maybe, id, where, got] = value
      expect(Option.getOrThrow(when)).toEqual(new Date(1_234_567_890_123))
      expect(Option.getOrThrow(big)).toBe(2n ** 70n)
      expect(Option.getOrThrow(maybe)).toEqual(Option.some(new Date(0)))
      expect(Option.getOrThrow(id)).toBe("u-1")
      const [point] = Option.getOrThrow(where)
      expect(point).toBeInstanceOf(Point)
      expect([point.x, point.y]).toEqual([1, -0.5])
      expect(Option.getOrThrow(got)).toBe(text)
    })),

  both(
    "C8: keys are compared by code units, so that unusual names are ordinary and distinct keys",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const keys = awkwardNames.map((name) => SessionKey.make(name, Schema.Int))
        yield* browser.visit(Effect.forEach(keys, (key, i) => RequestContext.insert(key, i)))
          .pipe(Effect.map(({ value }) => value))
        const all = yield* browser.visit(Effect.forEach(keys, RequestContext.get))
        expect(all.value).toEqual(keys.map((_, i) => Option.some(i)))
        // each of them alone can be removed
        const odd = keys.filter((_, i) => i % 2 === 1)
        yield* browser.visit(Effect.forEach(odd, RequestContext.remove))
        const rest = yield* browser.visit(Effect.forEach(keys, RequestContext.get))
        expect(rest.value).toEqual(keys.map((_, i) => i % 2 === 1 ? Option.none() : Option.some(i)))
      })
  ),

  both(
    "C9: modify works like Ref.modify over Option: it returns the function's result, and None removes the key",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const first = yield* browser.visit(Effect.all([increment, increment]))
        expect(first.value).toEqual([1, 2])
        const second = yield* browser.visit(increment)
        expect(second.value).toBe(3)
        const removed = yield* browser.visit(RequestContext.modify(Count, (count) => [count, Option.none()]))
        expect(removed.value).toEqual(Option.some(3))
        const after = yield* browser.visit(RequestContext.get(Count))
        expect(after.value).toEqual(Option.none())
      })
  ),

  server(
    "C9: on a stored session modify is saved when it returns, and a later 5xx does not undo it",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const dropped = yield* browser.visit(Effect.zip(RequestContext.insert(Other, "dropped"), increment), {
          status: 500
        })
        expect(dropped.value[1]).toBe(1)
        const after = yield* browser.visit(Effect.all([RequestContext.get(Count), RequestContext.get(Other)]))
        expect(after.value).toEqual([Option.some(1), Option.none()])
      })
  ),

  both(
    "C9: on a new session, or a key with a pending change, modify is saved or dropped together with the commit",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const dropped = yield* browser.visit(increment, { status: 500 })
        expect(dropped.value).toBe(1)
        expect(dropped.setCookies).toEqual([])
        yield* browser.visit(RequestContext.insert(Count, 10))
        const pending = yield* browser.visit(Effect.zip(RequestContext.insert(Count, 20), increment), { status: 500 })
        expect(pending.value[1]).toBe(21)
        expect(world.calls.modify).toBe(0)
        const after = yield* browser.visit(RequestContext.get(Count))
        expect(after.value).toEqual(Option.some(10))
      })
  ),

  client(
    "C9: on the cookie store modify is local to the request, and a 5xx drops it with the rest",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(increment)
        const dropped = yield* browser.visit(increment, { status: 500 })
        expect(dropped.value).toBe(2)
        const after = yield* browser.visit(RequestContext.get(Count))
        expect(after.value).toEqual(Option.some(1))
      })
  ),

  both(
    "C10: renew gives the session a new id and token, and keeps its data and the request's other changes",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const token = browser.token()
        const before = yield* browser.visit(RequestContext.sessionId)
        const renewed = yield* browser.visit(Effect.zip(RequestContext.renew, RequestContext.insert(Other, "x")))
        expect(renewed.setCookies).toHaveLength(1)
        expect(browser.token()).not.toBe(token)
        const after = yield* browser.visit(
          Effect.all([RequestContext.get(User), RequestContext.get(Other), RequestContext.sessionId])
        )
        expect(after.value.slice(0, 2)).toEqual([Option.some("ada"), Option.some("x")])
        expect(Option.isSome(after.value[2])).toBe(true)
        expect(after.value[2]).not.toEqual(before.value)
      })
  ),

  both("C10: a request whose response is dropped renews nothing", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const dropped = yield* browser.visit(RequestContext.renew, { status: 500 })
      expect(dropped.setCookies).toEqual([])
      const after = yield* browser.visit(RequestContext.get(User))
      expect(after.value).toEqual(Option.some("ada"))
    })),

  both("C10: a renewal keeps the session's creation time and its own expiry", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world({ expiry: "40 minutes", absoluteExpiry: "60 minutes" })
      const browser = world.browser()
      yield* browser.visit(Effect.zip(RequestContext.insert(User, "ada"), RequestContext.setExpiry("50 minutes")))
      world.clock.move(5 * minute)
      const renewed = yield* browser.visit(RequestContext.renew)
      expect(maxAgeOf(renewed.setCookies[0])).toBe(50 * 60)
      world.clock.move(25 * minute)
      yield* browser.visit(RequestContext.renew)
      world.clock.move(30 * minute - 1)
      const alive = yield* browser.visit(RequestContext.get(User))
      expect(alive.value).toEqual(Option.some("ada"))
      const token = browser.token()
      world.clock.move(1)
      const dead = yield* browser.visit(RequestContext.get(User), { cookie: cookieOf(world, token) })
      expect(dead.value).toEqual(Option.none())
    })),

  server(
    "C10: after a renewal the old id no longer identifies a session: it reads as empty, and late writes end quietly",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const old = cookieOf(world, browser.token())
        const loaded = yield* Deferred.make<void>()
        const renewed = yield* Deferred.make<void>()
        const writer = yield* Effect.fork(browser.visit(
          Effect.gen(function*() {
            yield* RequestContext.get(User)
            yield* Deferred.succeed(loaded, undefined)
            yield* Deferred.await(renewed)
            yield* RequestContext.insert(Late, "late")
          }),
          { keep: false }
        ))
        yield* Deferred.await(loaded)
        yield* browser.visit(RequestContext.renew)
        yield* Deferred.succeed(renewed, undefined)
        const late = yield* Fiber.join(writer)
        expect([late.status, late.setCookies]).toEqual([200, []])
        const stranger = yield* browser.visit(RequestContext.get(User), { cookie: old, keep: false })
        expect(stranger.value).toEqual(Option.none())
        const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Late)]))
        expect(after.value).toEqual([Option.some("ada"), Option.none()])
      })
  ),

  server(
    "C10: a renewal keeps what another request wrote between the load and the renewal",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(Effect.zip(RequestContext.insert(User, "ada"), RequestContext.insert(Other, "x")))
        const { setCookies } = yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.renew
          yield* RequestContext.insert(Count, 1)
          yield* browser.visit(Effect.zip(RequestContext.insert(Late, "kept"), RequestContext.remove(Other)))
        }))
        expect(setCookies).toHaveLength(1)
        const after = yield* browser.visit(Effect.all([
          RequestContext.get(User),
          RequestContext.get(Other),
          RequestContext.get(Late),
          RequestContext.get(Count)
        ]))
        expect(after.value).toEqual([Option.some("ada"), Option.none(), Option.some("kept"), Option.some(1)])
      })
  ),

  both("C11: commit saves at once, and its cookie is sent whatever the status", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      const { setCookies } = yield* browser.visit(
        Effect.gen(function*() {
          yield* RequestContext.insert(User, "ada")
          yield* RequestContext.commit
          yield* RequestContext.insert(Other, "dropped")
        }),
        { status: 500 }
      )
      expect(setCookies).toHaveLength(1)
      const after = yield* browser.visit(Effect.all([RequestContext.get(User), RequestContext.get(Other)]))
      expect(after.value).toEqual([Option.some("ada"), Option.none()])
    })),

  both("C12: without a session, only a write creates one", (kit) =>
    Effect.gen(function*() {
      const operations = {
        get: RequestContext.get(User),
        remove: RequestContext.remove(User),
        clear: RequestContext.clear,
        renew: RequestContext.renew,
        setExpiry: RequestContext.setExpiry("1 hour"),
        flush: RequestContext.flush
      }
      for (const [name, operation] of Object.entries(operations)) {
        const world = yield* kit.world({ expiry: "1 minute" })
        const stranger = yield* world.browser().visit(Effect.asVoid(Effect.orDie(operation)))
        expect([name, stranger.status, stranger.setCookies]).toEqual([name, 200, []])
        expect([name, world.calls.save]).toEqual([name, 0])
        // a session that has expired is as absent as one that never was
        const browser = world.browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const cookie = cookieOf(world, browser.token())
        world.clock.move(minute)
        const { setCookies } = yield* browser.visit(Effect.asVoid(Effect.orDie(operation)), { cookie })
        expect([name, setCookies.map(maxAgeOf)]).toEqual([name, name === "flush" ? [0] : []])
        const after = yield* browser.visit(RequestContext.sessionId, { cookie })
        expect([name, after.value]).toEqual([name, Option.none()])
      }
    }))
]

const minute = 60_000

const middleware: ReadonlyArray<Row> = [
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

export const rows: ReadonlyArray<Row> = [...operations, ...middleware]
