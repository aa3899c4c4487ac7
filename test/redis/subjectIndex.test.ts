import { expect, it } from "@effect/vitest"
import type { SubjectBound } from "effect-session/SessionBackend"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Redis } from "ioredis"
import * as Scripts from "../../src/internal/redis/scripts.js"
import { describeWith, redis } from "../services.js"
import {
  adapter,
  adapterOver,
  type Call,
  hour,
  isThere,
  keysOf,
  newId,
  now,
  own,
  owned,
  patch,
  session,
  stored,
  times,
  watched
} from "./kit.js"

const grace = 60_000

const evictOldest = (max: number): SubjectBound => ({ max, whenFull: "evict-oldest" })
const refuse = (max: number): SubjectBound => ({ max, whenFull: "refuse" })

const isScript = (call: Call, script: Scripts.Script) =>
  call.command === "EVALSHA" ? call.args[0] === script.sha : call.command === "EVAL" && call.args[0] === script.source

/** How many of the keys hold a session, all counted at one moment. */
const liveCount = (client: Redis, keys: ReadonlyArray<string>) =>
  client.eval(
    `local n = 0
     for i = 1, #KEYS do
       local s = redis.call('HGET', KEYS[i], 's')
       if s and s ~= '0' then n = n + 1 end
     end
     return n`,
    keys.length,
    ...keys
  ) as Promise<number>

const indexKeyOf = (client: Redis, prefix: string) =>
  Effect.map(Effect.promise(() => keysOf(client, `${prefix}subject:`)), (keys) => keys[0])

