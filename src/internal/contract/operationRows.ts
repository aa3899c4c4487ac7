/**
 * The rows about the operations on a session as a whole (C5 to C7, C9 to C12).
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { SessionStoreError } from "../../SessionError.js"
import { attributesOf, Count, failureOf, increment, Late, maxAgeOf, Other, User } from "./fixtures.js"
import { both, client, type Row, server } from "./row.js"
import { cookieOf } from "./world.js"

const minute = 60_000

export const rows: ReadonlyArray<Row> = [
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
