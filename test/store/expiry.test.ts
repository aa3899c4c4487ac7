import { describe, expect, it } from "@effect/vitest"
import type { SessionBackend } from "effect-session"
import * as FastCheck from "effect/FastCheck"
import * as Expiry from "../../src/internal/store/expiry.js"

const hour = 60 * 60 * 1000
const day = 24 * hour

const idle = FastCheck.integer({ min: 1000, max: 400 * day })
const policy: FastCheck.Arbitrary<Expiry.Policy> = FastCheck.record({
  idleMillis: idle,
  persistent: FastCheck.boolean(),
  absoluteMillis: FastCheck.option(FastCheck.integer({ min: 1000, max: 800 * day }), { nil: undefined }),
  refreshAfter: FastCheck.constantFrom(0, 0.1, 0.5, 1)
})
const own = FastCheck.option(
  FastCheck.record({ idleMillis: FastCheck.option(idle, { nil: undefined }), persistent: FastCheck.boolean() }),
  { nil: undefined }
)
const start = FastCheck.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 })
/** forwards, standing still, and back */
const jumps = FastCheck.array(
  FastCheck.oneof(FastCheck.integer({ min: 0, max: 30 * day }), FastCheck.integer({ min: -2 * day, max: 0 })),
  { maxLength: 12 }
)

const check = <A>(property: FastCheck.IProperty<A>) => FastCheck.assert(property, { numRuns: 1000 })

/** A session that is touched after each jump of the clock, as long as it lives. */
const live = (policy: Expiry.Policy, expiry: SessionBackend.Expiry, begun: number, jumps: ReadonlyArray<number>) => {
  let at = begun
  let times = expiry
  const seen: Array<{ readonly now: number; readonly times: SessionBackend.Expiry; readonly moved: boolean }> = []
  for (const jump of jumps) {
    at += jump
    if (Expiry.isExpired(policy, times, at)) break
    const next = Expiry.refresh(policy, times, at)
    times = next ?? times
    seen.push({ now: at, times, moved: next !== undefined })
  }
  return seen
}

