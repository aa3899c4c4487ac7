/**
 * Guards what a request costs where no clock is needed: allocations, calls of the store and of node:crypto. The budgets leave a
 * margin of about a sixth over what was measured on Node 20. A budget is raised only with a reason.
 */
import { beforeAll, describe, expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { root } from "./support/example.js"

interface Cost {
  readonly kilobytes: number
  readonly calls: Record<string, number>
}

let costs: Record<string, Cost>

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--import",
      "tsx",
      "--expose-gc",
      "--min-semi-space-size=256",
      "--max-semi-space-size=256",
      "test/support/costs.ts"
    ],
    { cwd: root }
  )
  costs = JSON.parse(stdout) as typeof costs
}, 300_000)

describe("the cost of a request over a bare handler", () => {
  it("P4: a request that does not touch its session calls neither the store nor node:crypto, and allocates 14.5 KB at most", () => {
    for (const store of ["memory", "cookie"]) {
      const { calls, kilobytes } = costs[`${store} untouched`]
      expect([store, calls]).toEqual([store, {}])
      expect(kilobytes).toBeLessThan(14.5)
    }
  })

  it("P3: on the memory store, a read is one load and one hash, and a counter is one save more", () => {
    expect(costs["memory read"].calls).toEqual({ load: 1, hash: 1 })
    expect(costs["memory count"].calls).toEqual({ load: 1, hash: 1, save: 1 })
  })

  it("P3: on the memory store, a read allocates 24 KB at most, and a counter 32.5 KB", () => {
    expect(costs["memory read"].kilobytes).toBeLessThan(24)
    expect(costs["memory count"].kilobytes).toBeLessThan(32.5)
  })

  it("P2: on the cookie store, a read is one deciphering, and a counter is one enciphering more", () => {
    expect(costs["cookie read"].calls).toEqual({ load: 1, createDecipheriv: 1 })
    expect(costs["cookie count"].calls).toEqual({ load: 1, createDecipheriv: 1, save: 1, createCipheriv: 1 })
  })

  it("P2: on the cookie store, a read allocates 25 KB at most, and a counter 38 KB", () => {
    expect(costs["cookie read"].kilobytes).toBeLessThan(25)
    expect(costs["cookie count"].kilobytes).toBeLessThan(38)
  })

  it("V5: with revocation a read and a counter are one check more than on the cookie store, and an untouched session none", () => {
    expect(costs["revocable untouched"].calls).toEqual({})
    expect(costs["revocable read"].calls).toEqual({ ...costs["cookie read"].calls, check: 1 })
    expect(costs["revocable count"].calls).toEqual({ ...costs["cookie count"].calls, check: 1 })
    expect(costs["revocable read"].kilobytes - costs["cookie read"].kilobytes).toBeLessThan(4)
  })
})

describe("what an optional module adds to a request", () => {
  /** Half a kilobyte is what two measurements of the same request may differ by on a busy machine. */
  const noise = 0.5

  const added = (name: string, base: string): number => costs[name].kilobytes - costs[base].kilobytes

  it("X1: Csrf adds no call to a change that passes by its headers, and 1.5 KB at most", () => {
    expect(costs["csrf POST read"].calls).toEqual(costs["memory POST read"].calls)
    expect(added("csrf POST read", "memory POST read")).toBeLessThan(1.5)
  })

  it("L5: looking for messages where there are none adds no call to a request that reads its session, and 4.5 KB at most", () => {
    expect(costs["memory flash"].calls).toEqual(costs["memory read"].calls)
    expect(added("memory flash", "memory read")).toBeLessThan(4.5)
  })

  it("U1: requireSignedIn adds no call to a request that reads its session, and 2.5 KB at most", () => {
    expect(costs["signed in user"].calls).toEqual(costs["signed in read"].calls)
    expect(added("signed in user", "signed in read")).toBeLessThan(2.5)
  })

  it("U2: in an HttpApi, the user who has signed in adds no call to a request that reads its session, and 40 KB at most", () => {
    expect(costs["api user"].calls).toEqual(costs["api read"].calls)
    expect(added("api user", "api read")).toBeLessThan(40)
  })

  it("N5: an event costs nothing without a subscriber, and with one a hash of the id where the store has none", () => {
    expect(costs["memory start"].calls).toEqual({ save: 1, hash: 1 })
    expect(costs["cookie start"].calls).toEqual({ save: 1, createCipheriv: 1 })
    expect(costs["heard memory start"].calls).toEqual(costs["memory start"].calls)
    expect(costs["heard cookie start"].calls).toEqual({ ...costs["cookie start"].calls, hash: 1 })
  })

  it("N1: a request that is no event costs the same with a subscriber", () => {
    expect(costs["heard memory read"].calls).toEqual(costs["memory read"].calls)
    expect(added("heard memory read", "memory read")).toBeLessThan(2 * noise)
  })

  it("I1: a request that is not the first of its period costs the same with renewEvery", () => {
    expect(costs["renewing read"].calls).toEqual(costs["memory read"].calls)
    expect(added("renewing read", "memory read")).toBeLessThan(2 * noise)
  })

  it("I1: the first request of a period has one save more, makes a new id, and allocates 37 KB more at most", () => {
    expect(costs["renewing due read"].calls).toEqual({ load: 1, save: 1, hash: 2, createHmac: 1 })
    expect(added("renewing due read", "renewing read")).toBeLessThan(37)
  })

  it("G4: a request without an old cookie makes no call for a migration, and the middleware allocates 2 KB at most", () => {
    expect(costs["moving untouched"].calls).toEqual({})
    expect(added("moving untouched", "memory untouched")).toBeLessThan(2)
  })
})
