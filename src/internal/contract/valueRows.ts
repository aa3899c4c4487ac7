/**
 * The rows about values and keys (C1 to C4, C8): what goes into a session and what comes out of it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionSchemaError } from "../../SessionError.js"
import * as SessionKey from "../../SessionKey.js"
import { awkwardNames, failureOf, Late, Other, User } from "./fixtures.js"
import { both, client, type Row, server } from "./row.js"

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

export const rows: ReadonlyArray<Row> = [
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
  )
]