describe("when a session ends", () => {
  it("E1: no deadline ever passes the absolute one, and the creation time never moves", () => {
    check(FastCheck.property(policy, own, start, jumps, (policy, own, now, jumps) => {
      const fresh = Expiry.fresh(policy, now, own)
      for (const { now: at, times } of [{ now, times: fresh }, ...live(policy, fresh, now, jumps)]) {
        const all = [times, Expiry.touch(policy, times, at)]
        if (own !== undefined) all.push(Expiry.withOwn(policy, times, at, own))
        for (const each of all) {
          expect(each.createdAt).toBe(now)
          if (policy.absoluteMillis !== undefined) {
            expect(each.expiresAt).toBeLessThanOrEqual(now + policy.absoluteMillis)
          }
        }
      }
    }))
  })

  it("E3: a refresh moves the deadline forwards, and only after its part of the idle time has passed", () => {
    check(FastCheck.property(policy, own, start, jumps, (policy, own, now, jumps) => {
      let before = Expiry.fresh(policy, now, own)
      for (const { moved, now: at, times } of live(policy, before, now, jumps)) {
        if (moved) {
          expect(times.expiresAt).toBeGreaterThan(before.expiresAt)
          expect(at - before.refreshedAt).toBeGreaterThanOrEqual(policy.refreshAfter * times.idleMillis)
        }
        before = times
      }
    }))
  })

  it("E3: after each use a session lives for at least the idle time without that part, or until its absolute end", () => {
    check(FastCheck.property(policy, own, start, jumps, (policy, own, now, jumps) => {
      const fresh = Expiry.fresh(policy, now, own)
      for (const { now: at, times } of live(policy, fresh, now, jumps)) {
        const least = Math.floor(at + times.idleMillis * (1 - policy.refreshAfter))
        const end = policy.absoluteMillis === undefined ? Infinity : now + policy.absoluteMillis
        expect(times.expiresAt).toBeGreaterThanOrEqual(Math.min(least, end))
      }
    }))
  })

  it("E5: a clock that jumps back never moves a deadline back", () => {
    check(FastCheck.property(policy, own, start, jumps, (policy, own, now, jumps) => {
      let last = Expiry.fresh(policy, now, own)
      for (const { times } of live(policy, last, now, jumps)) {
        expect(times.expiresAt).toBeGreaterThanOrEqual(last.expiresAt)
        expect(times.refreshedAt).toBeGreaterThanOrEqual(last.refreshedAt)
        last = times
      }
    }))
  })

  it("S4: a session lives until its last millisecond, and is gone from the instant at which it ends", () => {
    check(FastCheck.property(policy, own, start, (policy, own, now) => {
      const times = Expiry.fresh(policy, now, own)
      expect(Expiry.isExpired(policy, times, times.expiresAt - 1)).toBe(false)
      expect(Expiry.isExpired(policy, times, times.expiresAt)).toBe(true)
    }))
  })

  it("E1: an absolute expiry configured later ends sessions that began before it", () => {
    const times = Expiry.fresh(
      { idleMillis: 10 * hour, persistent: true, absoluteMillis: undefined, refreshAfter: 0.1 },
      0,
      undefined
    )
    const stricter = { idleMillis: 10 * hour, persistent: true, absoluteMillis: hour, refreshAfter: 0.1 }
    expect(Expiry.isExpired(stricter, times, hour - 1)).toBe(false)
    expect(Expiry.isExpired(stricter, times, hour)).toBe(true)
  })

  it("E3: a longer idle time that is configured later counts from the next use on, and a shorter one shortens nothing", () => {
    const of = (idleMillis: number) => ({ idleMillis, persistent: true, absoluteMillis: undefined, refreshAfter: 0.1 })
    const times = Expiry.fresh(of(hour), 0, undefined)
    expect(Expiry.refresh(of(10 * hour), times, 1000)?.expiresAt).toBe(10 * hour + 1000)
    expect(Expiry.refresh(of(hour / 2), times, hour / 4)).toBeUndefined()
  })

  it("E3: refreshAfter 0 refreshes whenever time has passed, and 1 never refreshes", () => {
    const of = (refreshAfter: number) => ({
      idleMillis: hour,
      persistent: true,
      absoluteMillis: undefined,
      refreshAfter
    })
    const times = Expiry.fresh(of(0), 0, undefined)
    expect(Expiry.refresh(of(0), times, 0)).toBeUndefined()
    expect(Expiry.refresh(of(0), times, 1)?.expiresAt).toBe(hour + 1)
    for (const at of [1, hour / 2, hour - 1]) expect(Expiry.refresh(of(1), times, at)).toBeUndefined()
  })

  it("E4: an own expiry is at least one second and at most 400 days long, whatever the app asks for", () => {
    check(FastCheck.property(FastCheck.double(), (millis) => {
      const { idleMillis, persistent } = Expiry.own(millis)
      expect(persistent).toBe(true)
      expect(Number.isInteger(idleMillis)).toBe(true)
      expect(idleMillis).toBeGreaterThanOrEqual(1000)
      expect(idleMillis).toBeLessThanOrEqual(400 * day)
      if (millis >= 1000 && millis <= 400 * day) expect(idleMillis).toBe(Math.floor(millis))
    }))
  })

  it("M12: Max-Age is in whole seconds, rounded up, at most 400 days, and absent for a browser-session cookie", () => {
    check(
      FastCheck.property(
        policy,
        own,
        start,
        FastCheck.integer({ min: -day, max: 500 * day }),
        (policy, own, now, later) => {
          const times = Expiry.fresh(policy, now, own)
          const maxAge = Expiry.maxAge(times, now + later)
          if (!times.persistent) {
            expect(maxAge).toBeUndefined()
            return
          }
          const left = Math.min(Math.max(times.expiresAt - now - later, 0), 400 * day)
          expect(Number.isInteger(maxAge)).toBe(true)
          expect(maxAge! * 1000).toBeGreaterThanOrEqual(left)
          expect(maxAge! * 1000).toBeLessThan(left + 1000)
        }
      )
    )
  })

  it("K5: the deadline of a sealed session, computed anew from its times, is the one that it was sealed with", () => {
    check(FastCheck.property(policy, own, start, jumps, (policy, own, now, jumps) => {
      const fresh = Expiry.fresh(policy, now, own)
      for (const { times } of live(policy, fresh, now, jumps)) {
        const given = times.own ? { idleMillis: times.idleMillis, persistent: times.persistent } : undefined
        expect(Expiry.reconstruct(policy, times.createdAt, times.refreshedAt, given)).toEqual(times)
      }
    }))
  })
})
