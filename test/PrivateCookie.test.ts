import { describe, expect, it } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as PrivateCookie from "effect-session/PrivateCookie"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Crypto from "node:crypto"
import { vi } from "vitest"
import * as base64 from "../src/internal/cookie/base64.js"
import { isWellFormed } from "../src/internal/cookie/privateJar.js"

const calls = vi.hoisted(() => ({ decipher: 0, tagLengths: new Set<unknown>() }))

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>()
  return {
    ...crypto,
    createDecipheriv: ((...args: Parameters<typeof crypto.createDecipheriv>) => {
      calls.decipher++
      calls.tagLengths.add((args[3] as { readonly authTagLength?: number } | undefined)?.authTagLength)
      return crypto.createDecipheriv(...args)
    }) as typeof crypto.createDecipheriv
  }
})

/** How often the cipher was asked to open something meanwhile. */
const cipherCalls = (run: () => void): number => {
  const before = calls.decipher
  run()
  return calls.decipher - before
}

const material = Crypto.randomBytes(64)
const key = material.subarray(32)
const ring = Effect.runSync(KeyRing.fromBytes(material))

/**
 * The format, written down again from its description: base64 of nonce, ciphertext and tag; the name is authenticated.
 */
const independent = {
  seal(name: string | Uint8Array, plain: string | Uint8Array, nonce: Uint8Array = Crypto.randomBytes(12)): string {
    const cipher = Crypto.createCipheriv("aes-256-gcm", key, nonce)
    cipher.setAAD(Buffer.from(name))
    const body = Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final()])
    return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64")
  },
  open(name: string, sealed: string): string {
    const bytes = Buffer.from(sealed, "base64")
    const decipher = Crypto.createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12))
    decipher.setAAD(Buffer.from(name, "utf8"))
    decipher.setAuthTag(bytes.subarray(bytes.length - 16))
    return Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - 16)), decipher.final()]).toString("utf8")
  }
}

const open = (name: string, sealed: string) => Option.getOrUndefined(PrivateCookie.open(ring, name, sealed))
const seal = (name: string, value: string) => PrivateCookie.unsafeSeal(ring, name, value)

const text = FastCheck.oneof(
  FastCheck.string({ maxLength: 300 }),
  FastCheck.fullUnicodeString({ maxLength: 100 }),
  FastCheck.json()
)
const cookieName = FastCheck.oneof(FastCheck.constant("__Host-session"), FastCheck.fullUnicodeString({ maxLength: 40 }))

