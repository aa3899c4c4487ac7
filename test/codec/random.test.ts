import type * as Crypto from "node:crypto"
import { afterEach, describe, expect, it, vi } from "vitest"

const fills = vi.hoisted(() => ({ pools: [] as Array<Buffer>, count: 0, fail: false }))

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>()
  return {
    ...crypto,
    randomFillSync: (pool: Buffer) => {
      fills.count++
      if (fills.fail) {
        // half filled, as a source that fails on the way leaves it
        crypto.randomFillSync(pool, 0, pool.length / 2)
        throw new Error("no randomness")
      }
      fills.pools.push(pool)
      return crypto.randomFillSync(pool)
    }
  }
})

const freshModule = async () => {
  vi.resetModules()
  fills.pools.length = 0
  fills.count = 0
  return await import("../../src/internal/codec/random.js")
}

const nonceOf = (random: { readonly nonce: (into: Uint8Array) => void }): string => {
  const into = Buffer.alloc(12)
  random.nonce(into)
  return into.toString("hex")
}

afterEach(() => {
  fills.fail = false
})

describe("random bytes", () => {
  it("S1: a token has 43 characters of canonical base64url and a sid 22, and none comes twice", async () => {
    const random = await freshModule()
    const seen = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      for (const [text, bytes, length] of [[random.token(), 32, 43], [random.sid(), 16, 22]] as const) {
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(text).toHaveLength(length)
        expect(Buffer.from(text, "base64url")).toHaveLength(bytes)
        expect(Buffer.from(text, "base64url").toString("base64url")).toBe(text)
        seen.add(text)
      }
    }
    expect(seen.size).toBe(2000)
  })

  it("S1: each of a token's 256 bits is random", async () => {
    const random = await freshModule()
    const tokens = Array.from({ length: 200 }, () => Buffer.from(random.token(), "base64url"))
    for (let bit = 0; bit < 256; bit++) {
      const ones = tokens.filter((token) => (token[bit >> 3] >> (bit & 7)) & 1).length
      expect([bit, ones > 0 && ones < tokens.length]).toEqual([bit, true])
    }
  })

  it("K1: no nonce comes twice, and none shares bytes with a token", async () => {
    const random = await freshModule()
    const seen = new Set<string>()
    const bytes = new Map<number, number>()
    for (let i = 0; i < 20_000; i++) {
      const nonce = nonceOf(random)
      seen.add(nonce)
      for (const byte of Buffer.from(nonce, "hex")) bytes.set(byte, (bytes.get(byte) ?? 0) + 1)
      if (i % 100 === 0) {
        const token = Buffer.from(random.token(), "base64url").toString("hex")
        expect(token).not.toContain(nonce)
      }
    }
    expect(seen.size).toBe(20_000)
    // 240,000 uniform bytes: each value about 937 times, 30 apart is one standard deviation
    expect(bytes.size).toBe(256)
    for (const count of bytes.values()) expect(Math.abs(count - 937.5)).toBeLessThan(300)
  })

  it("K1: nothing is drawn before the first use, and bytes that are handed out are wiped from the pool at once", async () => {
    const random = await freshModule()
    expect(fills.count).toBe(0)
    for (const give of [() => nonceOf(random), () => Buffer.from(random.token(), "base64url").toString("hex")]) {
      const given = give()
      expect(fills.pools[0].toString("hex")).not.toContain(given)
    }
    expect(fills.count).toBe(1)
    expect(fills.pools[0].subarray(0, 44).every((byte) => byte === 0)).toBe(true)
    expect(fills.pools[0].subarray(44, 76).some((byte) => byte !== 0)).toBe(true)
  })

  it("K1: the pool hands out copies, so that a caller cannot change it", async () => {
    const random = await freshModule()
    const into = Buffer.alloc(12)
    random.nonce(into)
    const rest = Buffer.from(fills.pools[0])
    into.fill(0xff)
    expect(fills.pools[0].equals(rest)).toBe(true)
  })

  it("K1: after the random source has failed, neither old bytes nor zeros are handed out", async () => {
    const random = await freshModule()
    const seen = new Set<string>()
    for (let i = 0; i < 341; i++) seen.add(nonceOf(random)) // the whole pool of 4,096
    fills.fail = true
    for (let i = 0; i < 3; i++) {
      expect(() => nonceOf(random)).toThrow("no randomness")
      expect(() => random.token()).toThrow("no randomness")
    }
    fills.fail = false
    for (let i = 0; i < 341; i++) {
      const nonce = nonceOf(random)
      expect(nonce).not.toBe("00".repeat(12))
      seen.add(nonce)
    }
    expect(seen.size).toBe(682)
  })

  it("K1: after the random source has failed, bytes that a longer draw left over are not handed out either", async () => {
    const random = await freshModule()
    for (let i = 0; i < 127; i++) random.token() // 32 of 4,096 bytes are left
    nonceOf(random) // and now 20: enough for a nonce, not for a token
    fills.fail = true
    expect(() => random.token()).toThrow("no randomness")
    expect(() => nonceOf(random)).toThrow("no randomness")
  })
})
