import { afterEach, describe, expect, it, vi } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as PrivateCookie from "effect-session/PrivateCookie"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Console } from "node:console"
import Crypto, { createCipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { Writable } from "node:stream"
import { inspect } from "node:util"
import { hasWeakKey, keyObjects } from "../src/internal/cookie/keyMaterial.js"

const counting = (from: number, to: number): Uint8Array => Uint8Array.from({ length: to - from }, (_, i) => from + i)

/** Straightforward AES-256-GCM, to know a key by what it seals. */
const sealWith = (encryptingHalf: Uint8Array, name: string, value: string): string => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", encryptingHalf, nonce)
  cipher.setAAD(Buffer.from(name))
  const body = Buffer.concat([cipher.update(value, "utf8"), cipher.final()])
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64")
}

const encryptsWith = (ring: KeyRing.KeyRing, encryptingHalf: Uint8Array): boolean =>
  Option.isSome(PrivateCookie.open(ring, "n", sealWith(encryptingHalf, "n", "v")))

const mistakesOf = (make: Effect.Effect<KeyRing.KeyRing, { readonly mistakes: ReadonlyArray<unknown> }>) =>
  Effect.map(Effect.flip(make), ({ mistakes }) => mistakes)

const info = "COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM"

describe("KeyRing", () => {
  it.effect("K2: key material of fewer than 64 bytes is refused with the exact message", () =>
    Effect.gen(function*() {
      for (const length of [0, 1, 32, 63]) {
        const expected = [{
          path: "private_key",
          message: `key material is too short: expected >= 64 bytes, got ${length} bytes`
        }]
        const bytes = new Uint8Array(length).fill(0x41)
        const text = "A".repeat(length)
        expect(yield* mistakesOf(KeyRing.fromBytes(bytes))).toEqual(expected)
        expect(yield* mistakesOf(KeyRing.fromBytes(Redacted.make(bytes)))).toEqual(expected)
        expect(yield* mistakesOf(KeyRing.fromUtf8(text))).toEqual(expected)
        expect(yield* mistakesOf(KeyRing.fromUtf8(Redacted.make(text)))).toEqual(expected)
      }
      yield* KeyRing.fromBytes(randomBytes(64))
      yield* KeyRing.fromUtf8("A test key, not secret: 64 bytes in UTF-8, not 63, not 65. ==== ")
    }))

  it.effect("K2: bytes 32–63 encrypt; bytes 0–31 and those beyond 64 do not", () =>
    Effect.gen(function*() {
      const material = randomBytes(100)
      const half = material.subarray(32, 64)
      expect(encryptsWith(yield* KeyRing.fromBytes(material), half)).toBe(true)
      expect(encryptsWith(yield* KeyRing.fromBytes(Redacted.make<Uint8Array>(material)), half)).toBe(true)
      for (let i = 0; i < material.length; i++) {
        const other = Uint8Array.from(material)
        other[i] ^= 1
        expect(encryptsWith(yield* KeyRing.fromBytes(other), half), `byte ${i}`).toBe(i < 32 || i >= 64)
      }
    }))

  it.effect("K2: a view into a larger buffer counts from its own start", () =>
    Effect.gen(function*() {
      const buffer = randomBytes(200)
      const ring = yield* KeyRing.fromBytes(new Uint8Array(buffer.buffer, buffer.byteOffset + 50, 70))
      expect(encryptsWith(ring, buffer.subarray(82, 114))).toBe(true)
    }))

  it.effect("K2: the bytes are copied at the call, so that a later change of the array does not matter", () =>
    Effect.gen(function*() {
      const material = randomBytes(64)
      const half = Uint8Array.from(material.subarray(32))
      const secret = randomBytes(32)
      const derived = Uint8Array.from(expandReference(secret).subarray(32))
      const make = KeyRing.fromBytes(material)
      const derive = KeyRing.derive(secret)
      material.fill(0)
      secret.fill(0)
      expect(encryptsWith(yield* make, half)).toBe(true)
      expect(encryptsWith(yield* derive, derived)).toBe(true)
      const ring = yield* KeyRing.fromBytes(half.length === 32 ? new Uint8Array([...half, ...half]) : half)
      expect(encryptsWith(ring, half)).toBe(true)
    }))

  it.effect("K2: a key given as text is its UTF-8 bytes", () =>
    Effect.gen(function*() {
      const text = "a test key that is not secret — äöü 🍪 and so on, until it has enough bytes"
      const bytes = Buffer.from(text)
      expect(encryptsWith(yield* KeyRing.fromUtf8(text), bytes.subarray(32, 64))).toBe(true)
      expect(encryptsWith(yield* KeyRing.fromUtf8(Redacted.make(text)), bytes.subarray(32, 64))).toBe(true)
      // 32 characters of two bytes each are enough
      expect(encryptsWith(yield* KeyRing.fromUtf8("é".repeat(32)), Buffer.from("é".repeat(16)))).toBe(true)
    }))

  it.effect("K2: a text with a lone surrogate is refused, because replacing the surrogate would make another key", () =>
    Effect.gen(function*() {
      const text = "A".repeat(80) + "\ud800"
      const expected = [{
        path: "private_key",
        message: "key material is not well-formed Unicode: it has a lone surrogate"
      }]
      expect(yield* mistakesOf(KeyRing.fromUtf8(text))).toEqual(expected)
      expect(yield* mistakesOf(KeyRing.derive(text))).toEqual(expected)
    }))

  // Recorded from `Key::derive_from` of the Rust crate `cookie` 0.16.
  const derived: ReadonlyArray<readonly [secret: string | Uint8Array, key: string]> = [
    [
      counting(0, 32),
      "a059573eb7f8f08aef6b476f707c2f17cbe9bb1194a48cbd569e46071765df12"
      + "d207b57c35531044acbb96e4b8794616e2d6568350cae0aae4ffa445f70cf5b1"
    ],
    [
      counting(32, 64),
      "17e9a5baee5fdb5a100b9b0853df8149c6e19c8422d304730429775e6e81e60c"
      + "4270d7df93820e6d923e8cd8eeb15da19190e286f6c5efde5bbf16ff12194e6c"
    ],
    [
      counting(0, 100),
      "3ecf53f52402bef3a492b27c9ecc29b697cb30e186d3f42baafb4cc627f77ccd"
      + "583fb139d11bbef1ab260e71b79030138ecb45b76b4cd5a4c0f1fcec74e9a2ae"
    ],
    [
      "a test secret that is no secret — äöü 🍪",
      "d0c7fb9c8213a8f02043478e70b3154b1c5b6021b22e8e50e2f46a283d49c218"
      + "6d3ad35eb1da8c8348dc9db4ef395d6999708c7c8c0fcedfe2fb3ab222f61a85"
    ]
  ]

  it.effect("K2: derive gives the keys that the Rust cookie crate derives", () =>
    Effect.gen(function*() {
      for (const [secret, key] of derived) {
        const half = Buffer.from(key, "hex").subarray(32)
        expect(encryptsWith(yield* KeyRing.derive(secret), half)).toBe(true)
        expect(encryptsWith(yield* KeyRing.derive(Redacted.make(secret)), half)).toBe(true)
      }
    }))

  it("K2: derive computes the expanding half of the platform's HKDF for any secret", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.uint8Array({ minLength: 1, maxLength: 80 }),
      FastCheck.uint8Array({ maxLength: 40 }),
      (ikm, salt) => {
        const prk = createHmac("sha256", salt).update(ikm).digest()
        const expected = new Uint8Array(hkdfSync("sha256", ikm, salt, info, 64))
        const ring = Effect.runSync(KeyRing.derive(prk))
        expect(encryptsWith(ring, expected.subarray(32))).toBe(true)
        expect(encryptsWith(ring, expected.subarray(0, 32))).toBe(false)
      }
    ))
  })

  it.effect("K2: derive refuses a secret of fewer than 32 bytes", () =>
    Effect.gen(function*() {
      const expected = (got: number) => [{
        path: "private_key",
        message: `key material is too short: expected >= 32 bytes, got ${got} bytes`
      }]
      expect(yield* mistakesOf(KeyRing.derive(new Uint8Array(31)))).toEqual(expected(31))
      expect(yield* mistakesOf(KeyRing.derive(Redacted.make("é".repeat(15))))).toEqual(expected(30))
      expect(yield* mistakesOf(KeyRing.derive(""))).toEqual(expected(0))
      yield* KeyRing.derive("é".repeat(16))
    }))

  it.effect("K2: generate makes another key in every run", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* KeyRing.generate, yield* KeyRing.generate]
      const sealed = yield* PrivateCookie.seal(a, "n", "v")
      expect(PrivateCookie.open(a, "n", sealed)).toEqual(Option.some("v"))
      expect(PrivateCookie.open(b, "n", sealed)).toEqual(Option.none())
    }))

  it.effect("K2: a secret that was wiped makes the effect die when it runs, and nothing throws at the call", () =>
    Effect.gen(function*() {
      const wiped = Redacted.make<Uint8Array>(randomBytes(64))
      Redacted.unsafeWipe(wiped)
      const exits = [KeyRing.fromBytes(wiped), KeyRing.derive(wiped)].map(Effect.exit)
      for (const exit of exits) expect((yield* exit)._tag).toBe("Failure")
    }))

  describe("memory", () => {
    /** The memory that small Buffers share now. */
    const pool = (): ArrayBufferLike => Buffer.allocUnsafe(1).buffer

    const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text) // unlike a Buffer, in memory of its own

    const encryptingHalf = (ring: KeyRing.KeyRing): Uint8Array => keyObjects(ring)[0].export()

    /** Each makes a ring and returns it with the bytes of the secret, which must not be found either. */
    const constructors: Record<string, () => readonly [KeyRing.KeyRing, secret: Uint8Array | undefined]> = {
      fromBytes: () => {
        const material = randomBytes(64)
        return [Effect.runSync(KeyRing.fromBytes(material)), material]
      },
      fromUtf8: () => {
        const text = randomBytes(40).toString("hex")
        return [Effect.runSync(KeyRing.fromUtf8(text)), utf8(text)]
      },
      "fromUtf8 of redacted text": () => {
        const text = randomBytes(40).toString("hex")
        return [Effect.runSync(KeyRing.fromUtf8(Redacted.make(text))), utf8(text)]
      },
      "derive from bytes": () => {
        const secret = randomBytes(32)
        return [Effect.runSync(KeyRing.derive(secret)), secret]
      },
      "derive from text": () => {
        const secret = randomBytes(24).toString("hex")
        return [Effect.runSync(KeyRing.derive(secret)), utf8(secret)]
      },
      generate: () => [Effect.runSync(KeyRing.generate), undefined]
    }

    for (const [name, make] of Object.entries(constructors)) {
      it(`K2: ${name} leaves no key in the memory that small Buffers share`, () => {
        const slabs = new Set<ArrayBufferLike>()
        const forbidden: Array<Buffer> = []
        for (let i = 0; i < 300; i++) {
          slabs.add(pool())
          const [ring, secret] = make()
          slabs.add(pool())
          for (const key of [encryptingHalf(ring), secret]) {
            if (key !== undefined) forbidden.push(Buffer.from(key.buffer, key.byteOffset, key.length))
          }
        }
        for (const slab of slabs) {
          const bytes = Buffer.from(slab)
          expect(bytes.length).toBeGreaterThanOrEqual(Buffer.poolSize) // newer versions of Node align it
          expect(forbidden.filter((key) => bytes.includes(key)).length).toBe(0)
        }
      })
    }

    afterEach(() => {
      vi.restoreAllMocks()
      syncBuiltinESMExports()
    })

    for (const [name, make] of Object.entries(constructors)) {
      it(`K2: ${name} wipes all memory that it copied key material to`, () => {
        const copies: Array<Uint8Array> = []
        const spyOn = <K extends "createSecretKey" | "randomFillSync">(name: K): void => {
          const original: (...args: Array<never>) => unknown = Crypto[name]
          vi.spyOn(Crypto, name).mockImplementation((...args: Array<unknown>) => {
            copies.push(args[0] as Uint8Array)
            return original(...args as Array<never>) as never
          })
        }
        spyOn("createSecretKey")
        spyOn("randomFillSync")
        syncBuiltinESMExports()
        const encode = vi.spyOn(TextEncoder.prototype, "encodeInto")
        const digest = vi.spyOn(Object.getPrototypeOf(createHmac("sha256", "")), "digest")
        const [ring, secret] = make()
        for (const { value } of digest.mock.results) copies.push(value as Uint8Array)
        for (const [, into] of encode.mock.calls) copies.push(into)
        expect(copies.length).toBeGreaterThan(0)
        for (const copy of copies) {
          expect([...copy].every((byte) => byte === 0)).toBe(true)
          expect(copy.buffer.byteLength).toBe(copy.length)
        }
        expect([...encryptingHalf(ring)].some((byte) => byte !== 0)).toBe(true)
        expect(secret === undefined || secret.some((byte) => byte !== 0)).toBe(true)
      })
    }
  })

  it.effect("K2: no dump of a ring shows key material", () =>
    Effect.gen(function*() {
      const material = randomBytes(64)
      const older = randomBytes(64)
      const ring = KeyRing.withPrevious(yield* KeyRing.fromBytes(material), yield* KeyRing.fromBytes(older))

      expect(Object.keys(ring)).toEqual([])
      expect(Reflect.ownKeys(ring)).toEqual([])
      for (const key in ring) expect.unreachable(`enumerable ${key}`)
      expect({ ...ring }).toEqual({})

      const logged: Array<string> = []
      const stdout = new Writable({ write: (chunk, _, done) => (logged.push(String(chunk)), done()) })
      const console = new Console({ stdout })
      console.log("a ring: %s %o %O %j", ring, ring, ring, ring, ring, { ring })
      console.dir(ring, { showHidden: true, depth: null })
      console.table([ring])
      const capture = Logger.make((options) => {
        for (const format of [Logger.stringLogger, Logger.logfmtLogger, Logger.jsonLogger]) {
          logged.push(format.log(options))
        }
        logged.push(inspect(Logger.structuredLogger.log(options), { depth: null, showHidden: true }))
      })
      yield* Effect.logInfo("a ring", ring, { ring }).pipe(
        Effect.annotateLogs({ ring }),
        Effect.provide(Logger.replace(Logger.defaultLogger, capture))
      )
      const dumps = [
        ...logged,
        String(ring),
        `${ring}`,
        JSON.stringify(ring),
        JSON.stringify({ ring }),
        inspect(ring),
        inspect({ ring }, { depth: null, showHidden: true, getters: true }),
        inspect(ring, { customInspect: false, depth: null, showHidden: true, getters: true }),
        Inspectable.toStringUnknown(ring),
        Inspectable.format({ ring }),
        JSON.stringify(Inspectable.toJSON({ ring })),
        inspect(structuredClone(ring))
      ]
      expect(logged).toHaveLength(7)
      expect(String(ring)).toBe("KeyRing(<redacted>)")
      expect(inspect(ring)).toBe("KeyRing(<redacted>)")
      expect(JSON.stringify({ ring })).toBe(`{"ring":"KeyRing(<redacted>)"}`)
      const all = dumps.join("\n")
      for (const key of [material, older]) {
        for (const half of [key.subarray(0, 32), key.subarray(32)]) {
          for (const part of [half.subarray(0, 6), half.subarray(12, 18)]) {
            for (const text of [part.toString("hex"), part.toString("base64"), part.join(","), part.join(", ")]) {
              expect(all).not.toContain(text)
            }
            expect(all).not.toContain(inspect(part).slice(8, -1))
          }
        }
      }
    }))

  it.effect("K2: an error about a key states its length and never its content", () =>
    Effect.gen(function*() {
      const text = "correct horse battery staple"
      const failed = yield* Effect.all([KeyRing.fromUtf8(text), KeyRing.derive(text)].map(Effect.either))
      for (const either of failed) {
        const error = Either.getOrThrow(Either.flip(either))
        for (const dump of [String(error), error.message, error.stack, inspect(error), JSON.stringify(error)]) {
          expect(dump).not.toMatch(/horse|staple/)
        }
      }
    }))

  it.effect("K4: the first key seals, all open, in the order of the ring", () =>
    Effect.gen(function*() {
      const [a, b, c] = [yield* KeyRing.generate, yield* KeyRing.generate, yield* KeyRing.generate]
      const ring = a.pipe(KeyRing.withPrevious(b), KeyRing.withPrevious(c))
      const opens = (by: KeyRing.KeyRing, sealed: string) => Option.isSome(PrivateCookie.open(by, "n", sealed))
      for (const one of [a, b, c]) expect(opens(ring, yield* PrivateCookie.seal(one, "n", "v"))).toBe(true)
      const sealed = yield* PrivateCookie.seal(ring, "n", "v")
      expect([a, b, c].map((one) => opens(one, sealed))).toEqual([true, false, false])
      const reversed = KeyRing.withPrevious(c, ring)
      const again = yield* PrivateCookie.seal(reversed, "n", "v")
      expect([a, b, c].map((one) => opens(one, again))).toEqual([false, false, true])
      // the rings that were combined stay as they were
      expect(opens(a, yield* PrivateCookie.seal(b, "n", "v"))).toBe(false)
    }))

  it.effect("K4: a ring holds at most 8 keys, and a key that it already has is not added again", () =>
    Effect.gen(function*() {
      let ring = yield* KeyRing.generate
      const first = ring
      const all = [ring]
      for (let i = 2; i <= 8; i++) {
        const next = yield* KeyRing.generate
        all.push(next)
        ring = KeyRing.withPrevious(ring, next)
      }
      for (const one of all) {
        expect(PrivateCookie.open(ring, "n", yield* PrivateCookie.seal(one, "n", "v"))).toEqual(Option.some("v"))
      }
      const ninth = yield* KeyRing.generate
      expect(() => KeyRing.withPrevious(ring, ninth)).toThrow(
        new RangeError("a key ring holds at most 8 keys, got 9: drop the oldest")
      )
      expect(() => KeyRing.withPrevious(ring, ring)).not.toThrow()
      expect(() => KeyRing.withPrevious(first, ring)).not.toThrow()
    }))

  it.effect("F6: a key with fewer than 8 distinct bytes in its encrypting half counts as weak, and so does an older key", () =>
    Effect.gen(function*() {
      const withDistinct = (distinct: number) => {
        const material = randomBytes(64)
        for (let i = 32; i < 64; i++) material[i] = i % distinct
        return KeyRing.fromBytes(material)
      }
      expect(hasWeakKey(yield* withDistinct(7))).toBe(true)
      expect(hasWeakKey(yield* withDistinct(8))).toBe(false)
      expect(hasWeakKey(yield* KeyRing.fromBytes(new Uint8Array(64)))).toBe(true)
      const strong = yield* KeyRing.generate
      expect(hasWeakKey(strong)).toBe(false)
      expect(hasWeakKey(KeyRing.withPrevious(strong, yield* withDistinct(1)))).toBe(true)
    }))
})

/** The platform offers no HKDF-Expand by itself. With two blocks it is short enough to be written down a second time. */
function expandReference(prk: Uint8Array): Buffer {
  const block = (previous: Uint8Array, n: number) =>
    createHmac("sha256", prk).update(Buffer.concat([previous, Buffer.from(info), Buffer.of(n)])).digest()
  const one = block(new Uint8Array(0), 1)
  return Buffer.concat([one, block(one, 2)])
}