describe("PrivateCookie", () => {
  it("K1: opens the known answers of the Rust cookie crate's own tests", () => {
    const known = Effect.runSync(KeyRing.fromBytes(Uint8Array.of(
      ...[89, 202, 200, 125, 230, 90, 197, 245, 166, 249, 34, 169, 135, 31, 20, 197],
      ...[94, 154, 254, 79, 60, 26, 8, 143, 254, 24, 116, 138, 92, 225, 159, 60],
      ...[157, 41, 135, 129, 31, 226, 196, 16, 198, 168, 134, 4, 42, 1, 196, 24],
      ...[57, 103, 241, 147, 201, 185, 233, 10, 180, 170, 187, 89, 252, 137, 110, 107]
    )))
    const answers = [
      ["encrypted_with_ring014", "lObeZJorGVyeSWUA8khTO/8UCzFVBY9g0MGU6/J3NN1R5x11dn2JIA=="],
      ["encrypted_with_ring016", "SU1ujceILyMBg3fReqRmA9HUtAIoSPZceOM/CUpObROHEujXIjonkA=="]
    ] as const
    for (const [name, sealed] of answers) {
      expect(PrivateCookie.open(known, name, sealed)).toEqual(Option.some("Tamper-proof"))
      expect(PrivateCookie.open(known, name, encodeURIComponent(sealed))).toEqual(Option.some("Tamper-proof"))
      // the same crate's list of what must not open
      expect(PrivateCookie.open(known, name, `${sealed}l`)).toEqual(Option.none())
      expect(PrivateCookie.open(known, name, "foobar")).toEqual(Option.none())
    }
    expect(PrivateCookie.open(known, answers[0][0], answers[1][1])).toEqual(Option.none())
  })

  it("K3: a value that was sealed by independent AES-256-GCM code opens, and the reverse, for any text and name", () => {
    FastCheck.assert(
      FastCheck.property(cookieName, text, (name, value) => {
        expect(open(name, independent.seal(name, value))).toBe(value)
        expect(independent.open(name, seal(name, value))).toBe(value)
        expect(open(name, seal(name, value))).toBe(value)
      }),
      { numRuns: 1000 }
    )
  })

  it("K1: every text comes back unchanged: empty, with NUL, a byte order mark or the ends of Unicode, and of every length", () => {
    for (
      const value of [
        "",
        "\0",
        "\ufeff",
        "\ufeffa",
        "é",
        "\u0080\u00ff",
        "\uffff",
        "\u{10ffff}",
        "a\u{1f36a}",
        "\r\n;\""
      ]
    ) {
      expect(open("n", seal("n", value))).toBe(value)
    }
    for (let length = 0; length < 70; length++) {
      const [ascii, wide] = ["x".repeat(length), "é".repeat(length)]
      expect(open("n", seal("n", ascii))).toBe(ascii)
      expect(open("n", seal("n", wide))).toBe(wide)
    }
  })

  it.effect("K1: seal, unsafeSeal and both forms of open agree", () =>
    Effect.gen(function*() {
      const texts = [
        yield* PrivateCookie.seal(ring, "n", "v"),
        yield* pipe(ring, PrivateCookie.seal("n", "v")),
        PrivateCookie.unsafeSeal(ring, "n", "v")
      ]
      for (const sealed of texts) {
        expect(sealed).toMatch(/^[A-Za-z0-9+/]{39}=$/)
        expect(PrivateCookie.open(ring, "n", sealed)).toEqual(Option.some("v"))
        expect(pipe(ring, PrivateCookie.open("n", sealed))).toEqual(Option.some("v"))
      }
    }))

  it.effect("K1: every run of a seal has a nonce of its own", () =>
    Effect.gen(function*() {
      const sealing = PrivateCookie.seal(ring, "n", "v")
      const nonces = new Set<string>()
      for (let i = 0; i < 2000; i++) nonces.add((yield* sealing).slice(0, 16))
      expect(nonces.size).toBe(2000)
    }))

  it("K1: the sealed length is 4 * ceil((28 + bytes) / 3)", () => {
    FastCheck.assert(FastCheck.property(text, (value) => {
      const length = seal("n", value).length
      expect(length).toBe(4 * Math.ceil((28 + Buffer.byteLength(value)) / 3))
      expect(length).toBe(base64.encodedLength(28 + Buffer.byteLength(value)))
    }))
  })

  it("K1: the name is authenticated, so that nothing opens under another name", () => {
    const sealed = seal("session", "v")
    for (
      const name of ["", "s", "Session", "session ", "sessions", "__Host-session", "ses\u0000sion", "session\ud800"]
    ) {
      expect(open(name, sealed)).toBeUndefined()
    }
    expect(open("session", sealed)).toBe("v")
    FastCheck.assert(FastCheck.property(cookieName, cookieName, (a, b) => {
      FastCheck.pre(a !== b)
      expect(open(b, seal(a, "v"))).toBeUndefined()
    }))
  })

  it("K1: the name is authenticated by its bytes in UTF-8", () => {
    const name = "pr\u00e9f\u00e9rences-\u{1f36a}"
    expect(open(name, independent.seal(Buffer.from(name), "v"))).toBe("v")
    expect(open(name, independent.seal(Buffer.from(name, "latin1"), "v"))).toBeUndefined()
    expect(open(name, seal(name, "v"))).toBe("v")
  })

  it("K1: with another key nothing opens", () => {
    const other = Effect.runSync(KeyRing.generate)
    FastCheck.assert(FastCheck.property(text, (value) => {
      expect(PrivateCookie.open(other, "n", seal("n", value))).toEqual(Option.none())
    }))
  })

  it("K1: base64 that is not canonical is refused before the cipher runs", () => {
    // one sealed value for each length of padding: 28, 29, 30 bytes
    for (const [value, padding] of [["", 2], ["v", 1], ["vv", 0]] as const) {
      // a sealed value with both characters that the url-safe alphabet replaces
      let sealed = seal("n", value)
      while (!sealed.includes("+") || !sealed.includes("/")) sealed = seal("n", value)
      const bare = sealed.slice(0, sealed.length - padding)
      expect(sealed.length - bare.length).toBe(padding)
      const refused = [
        `${sealed}l`,
        `${sealed}=`,
        `${sealed}==`,
        `${sealed}====`,
        `${sealed} `,
        ` ${sealed}`,
        `${sealed}\n`,
        `\t${sealed}`,
        `"${sealed}"`,
        `${sealed.slice(0, 20)}\n${sealed.slice(20)}`,
        `${sealed.slice(0, 20)}    ${sealed.slice(20)}`,
        `${sealed.slice(0, 20)}====${sealed.slice(20)}`,
        `${sealed.slice(0, 20)}!!!!${sealed.slice(20)}`,
        `${sealed.slice(0, 20)}\0\0\0\0${sealed.slice(20)}`,
        `====${sealed}`,
        sealed.replaceAll("+", "-"),
        sealed.replaceAll("/", "_"),
        sealed.replaceAll("+", "-").replaceAll("/", "_"),
        sealed.replaceAll("+", " "),
        ...(padding === 0 ? [] : [bare, `${bare}${"=".repeat(3 - padding)}`, `${sealed}AAAA`])
      ]
      // characters beyond 8 bits, whose lower half is the right one
      for (const by of [0x100, 0x2100, 0xff00]) {
        for (const at of [0, 7, bare.length - 1]) {
          refused.push(sealed.slice(0, at) + String.fromCharCode(sealed.charCodeAt(at) + by) + sealed.slice(at + 1))
        }
      }
      // the bits that padding leaves over
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
      const last = alphabet.indexOf(bare.at(-1)!)
      for (let bits = 1; bits < 4 ** padding; bits++) {
        refused.push(bare.slice(0, -1) + alphabet[last + bits] + "=".repeat(padding))
      }
      for (const one of refused) {
        expect(cipherCalls(() => expect(open("n", one), JSON.stringify(one)).toBeUndefined())).toBe(0)
        expect(isWellFormed(one)).toBe(false)
      }
      expect(cipherCalls(() => expect(open("n", sealed)).toBe(value))).toBe(1)
      expect(isWellFormed(sealed)).toBe(true)
    }
  })

  it("K1: decoding is strict for any text: it accepts only what encoding gives back", () => {
    const into = Buffer.alloc(300)
    const oracle = (one: string): number => {
      const bytes = Buffer.from(one, "base64")
      return one !== "" && bytes.toString("base64") === one && bytes.length <= into.length ? bytes.length : -1
    }
    const unit = FastCheck.constantFrom(..."ABQgwz019+/=-_ \n\0%!", "\u0141", "\u00c1", "\ud800", "\uff21")
    let taken = 0
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.string({ unit, maxLength: 24 }),
          FastCheck.string({ unit: FastCheck.constantFrom(..."AQgwZ+/="), maxLength: 12 }),
          FastCheck.base64String({ maxLength: 500 })
        ),
        (one) => {
          const bytes = base64.decode(one, into)
          expect(bytes).toBe(oracle(one))
          if (bytes !== -1) {
            taken++
            expect(into.toString("base64", 0, bytes)).toBe(one)
          }
        }
      ),
      { numRuns: 20_000 }
    )
    expect(taken).toBeGreaterThan(1000)
  })

  it("K1: fewer than 28 bytes, or more than 8,192 characters, are refused before the cipher runs", () => {
    for (let bytes = 0; bytes < 28; bytes++) {
      const short = Crypto.randomBytes(bytes).toString("base64")
      expect(cipherCalls(() => expect(open("n", short)).toBeUndefined())).toBe(0)
    }
    expect(cipherCalls(() => expect(open("n", Crypto.randomBytes(28).toString("base64"))).toBeUndefined())).toBe(1)
    const longest = independent.seal("n", "x".repeat(6116))
    expect(longest).toHaveLength(8192)
    expect(open("n", longest)).toBe("x".repeat(6116))
    for (const value of ["x".repeat(6117), "x".repeat(6120), "x".repeat(100_000)]) {
      const long = independent.seal("n", value)
      expect(cipherCalls(() => expect(open("n", long)).toBeUndefined())).toBe(0)
      expect(cipherCalls(() => expect(open("n", encodeURIComponent(long))).toBeUndefined())).toBe(0)
    }
    expect(open("n", "%".repeat(1_000_000))).toBeUndefined()
  })

  it("K1: the tag always has 16 bytes, and a shorter one does not open", () => {
    const nonce = Crypto.randomBytes(12)
    for (const authTagLength of [4, 8, 12, 13, 14, 15] as const) {
      const cipher = Crypto.createCipheriv("aes-256-gcm", key, nonce, { authTagLength })
      cipher.setAAD(Buffer.from("n"))
      const body = cipher.update("a value that is long enough", "utf8")
      cipher.final()
      const sealed = Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64")
      expect(open("n", sealed)).toBeUndefined()
    }
    // Node is told as well, so that it takes no other length
    calls.tagLengths.clear()
    open("n", seal("n", "v"))
    expect([...calls.tagLengths]).toEqual([16])
  })

  it("K1: a value that is truncated anywhere does not open", () => {
    const bytes = Buffer.from(seal("n", "a value that is long enough to be cut"), "base64")
    for (let length = 0; length < bytes.length; length++) {
      expect(open("n", bytes.subarray(0, length).toString("base64"))).toBeUndefined()
      expect(open("n", bytes.subarray(bytes.length - length).toString("base64"))).toBeUndefined()
    }
  })

  it("K1: of 10,000 mutated values none opens and none throws", () => {
    const values = ["", "v", JSON.stringify({ user: 1 }), "x".repeat(100), "ä🍪".repeat(20)].map((value) =>
      seal("n", value)
    )
    const position = FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const anyUnit = FastCheck.oneof(
      FastCheck.constantFrom(..."ABCXYZabcxyz0189+/=-_%"),
      FastCheck.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
    )
    const mutation: FastCheck.Arbitrary<(sealed: string) => string> = FastCheck.oneof(
      FastCheck.tuple(position, FastCheck.integer({ min: 0, max: 7 })).map(([at, bit]) => (sealed: string) => {
        const bytes = Buffer.from(sealed, "base64")
        bytes[Math.floor(at * bytes.length)] ^= 1 << bit
        return bytes.toString("base64")
      }),
      FastCheck.tuple(position, anyUnit).map(([at, unit]) => (sealed: string) => {
        const i = Math.floor(at * sealed.length)
        return sealed.slice(0, i) + unit + sealed.slice(i + 1)
      }),
      FastCheck.tuple(position, anyUnit).map(([at, unit]) => (sealed: string) => {
        const i = Math.floor(at * (sealed.length + 1))
        return sealed.slice(0, i) + unit + sealed.slice(i)
      }),
      FastCheck.tuple(position, position).map(([a, b]) => (sealed: string) => {
        const [from, to] = [a, b].map((at) => Math.floor(at * (sealed.length + 1))).sort((x, y) => x - y)
        return sealed.slice(0, from) + sealed.slice(to)
      }),
      FastCheck.tuple(position, position).map(([a, b]) => (sealed: string) => {
        const units = sealed.split("")
        const [i, j] = [a, b].map((at) => Math.floor(at * units.length))
        const unit = units[i]
        units[i] = units[j]
        units[j] = unit
        return units.join("")
      }),
      FastCheck.constantFrom(
        (sealed: string) => sealed.toLowerCase(),
        (sealed: string) => sealed + sealed,
        (sealed: string) => sealed.split("").reverse().join(""),
        (sealed: string) => Buffer.from(sealed, "base64").toString("hex")
      )
    )
    let tried = 0
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...values),
        FastCheck.array(mutation, { minLength: 1, maxLength: 3 }),
        (sealed, mutations) => {
          const mutated = mutations.reduce((one, mutate) => mutate(one), sealed)
          FastCheck.pre(mutated !== sealed)
          tried++
          expect(open("n", mutated)).toBeUndefined()
        }
      ),
      { numRuns: 10_000 }
    )
    expect(tried).toBe(10_000)
  })

  it("K1: no arbitrary text opens, and none throws", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.string(),
          FastCheck.string16bits({ maxLength: 200 }),
          FastCheck.base64String({ minLength: 40, maxLength: 200 })
        ),
        FastCheck.string16bits({ maxLength: 10 }),
        (sealed, name) => {
          expect(open(name, sealed)).toBeUndefined()
        }
      ),
      { numRuns: 2000 }
    )
  })

  it("K1: an authentic plaintext that is not valid UTF-8 is rejected", () => {
    const notUtf8 = [[0xff], [0x80], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]
    for (const bytes of notUtf8) {
      expect(open("n", independent.seal("n", Uint8Array.from(bytes)))).toBeUndefined()
      expect(open("n", independent.seal("n", Buffer.concat([Buffer.from("abc é "), Buffer.from(bytes)]))))
        .toBeUndefined()
    }
  })

  it("K1: the percent-encoded form of a value is read too", () => {
    let sealed = seal("n", "")
    while (!sealed.includes("+") || !sealed.includes("/")) sealed = seal("n", "")
    const encoded = encodeURIComponent(sealed)
    expect(encoded).not.toBe(sealed)
    expect(open("n", encoded)).toBe("")
    expect(open("n", encoded.replace(/%../g, (escape) => escape.toLowerCase()))).toBe("")
    expect(open("n", sealed.replaceAll("=", "%3D"))).toBe("")
    expect(open("n", [...sealed].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(""))).toBe("")
    for (const bad of [`${sealed}%`, `%zz${sealed}`, encodeURIComponent(encoded), encoded.slice(0, -1), "%", "%00"]) {
      expect(open("n", bad)).toBeUndefined()
    }
  })

  it.effect("K1: a lone surrogate in the name or the value is a defect, and is not replaced in silence", () =>
    Effect.gen(function*() {
      for (const [name, value] of [["n", "\ud800"], ["n", "a\udc00b"], ["\ud800", "v"]] as const) {
        const exit = yield* Effect.exit(PrivateCookie.seal(ring, name, value))
        expect(exit).toMatchObject({ _tag: "Failure", cause: { _tag: "Die", defect: { name: "TypeError" } } })
        expect(() => PrivateCookie.unsafeSeal(ring, name, value)).toThrow(/lone surrogate/)
      }
      // as UTF-8 the two would be one name
      expect(open("\ud800", seal("\ufffd", "v"))).toBeUndefined()
      expect(open("n", seal("n", JSON.stringify("\ud800")))).toBe(`"\\ud800"`)
    }))

  it.effect("K1: a value that open would refuse for its length is not sealed", () =>
    Effect.gen(function*() {
      for (const value of ["x".repeat(6116), "é".repeat(3058), "€".repeat(2038) + "xx"]) {
        const sealed = yield* PrivateCookie.seal(ring, "n", value)
        expect(sealed).toHaveLength(8192)
        expect(open("n", sealed)).toBe(value)
      }
      for (const value of ["x".repeat(6117), "é".repeat(3059), "€".repeat(2039), "x".repeat(1_000_000)]) {
        const exit = yield* Effect.exit(PrivateCookie.seal(ring, "n", value))
        expect(exit).toMatchObject({
          _tag: "Failure",
          cause: {
            _tag: "Die",
            defect: new RangeError(`a private cookie's value has at most 6116 bytes, got ${Buffer.byteLength(value)}`)
          }
        })
      }
      expect(open("n", seal("n", "v"))).toBe("v")
    }))

  it("K4: each key of a ring is tried exactly once", () => {
    const other = Effect.runSync(KeyRing.generate)
    const both = KeyRing.withPrevious(other, ring)
    const sealed = seal("n", "v")
    expect(cipherCalls(() => expect(PrivateCookie.open(both, "n", sealed)).toEqual(Option.some("v")))).toBe(2)
    const own = PrivateCookie.unsafeSeal(both, "n", "v")
    expect(cipherCalls(() => expect(PrivateCookie.open(both, "n", own)).toEqual(Option.some("v")))).toBe(1)
    expect(PrivateCookie.open(other, "n", own)).toEqual(Option.some("v"))
    expect(open("n", own)).toBeUndefined()
  })
})