describeWith(redis, "Redis: the index of a subject's sessions", () => {
  for (const whenFull of ["evict-oldest", "refuse"] as const) {
    it.scopedLive(`S8: 50 parallel sign-ins through two clients never exceed the bound at any moment (${whenFull})`, () =>
      Effect.gen(function*() {
        const { client, prefix, ...first } = yield* own
        const second = yield* adapter({ redis: { url: redis.url }, prefix })
        for (const max of [1, 5]) {
          const subject = `ada ${max}`
          const ids = Array.from({ length: 50 }, newId)
          let most = 0
          const look = Effect.promise(async () => {
            most = Math.max(most, await liveCount(client, ids.map((id) => prefix + id)))
          })
          const watching = yield* Effect.fork(Effect.forever(look))
          const answers = yield* Effect.forEach(
            ids,
            (id, i) =>
              (i % 2 === 0 ? first : second).index.insert(
                id,
                owned(subject, times({ createdAt: now + i })),
                now + 50,
                { max, whenFull }
              ),
            { concurrency: "unbounded" }
          )
          yield* Fiber.interrupt(watching)
          yield* look
          expect(most).toBe(max)
          const listed = yield* first.index.list(subject, now + 50)
          expect(listed).toHaveLength(max)
          const live = yield* Effect.filter(ids, (id) => isThere(first.backend, id, now + 50))
          expect(listed.map(({ id }) => id).sort()).toEqual([...live].sort())
          const inserted = answers.filter((answer) => answer === "Inserted").length
          expect(inserted).toBe(whenFull === "refuse" ? max : 50)
        }
      }))
  }

  it.scopedLive(
    "S8: a sign-in that is cut off at any command leaves no record that list does not return, and later sign-ins are counted correctly",
    () =>
      Effect.gen(function*() {
        const { client, prefix, ...plain } = yield* own
        for (const bound of [undefined, evictOldest(2), refuse(3)]) {
          for (const where of ["before", "after"] as const) {
            for (let nth = 0;; nth++) {
              const subject = `ada ${nth} ${where} ${bound?.whenFull ?? "unbounded"}`
              const old: Array<string> = []
              for (let i = 0; i < 2; i++) {
                const id = newId()
                old.push(id)
                yield* plain.index.insert(id, owned(subject, times({ createdAt: now - 10 + i })), now, undefined)
              }
              let seen = 0
              const cut = () => seen++ === nth ? Promise.reject(new Error("connection lost")) : undefined
              const cutting = yield* adapterOver(watched(client, [], { [where]: cut }), prefix)
              const id = newId()
              const exit = yield* Effect.exit(cutting.index.insert(id, owned(subject), now, bound))
              if (seen <= nth) break // it has no such command
              const all = [...old, id]
              const live = yield* Effect.filter(all, (id) => isThere(plain.backend, id))
              const known = (yield* plain.index.list(subject, now)).map((entry) => entry.id)
              expect([...known].sort()).toEqual([...live].sort())
              if (bound !== undefined) expect(live.length).toBeLessThanOrEqual(bound.max)
              if (Exit.isSuccess(exit)) expect(live).toContain(id)
              // once no insert can be under way every place is there again, and no more
              const later = now + grace
              let answer = "Inserted"
              for (let i = 0; i < 4 && answer === "Inserted"; i++) {
                answer = yield* plain.index.insert(newId(), owned(subject), later, refuse(3))
              }
              expect(answer).toBe("Full")
              expect(yield* plain.index.list(subject, later)).toHaveLength(3)
            }
          }
        }
      }),
    60_000
  )

  it.scopedLive("S8: an insert in progress keeps its place, and no other sign-in gets that place", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const reached = yield* Deferred.make<void>()
      const resume = yield* Deferred.make<void>()
      const slow = yield* adapterOver(
        watched(client, [], {
          before: (call) => {
            if (!isScript(call, Scripts.insert)) return undefined
            Effect.runSync(Deferred.succeed(reached, undefined))
            return Effect.runPromise(Deferred.await(resume))
          }
        }),
        prefix
      )
      const id = newId()
      const fiber = yield* Effect.fork(slow.index.insert(id, owned("ada"), now, refuse(1)))
      yield* Deferred.await(reached)
      expect(yield* plain.index.list("ada", now + 1_000)).toEqual([])
      expect(yield* plain.index.insert(newId(), owned("ada"), now + 1_000, refuse(1))).toBe("Full")
      expect(yield* plain.index.list("ada", now - 1_000)).toEqual([])
      yield* Deferred.succeed(resume, undefined)
      expect(yield* Fiber.join(fiber)).toBe("Inserted")
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toEqual([id])
      // it has been settled: removed, its place is free at once, although nobody told the index
      yield* plain.backend.remove(id, undefined, now)
      expect(yield* plain.index.insert(newId(), owned("ada"), now, refuse(1))).toBe("Inserted")
    }))

  it.scopedLive("S8: a session that is evicted before its insert arrives is never created", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const reached = yield* Deferred.make<void>()
      const resume = yield* Deferred.make<void>()
      const slow = yield* adapterOver(
        watched(client, [], {
          before: (call) => {
            if (!isScript(call, Scripts.insert)) return undefined
            Effect.runSync(Deferred.succeed(reached, undefined))
            return Effect.runPromise(Deferred.await(resume))
          }
        }),
        prefix
      )
      const [late, quick] = [newId(), newId()]
      const fiber = yield* Effect.fork(slow.index.insert(late, owned("ada"), now, evictOldest(1)))
      yield* Deferred.await(reached)
      expect(yield* plain.index.insert(quick, owned("ada", times({ createdAt: now + 1 })), now + 1, evictOldest(1)))
        .toBe("Inserted")
      yield* Deferred.succeed(resume, undefined)
      expect(yield* Fiber.join(fiber)).toBe("Inserted")
      expect((yield* plain.index.list("ada", now + 1)).map((entry) => entry.id)).toEqual([quick])
      // what stands in its place is no session to anybody, and goes away by itself
      expect(yield* isThere(plain.backend, late)).toBe(false)
      expect(yield* plain.backend.update(late, patch({ a: "1" }), now)).toEqual({ _tag: "Missing" })
      expect(yield* plain.backend.remove(late, undefined, now)).toBe("missing")
      const left = yield* Effect.promise(() => client.pttl(prefix + late))
      expect(left).toBeGreaterThan(grace)
      expect(left).toBeLessThan(hour)
    }))

  it.scopedLive("S8: when a sign-in is cut off before it evicts a session that it has marked, the next sign-in evicts that session", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const old = newId()
      yield* plain.index.insert(old, owned("ada"), now, undefined)
      const cut = yield* adapterOver(
        watched(client, [], {
          before: (call) => isScript(call, Scripts.evict) ? Promise.reject(new Error("connection lost")) : undefined
        }),
        prefix
      )
      expect(Exit.isFailure(yield* Effect.exit(cut.index.insert(newId(), owned("ada"), now, evictOldest(1))))).toBe(
        true
      )
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toEqual([old])
      const next = newId()
      expect(yield* plain.index.insert(next, owned("ada"), now + grace, evictOldest(2))).toBe("Inserted")
      expect(yield* isThere(plain.backend, old)).toBe(false)
      expect((yield* plain.index.list("ada", now + grace)).map((entry) => entry.id)).toEqual([next])
    }))

  it.scopedLive("S8: of two sessions that were created at the same time, the one whose insert is still in progress counts as the younger", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const unsettled = yield* adapterOver(
        watched(client, [], {
          before: (call) => isScript(call, Scripts.settle) ? Promise.reject(new Error("connection lost")) : undefined
        }),
        prefix
      )
      for (let i = 0; i < 8; i++) {
        const [old, renewed, next] = [newId(), newId(), newId()]
        const subject = `ada ${i}`
        yield* plain.index.insert(old, owned(subject), now, undefined)
        expect(yield* unsettled.index.insert(renewed, owned(subject), now, undefined)).toBe("Inserted")
        yield* plain.index.insert(next, owned(subject, times({ createdAt: now })), now, evictOldest(2))
        expect((yield* plain.index.list(subject, now)).map((entry) => entry.id)).toEqual([renewed, next])
      }
    }))

  it.scopedLive("S8: a record of another subject, or without a subject, is not listed, not counted and not evicted", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const [bobs, nobodys, adas] = [newId(), newId(), newId()]
      yield* plain.index.insert(bobs, owned("bob"), now, undefined)
      yield* plain.backend.insert(nobodys, session(), now)
      yield* plain.index.insert(adas, owned("ada"), now, undefined)
      const key = (yield* Effect.promise(async () => {
        for (const key of await keysOf(client, `${prefix}subject:`)) if (await client.hexists(key, adas)) return key
        return undefined
      }))!
      const enter = (value: string) => Effect.promise(() => client.hset(key, bobs, value, nobodys, value))
      yield* enter(`1 ${now}`)
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toEqual([adas])
      expect(yield* Effect.promise(() => client.hlen(key))).toBe(1)
      yield* enter(`1 ${now}`)
      expect(yield* plain.index.insert(newId(), owned("ada"), now, refuse(2))).toBe("Inserted")
      yield* enter(`1 ${now} x`) // condemned by whatever mistake
      expect(yield* plain.index.insert(newId(), owned("ada"), now, evictOldest(2))).toBe("Inserted")
      expect(yield* isThere(plain.backend, bobs)).toBe(true)
      expect(yield* isThere(plain.backend, nobodys)).toBe(true)
      expect((yield* plain.index.list("bob", now)).map((entry) => entry.id)).toEqual([bobs])
    }))

  it.scopedLive("S8: the index lives as long as its longest session, also after refreshes, and then expires", () =>
    Effect.gen(function*() {
      const { backend, client, index, prefix } = yield* own
      const id = newId()
      yield* index.insert(id, owned("ada", times({ expiresAt: now + 5 * hour })), now, undefined)
      const key = yield* indexKeyOf(client, prefix)
      const left = Effect.promise(() => client.pttl(key))
      const first = yield* left
      expect(first).toBeGreaterThan(yield* Effect.promise(() => client.pttl(prefix + id)))
      yield* index.insert(newId(), owned("ada", times({ expiresAt: now + 1 })), now, undefined)
      expect(yield* left).toBeGreaterThan(first - 10_000)
      const later = times({ expiresAt: now + 100 * hour })
      yield* backend.update(id, patch({}, { expiry: later }), now)
      expect(yield* left).toBeGreaterThan(100 * hour)
      yield* backend.update(id, patch({}, { expiry: times({ expiresAt: now + 1 }) }), now)
      expect(yield* left).toBeGreaterThan(100 * hour)
      // an index that was lost knows the session again from its next refresh on
      yield* backend.update(id, patch({}, { expiry: later }), now)
      yield* Effect.promise(() => client.del(key))
      expect(yield* index.list("ada", now)).toEqual([])
      yield* backend.update(id, patch({ a: "1" }, { expiry: later }), now)
      expect((yield* index.list("ada", now)).map((entry) => entry.id)).toEqual([id])
      expect(yield* left).toBeGreaterThan(100 * hour)
    }))

  it.scopedLive("S8: a refresh is saved even if the index cannot be reached", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const id = newId()
      yield* plain.index.insert(id, owned("ada"), now, undefined)
      const cut = yield* adapterOver(
        watched(client, [], {
          before: (call) => isScript(call, Scripts.keep) ? Promise.reject(new Error("connection lost")) : undefined
        }),
        prefix
      )
      const expiry = times({ expiresAt: now + 2 * hour })
      expect(yield* cut.backend.update(id, patch({}, { expiry }), now)).toEqual({ _tag: "Updated", version: 2, expiry })
      expect((yield* stored(plain.backend, id)).expiresAt).toBe(now + 2 * hour)
    }))

  it.scopedLive("S8: an index without a bound does not grow with sessions that are gone", () =>
    Effect.gen(function*() {
      const { backend, client, index, prefix } = yield* own
      const stays = newId()
      yield* index.insert(stays, owned("ada"), now, undefined)
      for (let i = 0; i < 300; i++) {
        const id = newId()
        yield* index.insert(id, owned("ada"), now, undefined)
        yield* backend.remove(id, undefined, now)
      }
      const key = yield* indexKeyOf(client, prefix)
      expect(yield* Effect.promise(() => client.hlen(key))).toBeLessThan(60)
      expect((yield* index.list("ada", now)).map((entry) => entry.id)).toEqual([stays])
      expect(yield* Effect.promise(() => client.hlen(key))).toBe(1)
    }))

  it.scopedLive("S8: entries that cannot be read are ignored, and a key that is not an index causes a typed failure", () =>
    Effect.gen(function*() {
      const { client, index, prefix } = yield* own
      const id = newId()
      yield* index.insert(id, owned("ada"), now, undefined)
      const key = yield* indexKeyOf(client, prefix)
      yield* Effect.promise(() => client.hset(key, id, "", newId(), "x y z", "", "1", newId(), "nan nan x"))
      expect((yield* index.list("ada", now)).map((entry) => entry.id)).toEqual([id])
      yield* Effect.promise(() => client.hset(key, id, "", newId(), "x y z", "", "1", newId(), "nan nan x"))
      const next = newId()
      expect(yield* index.insert(next, owned("ada"), now, evictOldest(1))).toBe("Inserted")
      expect((yield* index.list("ada", now)).map((entry) => entry.id)).toEqual([next])
      yield* Effect.promise(() => client.set(key, "text"))
      for (
        const effect of [
          index.list("ada", now),
          index.insert(newId(), owned("ada"), now, refuse(9)),
          index.forget("ada", id)
        ]
      ) {
        const error = yield* Effect.flip(effect as Effect.Effect<unknown, { readonly detail: unknown }>)
        expect(error).toMatchObject({ _tag: "SessionStoreError", reason: "Unavailable" })
        expect(error.detail).toMatch(/WRONGTYPE/)
      }
    }))

  it.scopedLive("S6: a record that cannot be read takes no place under the bound, and a record of a newer format takes one", () =>
    Effect.gen(function*() {
      const { client, index, prefix } = yield* own
      const id = newId()
      yield* index.insert(id, owned("ada"), now, refuse(1))
      yield* Effect.promise(() => client.hset(prefix + id, "s", "2 whatever"))
      expect(yield* index.insert(newId(), owned("ada"), now, refuse(1))).toBe("Full")
      expect(yield* index.list("ada", now)).toEqual([])
      yield* Effect.promise(() => client.hset(prefix + id, "s", "whatever"))
      expect(yield* index.list("ada", now)).toEqual([])
      expect(yield* index.insert(newId(), owned("ada"), now, refuse(1))).toBe("Inserted")
    }))

  it.scopedLive("S8: with a bound of 0, every sign-in returns Full", () =>
    Effect.gen(function*() {
      const { index } = yield* own
      expect(yield* index.insert(newId(), owned("ada"), now, evictOldest(0))).toBe("Full")
    }))

  it.scopedLive("S2: a session that is renewed between the read of the index and that of its record is listed", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      for (const settles of [true, false]) {
        const subject = `ada ${settles}`
        let current = newId()
        let renewals = 0
        const renewer = settles ? plain : yield* adapterOver(
          watched(client, [], {
            before: (call) => isScript(call, Scripts.settle) ? Promise.reject(new Error("connection lost")) : undefined
          }),
          prefix
        )
        yield* renewer.index.insert(current, owned(subject), now, undefined)
        const renewing = yield* adapterOver(
          watched(client, [], {
            before: (call) => {
              if (call.command !== "HMGET" || renewals === (settles ? 5 : 1)) return undefined
              renewals++
              const next = newId()
              return Effect.runPromise(Effect.gen(function*() {
                yield* renewer.index.insert(next, owned(subject), now, undefined)
                expect(yield* plain.backend.remove(current, 1, now)).toBe("removed")
                yield* plain.index.forget(subject, current)
                current = next
              }))
            }
          }),
          prefix
        )
        expect((yield* renewing.index.list(subject, now)).map((entry) => entry.id)).toEqual([current])
        expect(renewals).toBe(settles ? 5 : 1)
      }
    }))

  it.scopedLive("S2: a list whose sessions are renewed again and again fails instead of leaving them out", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      let current = newId()
      yield* plain.index.insert(current, owned("ada"), now, undefined)
      const renewing = yield* adapterOver(
        watched(client, [], {
          before: (call) => {
            if (call.command !== "HMGET" || call.args[0] !== prefix + current) return undefined
            const next = newId()
            return Effect.runPromise(Effect.gen(function*() {
              yield* plain.index.insert(next, owned("ada"), now, undefined)
              yield* plain.backend.remove(current, 1, now)
              current = next
            }))
          }
        }),
        prefix
      )
      expect(yield* Effect.flip(renewing.index.list("ada", now))).toMatchObject({
        operation: "list",
        reason: "Contention"
      })
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toEqual([current])
    }))

  it.scopedLive("S8: list loads no data of the sessions", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const id = newId()
      yield* plain.index.insert(id, owned("ada", { data: new Map([["big", "x".repeat(100_000)]]) }), now, undefined)
      const calls: Array<Call> = []
      const { index } = yield* adapterOver(watched(client, calls), prefix)
      const [{ session: listed }] = yield* index.list("ada", now)
      const { data: _data, ...expected } = yield* stored(plain.backend, id)
      expect(listed).toEqual(expected)
      expect(calls.filter(({ args }) => args[0] === prefix + id)).toEqual([
        { command: "HMGET", args: [prefix + id, "s", "o", "a"] }
      ])
    }))

  it.scopedLive("S4: a process whose clock is ahead does not forget a session that is live by the clocks of the others", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const id = newId()
      const ahead = now + hour / 2
      yield* plain.index.insert(id, owned("ada", times({ expiresAt: ahead })), now, undefined)
      expect(yield* plain.index.list("ada", ahead)).toEqual([])
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toEqual([id])
      // many sign-ins without a bound look for dead entries
      for (let i = 0; i < 40; i++) yield* plain.index.insert(newId(), owned("ada"), ahead, undefined)
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toContain(id)
    }))

  it.scopedLive("S8: a sign-in that takes the place of an expired session removes that session first, so the bound is never exceeded", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const ahead = now + hour / 2
      for (const bound of [refuse(1), evictOldest(1)]) {
        const subject = `ada ${bound.whenFull}`
        const [old, next] = [newId(), newId()]
        yield* plain.index.insert(old, owned(subject, times({ expiresAt: ahead })), now, bound)
        expect(yield* plain.index.insert(next, owned(subject), ahead, bound)).toBe("Inserted")
        expect(yield* isThere(plain.backend, old)).toBe(false)
        expect((yield* plain.index.list(subject, now)).map((entry) => entry.id)).toEqual([next])
      }
      // one that a process with a slower clock refreshes at the last moment keeps its place
      const old = newId()
      yield* plain.index.insert(old, owned("bob", times({ expiresAt: ahead })), now, refuse(1))
      const refreshing = yield* adapterOver(
        watched(client, [], {
          before: (call) =>
            isScript(call, Scripts.remove)
              ? Effect.runPromise(
                plain.backend.update(old, patch({}, { expiry: times({ expiresAt: ahead + hour }) }), now)
              )
              : undefined
        }),
        prefix
      )
      expect(yield* refreshing.index.insert(newId(), owned("bob"), ahead, refuse(1))).toBe("Full")
      expect((yield* plain.index.list("bob", ahead)).map((entry) => entry.id)).toEqual([old])
    }))

  it.scopedLive("S8: a late insert that a process with a fast clock has given up on is indexed when it arrives, or is refused if its place is taken", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const paused = (bound: SubjectBound | undefined, subject: string, id: string) =>
        Effect.gen(function*() {
          const reached = yield* Deferred.make<void>()
          const resume = yield* Deferred.make<void>()
          const slow = yield* adapterOver(
            watched(client, [], {
              before: (call) => {
                if (!isScript(call, Scripts.insert)) return undefined
                Effect.runSync(Deferred.succeed(reached, undefined))
                return Effect.runPromise(Deferred.await(resume))
              }
            }),
            prefix
          )
          const fiber = yield* Effect.fork(slow.index.insert(id, owned(subject), now, bound))
          yield* Deferred.await(reached)
          return Effect.zipRight(Deferred.succeed(resume, undefined), Fiber.join(fiber))
        })
      const late = newId()
      const arrive = yield* paused(undefined, "ada", late)
      expect(yield* plain.index.list("ada", now + grace + 1)).toEqual([])
      expect(yield* arrive).toBe("Inserted")
      expect((yield* plain.index.list("ada", now)).map((entry) => entry.id)).toEqual([late])
      const key = yield* indexKeyOf(client, prefix)
      expect(yield* Effect.promise(() => client.pttl(key))).toBeGreaterThan(hour)
      // its place was given to another
      const [second, other] = [newId(), newId()]
      const arriveSecond = yield* paused(refuse(1), "bob", second)
      expect(yield* plain.index.insert(other, owned("bob"), now + grace + 1, refuse(1))).toBe("Inserted")
      expect(yield* arriveSecond).toBe("Full")
      expect(yield* isThere(plain.backend, second)).toBe(false)
      expect((yield* plain.index.list("bob", now)).map((entry) => entry.id)).toEqual([other])
    }))

  for (const where of ["before", "after"] as const) {
    it.scopedLive(`S8: a sign-in that failed ${where} the server saw it takes no place, so the next one is not refused`, () =>
      Effect.gen(function*() {
        const { client, prefix, ...plain } = yield* own
        for (const script of [Scripts.claim, Scripts.insert]) {
          const subject = `ada ${script.sha}`
          const cut = yield* adapterOver(
            watched(client, [], {
              [where]: (call: Call) => isScript(call, script) ? Promise.reject(new Error("connection lost")) : undefined
            }),
            prefix
          )
          const failed = newId()
          expect(Exit.isFailure(yield* Effect.exit(cut.index.insert(failed, owned(subject), now, refuse(1))))).toBe(
            true
          )
          expect(yield* isThere(plain.backend, failed)).toBe(false)
          expect(yield* plain.index.insert(newId(), owned(subject), now, refuse(1))).toBe("Inserted")
          if (script !== Scripts.insert || where === "after") continue
          // and it does not arrive later
          yield* plain.backend.insert(failed, owned(subject), now)
          expect(yield* isThere(plain.backend, failed)).toBe(false)
        }
      }))
  }

  it.scopedLive("S8: a sign-in that failed while Redis could not be reached takes a place for at most 10 seconds", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      let away = false
      const cut = yield* adapterOver(
        watched(client, [], {
          before: (call) => {
            away ||= isScript(call, Scripts.insert)
            return away ? Promise.reject(new Error("connection lost")) : undefined
          }
        }),
        prefix
      )
      const failed = newId()
      expect(Exit.isFailure(yield* Effect.exit(cut.index.insert(failed, owned("ada"), now, refuse(1))))).toBe(true)
      // whether it still arrives nobody knows
      expect(yield* plain.index.insert(newId(), owned("ada"), now + 9_999, refuse(1))).toBe("Full")
      expect(yield* plain.index.insert(newId(), owned("ada"), now + 10_000, refuse(1))).toBe("Inserted")
      yield* plain.backend.insert(failed, owned("ada"), now)
      expect(yield* plain.index.list("ada", now)).toHaveLength(1)
      expect(yield* isThere(plain.backend, failed)).toBe(false)
    }))

  it.scopedLive("S8: a sign-in that was interrupted takes no place", () =>
    Effect.gen(function*() {
      const { client, prefix, ...plain } = yield* own
      const reached = yield* Deferred.make<void>()
      const slow = yield* adapterOver(
        watched(client, [], {
          before: (call) => {
            if (!isScript(call, Scripts.insert)) return undefined
            Effect.runSync(Deferred.succeed(reached, undefined))
            return Effect.runPromise(Effect.never)
          }
        }),
        prefix
      )
      const fiber = yield* Effect.fork(slow.index.insert(newId(), owned("ada"), now, refuse(1)))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      expect(yield* plain.index.insert(newId(), owned("ada"), now, refuse(1))).toBe("Inserted")
    }))
})
