/**
 * Rows C13 to C15 as they hold on every store: keys with a default, the small operations, several keys as one object.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionSchemaError, SessionTooLarge } from "../../SessionError.js"
import * as SessionKey from "../../SessionKey.js"
import { failureOf, Other, User } from "./fixtures.js"
import { both, type Row, server } from "./row.js"
import { cookieOf } from "./world.js"

const Visits = SessionKey.make("visits", Schema.Int).withDefault(() => 0)
const Tags = SessionKey.make("tags", Schema.mutable(Schema.Array(Schema.String))).withDefault(() => [])
const StoredVisits = SessionKey.make("visits", Schema.Unknown)

/** What code that knows two more versions has written. */
const Newer = SessionKey.make("visits", Schema.Int, {
  from: SessionKey.previous(Schema.Int, (n) => n, { from: SessionKey.previous(Schema.Int, (n) => n) })
})
const Tolerant = SessionKey.make("visits", Schema.Int, { whenNewer: "absent" }).withDefault(() => -1)

const Settings = SessionKey.struct({ user: User, visits: Visits, tags: Tags })

const next = (n: number): number => n + 1

const defaults: ReadonlyArray<Row> = [
  both(
    "C13: reading a key with a default returns the stored value, or the default, and starts no session",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const first = yield* browser.visit(RequestContext.get(Visits))
        expect([first.value, first.setCookies, world.calls.save]).toEqual([0, [], 0])
        yield* browser.visit(RequestContext.insert(Visits, 3))
        expect((yield* browser.visit(RequestContext.get(Visits))).value).toBe(3)
        const removed = yield* browser.visit(Effect.all([RequestContext.remove(Visits), RequestContext.get(Visits)]))
        expect(removed.value).toEqual([Option.some(3), 0])
        const gone = yield* browser.visit(
          Effect.all([RequestContext.remove(Visits), RequestContext.get(Visits), RequestContext.keys])
        )
        expect(gone.value).toEqual([Option.none(), 0, []])
      })
  ),

  both(
    "C13: a default is made anew for each read, so that changing it changes nothing",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const { value } = yield* browser.visit(Effect.gen(function*() {
          const tags = yield* RequestContext.get(Tags)
          tags.push("mutated")
          return yield* RequestContext.get(Tags)
        }))
        expect(value).toEqual([])
      })
  ),

  both(
    "C13: modify and update give their function the default where there is no value",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const modify = RequestContext.modify(
          Visits,
          (n) => [`was ${n}`, n < 2 ? Option.some(n + 1) : Option.none()] as const
        )
        expect((yield* browser.visit(modify)).value).toBe("was 0")
        expect((yield* browser.visit(RequestContext.update(Visits, next))).value).toBe(2)
        expect((yield* browser.visit(modify)).value).toBe("was 2")
        expect((yield* browser.visit(Effect.all([RequestContext.get(Visits), RequestContext.has(Visits)]))).value)
          .toEqual(
            [0, false]
          )
      })
  ),

  both(
    "C13: a default does not stand in for a value that does not decode, but for one that reads as absent",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(RequestContext.insert(StoredVisits, "many"))
        const { exit } = yield* browser.visit(RequestContext.get(Visits))
        expect(failureOf(exit)).toBeInstanceOf(SessionSchemaError)
        yield* browser.visit(RequestContext.insert(Newer, 7))
        expect(failureOf((yield* browser.visit(RequestContext.get(Visits))).exit)).toBeInstanceOf(SessionSchemaError)
        expect((yield* browser.visit(RequestContext.get(Tolerant))).value).toBe(-1)
      })
  )
]

const small: ReadonlyArray<Row> = [
  both("C14: has says whether a value is stored, and decodes nothing", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      const Nullable = SessionKey.make("nullable", Schema.Null)
      const both = Effect.all([RequestContext.has(User), RequestContext.has(Nullable)])
      const absent = yield* browser.visit(both)
      expect([absent.value, absent.setCookies]).toEqual([[false, false], []])
      yield* browser.visit(Effect.zipRight(RequestContext.insert(User, "ada"), RequestContext.insert(Nullable, null)))
      const loads = world.calls.load
      expect((yield* browser.visit(both)).value).toEqual([true, true])
      expect(world.calls.load - loads).toBe(1)
      const removed = yield* browser.visit(Effect.zipRight(RequestContext.remove(User), RequestContext.has(User)))
      expect(removed.value).toBe(false)
      yield* browser.visit(RequestContext.insert(StoredVisits, "many"))
      expect((yield* browser.visit(RequestContext.has(Visits))).value).toBe(true)
      yield* browser.visit(RequestContext.insert(Newer, 7))
      const newer = yield* browser.visit(Effect.all([RequestContext.has(Visits), RequestContext.has(Tolerant)]))
      expect(newer.value).toEqual([true, false])
    })),

  server("C14: has loads nothing for a key that the request itself has set", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const loads = world.calls.load
      const { value } = yield* browser.visit(
        Effect.zipRight(RequestContext.insert(Other, "x"), RequestContext.has(Other))
      )
      expect([value, world.calls.load - loads]).toEqual([true, 0])
    })),

  both("C14: update computes the new value from what get returns, and returns it", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      const shout = RequestContext.update(User, Option.match({ onNone: () => "ada", onSome: (name) => `${name}!` }))
      expect((yield* browser.visit(shout)).value).toBe("ada")
      expect((yield* browser.visit(shout)).value).toBe("ada!")
      expect((yield* browser.visit(RequestContext.get(User))).value).toEqual(Option.some("ada!"))
    })),

  server("C14: parallel updates lose nothing, and a later 5xx does not undo them", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(RequestContext.insert(User, "ada"))
      const cookie = cookieOf(world, browser.token())
      const count = 25
      const updates = Array.from({ length: count }, () =>
        browser.visit(RequestContext.update(Visits, next), { cookie, status: 500 }))
      const visits = yield* Effect.all(updates, { concurrency: "unbounded" })
      expect(
        visits.map(({ value }) =>
          value
        ).sort((a, b) => a - b)
      ).toEqual(updates.map((_, i) => i + 1))
      expect((yield* browser.visit(RequestContext.get(Visits))).value).toBe(count)
    }))
]

