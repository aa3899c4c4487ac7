/**
 * Rows that hold only if they hold every time: many interleavings of what must not be lost or brought back.
 *
 * Each meeting that matters is brought about once, by a gate; after that chance decides. The requests pause for a number of
 * the store's own round trips, reads and writes, so that they meet at other points each time, on a store that answers at
 * once as on one across a network, and on one whose writes are slow. Which of them met is not asserted: a correct adapter
 * must not fail for its timing.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import * as SessionKey from "../../SessionKey.js"
import type { SessionStoreService } from "../../SessionStore.js"
import * as random from "../codec/random.js"
import { Count, increment, Late, Other, User } from "./fixtures.js"
import { long, type Row, server } from "./row.js"
import { cookieOf, type World } from "./world.js"

/** Hundreds stand in line at one record here; a machine that is starved of time is no failing store. */
export const patient = { storeTimeout: "2 minutes" } as const

/** How many races run side by side. */
const concurrency = 8

/** Waits as long as so many reads of the store take, and one more. */
const reads = (store: SessionStoreService, trips: number): Effect.Effect<void> =>
  Effect.repeatN(Effect.zipRight(Effect.yieldNow(), Effect.ignore(store.load([random.token()], Date.now()))), trips)

const nothingSet = { clear: false, set: new Map<string, string>(), remove: new Set<string>() }

/** Waits as long as two writes of the store take: a record that nobody looks for comes and goes. */
const twoWrites = (store: SessionStoreService): Effect.Effect<void> =>
  Effect.suspend(() =>
    store.save({
      base: undefined,
      patch: { ...nothingSet, expiry: undefined, maxBytes: store.config.maxSessionBytes },
      renew: false,
      ifVersion: undefined,
      owner: undefined
    }, Date.now())
  ).pipe(
    Effect.flatMap((saved) =>
      saved._tag === "Saved" ? store.end({ token: saved.token, session: undefined }, Date.now()) : Effect.void
    ),
    Effect.ignore
  )

/** Waits for reads, and in every eighth race for writes as well; each `salt` in an order of its own. */
const pause = (store: SessionStoreService, i: number, salt: number, most: number): Effect.Effect<void> =>
  Effect.zipRight(
    i % 8 === 0 ? Effect.forEach(Array.from({ length: vary(i, salt, 4) }), () => twoWrites(store)) : Effect.void,
    reads(store, vary(i, salt, most))
  )

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

/** Open once `self` has ended, however it did. */
const opening = (gate: Deferred.Deferred<void>) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.ensuring(self, Deferred.succeed(gate, undefined))

const begun = (world: World) =>
  Effect.gen(function*() {
    const browser = world.browser()
    yield* browser.visit(RequestContext.insert(User, "ada"))
    return { browser, token: browser.token() }
  })

// ── a logout and a slow writer ──

/** What each of the two waits for. */
interface Logout {
  readonly beforeLoad: Effect.Effect<void>
  readonly beforeWrite: Effect.Effect<void>
  readonly loaded: Deferred.Deferred<void>
  readonly beforeFlush: Effect.Effect<void>
  readonly flushed: Deferred.Deferred<void>
}

/** Logs out beside a slow writer, checks what became of both, and answers whether the writer knew the session. */
const logout = (world: World, at: Logout) =>
  Effect.gen(function*() {
    const { browser, token } = yield* begun(world)
    const [written, ended] = yield* Effect.all([
      browser.visit(
        Effect.gen(function*() {
          yield* at.beforeLoad
          const user = yield* opening(at.loaded)(RequestContext.get(User))
          yield* at.beforeWrite
          yield* RequestContext.insert(Late, "late")
          return user
        }),
        { keep: false }
      ),
      browser.visit(Effect.zipRight(at.beforeFlush, opening(at.flushed)(RequestContext.flush)), { keep: false })
    ], { concurrency: "unbounded" })
    expect([written.status, ended.status]).toEqual([200, 200])
    const old = yield* world.browser().visit(
      Effect.all([RequestContext.get(User), RequestContext.get(Late)]),
      { cookie: cookieOf(world, token) }
    )
    expect(old.value).toEqual([Option.none(), Option.none()])
    if (Option.isSome(written.value)) {
      // It knew the session: then it has no other to write to, and no cookie to send.
      expect(written.setCookies).toEqual([])
      return true
    }
    const [cookie] = written.setCookies
    expect(cookie).toBeDefined()
    expect(cookie).not.toContain(token)
    const other = yield* world.browser().visit(
      Effect.all([RequestContext.get(User), RequestContext.get(Late)]),
      { cookie: cookie.slice(0, cookie.indexOf(";")) }
    )
    expect(other.value).toEqual([Option.none(), Option.some("late")])
    return false
  })

// ── a renewal and parallel writes ──

const writeKeys = [1, 2, 3].map((n) => SessionKey.make(`write-${n}`, Schema.Int))

/** What each of them waits for; `beforeCommit` by the number of the writer. */
interface Renewal {
  readonly beforeLoad: Effect.Effect<void>
  readonly loaded: Deferred.Deferred<void>
  readonly beforeCommit: (writer: number) => Effect.Effect<void>
  readonly committed: Deferred.Deferred<void>
  /** the renewing request has loaded the session */
  readonly known: Deferred.Deferred<void>
  readonly beforeRenewal: Effect.Effect<void>
  readonly renewed: Deferred.Deferred<void>
}

