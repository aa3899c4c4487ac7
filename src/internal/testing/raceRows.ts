/**
 * Rows that hold only if they hold every time: many interleavings of what must not be lost or brought back.
 *
 * Each pauses for a number of the store's own round trips, so that the requests meet at other points each time, on a store
 * that answers at once as on one across a network.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import * as SessionKey from "../../SessionKey.js"
import type { SessionStoreService } from "../../SessionStore.js"
import * as random from "../random.js"
import { Count, increment, Late, Other, User } from "./operationRows.js"
import { long, type Row, server } from "./row.js"
import { cookieOf, type World } from "./world.js"

/** Hundreds stand in line at one record here; a machine that is starved of time is no failing store. */
export const patient = { storeTimeout: "2 minutes" } as const

/** How many races run side by side. */
const concurrency = 8

/** Waits as long as so many reads of the store take. */
const pause = (store: SessionStoreService, trips: number): Effect.Effect<void> =>
  Effect.repeatN(Effect.zipRight(Effect.yieldNow(), Effect.ignore(store.load([random.token()], Date.now()))), trips)

/** Lets timers and sockets have their turn: fibers yield to fibers only. */
const breathe: Effect.Effect<void> = Effect.async((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Each in an event-loop turn of its own, some side by side. */
const race = <E, R>(times: number, run: (i: number) => Effect.Effect<void, E, R>) =>
  Effect.forEach(Array.from({ length: times }, (_, i) => i), (i) => Effect.zipRight(breathe, run(i)), {
    concurrency,
    discard: true
  })

/** 0, 1, 2, … up to below `most`, in an order that repeats itself but not soon. */
const vary = (i: number, salt: number, most: number): number => ((i * 7919 + salt * 104_729) >>> 3) % most

const begun = (world: World) =>
  Effect.gen(function*() {
    const browser = world.browser()
    yield* browser.visit(RequestContext.insert(User, "ada"))
    return { browser, token: browser.token() }
  })

export const rows: ReadonlyArray<Row> = [
  long(server("S2: many interleavings of logout against a slow writer revive nothing", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world(patient)
      const { interleavings } = kit.sizes
      const met = { before: 0, between: 0, after: 0 }
      yield* race(interleavings, (i) =>
        Effect.gen(function*() {
          const { browser, token } = yield* begun(world)
          const [written, flushed] = yield* Effect.all([
            browser.visit(
              Effect.gen(function*() {
                yield* pause(world.store, vary(i, 1, 3))
                const user = yield* RequestContext.get(User)
                yield* pause(world.store, vary(i, 2, 4))
                yield* RequestContext.insert(Late, "late")
                return user
              }),
              { keep: false }
            ),
            browser.visit(Effect.zipRight(pause(world.store, vary(i, 3, 8)), RequestContext.flush), { keep: false })
          ], { concurrency: "unbounded" })
          expect([written.status, flushed.status]).toEqual([200, 200])
          const old = yield* world.browser().visit(
            Effect.all([RequestContext.get(User), RequestContext.get(Late)]),
            { cookie: cookieOf(world, token) }
          )
          expect(old.value).toEqual([Option.none(), Option.none()])
          if (Option.isSome(written.value)) {
            // It knew the session: then it has no other to write to, and no cookie to send.
            expect(written.setCookies).toEqual([])
            met.between += 1
          } else {
            const [cookie] = written.setCookies
            expect(cookie).toBeDefined()
            expect(cookie).not.toContain(token)
            const other = yield* world.browser().visit(
              Effect.all([RequestContext.get(User), RequestContext.get(Late)]),
              { cookie: cookie.slice(0, cookie.indexOf(";")) }
            )
            expect(other.value).toEqual([Option.none(), Option.some("late")])
            met.before += 1
          }
        }))
      // Both kinds of meeting did happen: else nothing was tried.
      if (interleavings >= 100) {
        expect(met.before).toBeGreaterThan(0)
        expect(met.between).toBeGreaterThan(0)
      }
    }))),

  long(
    server(
      "C10: many interleavings of renew against parallel writes lose no session and nothing acknowledged",
      (kit) =>
        Effect.gen(function*() {
          const keys = [1, 2, 3].map((n) => SessionKey.make(`write-${n}`, Schema.Int))
          const world = yield* kit.world(patient)
          const { interleavings } = kit.sizes
          const met = { copied: 0, late: 0 }
          yield* race(interleavings, (i) =>
            Effect.gen(function*() {
              const { browser, token } = yield* begun(world)
              const cookie = cookieOf(world, token)
              const writers = keys.map((key, n) =>
                browser.visit(
                  Effect.gen(function*() {
                    const user = yield* RequestContext.get(User)
                    yield* pause(world.store, vary(i, n + 4, 5))
                    yield* RequestContext.insert(key, i)
                    // Saved now: whether the session is still this one is then to be seen.
                    yield* RequestContext.commit
                    const id = yield* RequestContext.sessionId
                    return { knew: Option.isSome(user), acknowledged: Option.isSome(user) && Option.isSome(id) }
                  }),
                  { keep: false }
                )
              )
              const [renewed, ...written] = yield* Effect.all([
                browser.visit(
                  Effect.gen(function*() {
                    yield* RequestContext.get(User)
                    yield* RequestContext.renew
                    yield* pause(world.store, vary(i, 7, 5))
                    yield* RequestContext.insert(Other, "renewed")
                  })
                ),
                ...writers
              ], { concurrency: "unbounded" })
              expect(renewed.setCookies).toHaveLength(1)
              expect(browser.token()).not.toBe(token)
              const old = yield* world.browser().visit(RequestContext.get(User), { cookie })
              expect(old.value).toEqual(Option.none())
              const now = yield* browser.visit(Effect.all({
                user: RequestContext.get(User),
                other: RequestContext.get(Other),
                writes: Effect.forEach(keys, RequestContext.get)
              }))
              expect(now.value.user).toEqual(Option.some("ada"))
              expect(now.value.other).toEqual(Option.some("renewed"))
              written.forEach(({ setCookies, status, value }, n) => {
                expect(status).toBe(200)
                if (value.acknowledged) {
                  expect(now.value.writes[n]).toEqual(Option.some(i))
                  met.copied += 1
                } else {
                  // A write that the renewal had just copied is there, although its request looked too late to see that.
                  if (value.knew) expect(setCookies).toEqual([])
                  else expect(now.value.writes[n]).toEqual(Option.none())
                  met.late += 1
                }
              })
            }))
          if (interleavings >= 100) {
            expect(met.copied).toBeGreaterThan(0)
            expect(met.late).toBeGreaterThan(0)
          }
        })
    )
  ),

  long(
    server("S3: many parallel requests that each insert another key keep all of them", (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world(patient)
        const { browser } = yield* begun(world)
        const keys = Array.from({ length: kit.sizes.inserts }, (_, i) => SessionKey.make(`key ${i}`, Schema.Int))
        const all = yield* Effect.forEach(keys, (key, i) =>
          browser.visit(
            // half of them load first
            Effect.zipRight(i % 2 === 0 ? Effect.void : RequestContext.get(User), RequestContext.insert(key, i))
          ), { concurrency: "unbounded" })
        for (const { setCookies, status } of all) expect([status, setCookies]).toEqual([200, []])
        const { value } = yield* browser.visit(Effect.forEach(keys, RequestContext.get))
        expect(value).toEqual(keys.map((_, i) => Option.some(i)))
      }))
  ),

  long(
    server(
      "C9: many parallel modify increments on one session lose none, and all answers differ",
      (kit) =>
        Effect.gen(function*() {
          const { increments } = kit.sizes
          const world = yield* kit.world(patient)
          const { browser } = yield* begun(world)
          const answers = yield* Effect.forEach(
            Array.from({ length: increments }),
            (_, i) => browser.visit(i % 2 === 0 ? increment : Effect.zipRight(RequestContext.get(User), increment)),
            { concurrency: "unbounded" }
          )
          expect(
            new Set(answers.map(({ value }) => value)).size
          ).toBe(increments)
          const { value } = yield* browser.visit(RequestContext.get(Count))
          expect(value).toEqual(Option.some(increments))
        })
    )
  )
]