const structs: ReadonlyArray<Row> = [
  both(
    "C15: getStruct returns for each property what get returns for its key, with one load",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const absent = yield* browser.visit(RequestContext.getStruct(Settings))
        expect([absent.value, absent.setCookies]).toEqual([{ user: Option.none(), visits: 0, tags: [] }, []])
        yield* browser.visit(Effect.zipRight(RequestContext.insert(User, "ada"), RequestContext.insert(Tags, ["tea"])))
        const loads = world.calls.load
        const { value } = yield* browser.visit(RequestContext.getStruct(Settings))
        expect(value).toEqual({ user: Option.some("ada"), visits: 0, tags: ["tea"] })
        expect(world.calls.load - loads).toBe(1)
      })
  ),

  both("C15: a patch sets and removes what it names, and leaves the rest as it is", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world()).browser()
      yield* browser.visit(Effect.gen(function*() {
        yield* RequestContext.patch(Settings, { user: Option.some("ada"), visits: 2 })
        yield* RequestContext.insert(Other, "other")
        expect(yield* RequestContext.getStruct(Settings)).toEqual({ user: Option.some("ada"), visits: 2, tags: [] })
      }))
      yield* browser.visit(RequestContext.patch(Settings, { user: Option.none(), tags: ["tea"], visits: undefined }))
      const { value } = yield* browser.visit(
        Effect.all([RequestContext.getStruct(Settings), RequestContext.get(Other)])
      )
      expect(value).toEqual([{ user: Option.none(), visits: 2, tags: ["tea"] }, Option.some("other")])
    })),

  both("C15: a patch that only removes, or names nothing, starts no session", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      for (const changes of [{}, { user: Option.none() }, { visits: undefined }]) {
        const { setCookies, status } = yield* world.browser().visit(RequestContext.patch(Settings, changes))
        expect([status, setCookies]).toEqual([200, []])
      }
      expect(world.calls.save).toBe(0)
    })),

  both(
    "C15: a patch of which one value does not encode, or that does not fit, changes nothing",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world({ maxSessionBytes: 1000 })).browser()
        const Large = SessionKey.struct({ other: Other, user: User, visits: Visits })
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const large = "x".repeat(kit.kind === "client" ? 3_500 : 900)
        const { value } = yield* browser.visit(Effect.gen(function*() {
          yield* RequestContext.get(User)
          yield* RequestContext.insert(Other, "pending")
          const errors = []
          for (const visits of [1.5, 1]) {
            const changes = { other: Option.some(large), user: Option.some(visits === 1 ? large : "eve"), visits }
            errors.push(failureOf(yield* Effect.exit(RequestContext.patch(Large, changes))))
          }
          const now = yield* RequestContext.getStruct(Large)
          yield* RequestContext.insert(Visits, 5) // what was refused does not count on
          yield* RequestContext.remove(Visits)
          return { errors, now }
        }))
        const [encoding, size] = value.errors
        expect(encoding).toBeInstanceOf(SessionSchemaError)
        expect(encoding).toMatchObject({ key: "visits", direction: "encode" })
        expect(size).toBeInstanceOf(SessionTooLarge)
        expect(value.now).toEqual({ other: Option.some("pending"), user: Option.some("ada"), visits: 0 })
        const after = yield* browser.visit(RequestContext.getStruct(Large))
        expect(after.value).toEqual(value.now)
      })
  ),

  both("C15: what a patch removes makes room for what it sets", (kit) =>
    Effect.gen(function*() {
      const browser = (yield* kit.world({ maxSessionBytes: 1000 })).browser()
      const large = "x".repeat(kit.kind === "client" ? 2_000 : 800)
      const Two = SessionKey.struct({ other: Other, user: User })
      yield* browser.visit(RequestContext.insert(User, large))
      const { status } = yield* browser.visit(
        Effect.zipRight(
          RequestContext.get(User),
          RequestContext.patch(Two, { other: Option.some(large), user: Option.none() })
        )
      )
      expect(status).toBe(200)
      expect((yield* browser.visit(RequestContext.getStruct(Two))).value).toEqual({
        other: Option.some(large),
        user: Option.none()
      })
    })),

  server(
    "C15: a patch loads nothing, and a whole object that was read and patched overwrites no other request's change",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(RequestContext.patch(Settings, { user: Option.some("ada"), visits: 1, tags: ["tea"] }))
        const { load, save } = world.calls
        yield* browser.visit(RequestContext.patch(Settings, { visits: 2, user: Option.none() }))
        expect([world.calls.load - load, world.calls.save - save]).toEqual([0, 1])
        yield* browser.visit(Effect.gen(function*() {
          const settings = yield* RequestContext.getStruct(Settings)
          yield* browser.visit(RequestContext.insert(Tags, ["milk"]))
          yield* RequestContext.patch(Settings, { ...settings, visits: 3 })
        }))
        expect((yield* browser.visit(RequestContext.getStruct(Settings))).value).toEqual({
          user: Option.none(),
          visits: 3,
          tags: ["milk"]
        })
      })
  )
]

export const rows: ReadonlyArray<Row> = [...defaults, ...small, ...structs]