/** Renews beside three writers, checks what became of all, and answers what each writer knew of its write. */
const renewal = (world: World, i: number, at: Renewal) =>
  Effect.gen(function*() {
    const { browser, token } = yield* begun(world)
    const cookie = cookieOf(world, token)
    const writers = writeKeys.map((key, n) =>
      browser.visit(
        Effect.gen(function*() {
          yield* at.beforeLoad
          const user = yield* opening(at.loaded)(RequestContext.get(User))
          yield* at.beforeCommit(n)
          yield* RequestContext.insert(key, i)
          // Saved now: whether the session is still this one is then to be seen.
          yield* opening(at.committed)(RequestContext.commit)
          const id = yield* RequestContext.sessionId
          return { knew: Option.isSome(user), acknowledged: Option.isSome(user) && Option.isSome(id) }
        }),
        { keep: false }
      )
    )
    const [renewed, ...writes] = yield* Effect.all([
      opening(at.renewed)(browser.visit(
        Effect.gen(function*() {
          yield* opening(at.known)(RequestContext.get(User))
          yield* RequestContext.renew
          yield* at.beforeRenewal
          yield* RequestContext.insert(Other, "renewed")
        })
      )),
      ...writers
    ], { concurrency: "unbounded" })
    expect(renewed.setCookies).toHaveLength(1)
    expect(browser.token()).not.toBe(token)
    const old = yield* world.browser().visit(RequestContext.get(User), { cookie })
    expect(old.value).toEqual(Option.none())
    const now = yield* browser.visit(Effect.all({
      user: RequestContext.get(User),
      other: RequestContext.get(Other),
      writes: Effect.forEach(writeKeys, RequestContext.get)
    }))
    expect(now.value.user).toEqual(Option.some("ada"))
    expect(now.value.other).toEqual(Option.some("renewed"))
    writes.forEach(({ setCookies, status, value }, n) => {
      expect(status).toBe(200)
      if (value.acknowledged) expect(now.value.writes[n]).toEqual(Option.some(i))
      // A write that the renewal had just copied is there, although its request looked too late to see that.
      else if (value.knew) expect(setCookies).toEqual([])
      else expect(now.value.writes[n]).toEqual(Option.none())
    })
    return writes.map(({ value }) => value)
  })

const gate = Deferred.make<void>()

export const rows: ReadonlyArray<Row> = [
  long(
    server(
      "S2: a slow writer never revives a session that was logged out, in many interleavings",
      (kit) =>
        Effect.gen(function*() {
          const world = yield* kit.world(patient)
          const { store } = world

          const gates = Effect.all({ loaded: gate, flushed: gate })

          // The logout has ended before the writer loads.
          const first = yield* gates
          const before = {
            beforeLoad: Deferred.await(first.flushed),
            beforeWrite: Effect.void,
            beforeFlush: Effect.void
          }
          expect(yield* logout(world, { ...first, ...before })).toBe(false)
          // It comes between the writer's load and its write.
          const second = yield* gates
          const between = {
            beforeLoad: Effect.void,
            beforeWrite: Deferred.await(second.flushed),
            beforeFlush: Deferred.await(second.loaded)
          }
          expect(yield* logout(world, { ...second, ...between })).toBe(true)

          yield* race(kit.sizes.interleavings, (i) =>
            Effect.flatMap(gates, (open) =>
              logout(world, {
                ...open,
                beforeLoad: pause(store, i, 1, 3),
                beforeWrite: pause(store, i, 2, 4),
                beforeFlush: pause(store, i, 3, 8)
              })))
        })
    )
  ),

  long(
    server(
      "C10: a renewal during parallel writes loses neither the session nor an acknowledged change, in many interleavings",
      (kit) =>
        Effect.gen(function*() {
          const world = yield* kit.world(patient)
          const { store } = world
          const gates = Effect.all({ loaded: gate, committed: gate, known: gate, renewed: gate })

          // A write comes after the renewal's load and before its end: it is copied.
          const first = yield* gates
          const copied = yield* renewal(world, -1, {
            ...first,
            beforeLoad: Deferred.await(first.known),
            beforeCommit: () => Effect.void,
            beforeRenewal: Deferred.await(first.committed)
          })
          expect(copied.some(({ acknowledged }) => acknowledged)).toBe(true)
          // The writers know the session, and write when it has its new id: they end quietly.
          const second = yield* gates
          const late = yield* renewal(world, -2, {
            ...second,
            beforeLoad: Effect.void,
            beforeCommit: () => Deferred.await(second.renewed),
            beforeRenewal: Deferred.await(second.loaded)
          })
          expect(late.some(({ acknowledged, knew }) => knew && !acknowledged)).toBe(true)
          // They come with the old cookie after all that: they start a session of their own.
          const third = yield* gates
          const unknown = yield* renewal(world, -3, {
            ...third,
            beforeLoad: Deferred.await(third.renewed),
            beforeCommit: () => Effect.void,
            beforeRenewal: Effect.void
          })
          expect(unknown.some(({ knew }) => knew)).toBe(false)

          yield* race(kit.sizes.interleavings, (i) =>
            Effect.flatMap(gates, (open) =>
              renewal(world, i, {
                ...open,
                beforeLoad: Effect.void,
                beforeCommit: (n) => pause(store, i, n + 4, 5),
                beforeRenewal: pause(store, i, 7, 5)
              })))
        })
    )
  ),

  long(
    server(
      "S3: when many parallel requests each insert another key, every key is kept",
      (kit) =>
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
        })
    )
  ),

  long(
    server(
      "C9: many parallel increments of one session by modify are all counted, and each returns another number",
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
