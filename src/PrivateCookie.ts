/**
 * Cookies that their browser can neither read nor change: sealed with AES-256-GCM in the format of the private cookie
 * jar of the Rust `cookie` crate, so that services in both languages share them.
 *
 * The sealed value is standard padded base64 of `nonce(12) ‖ ciphertext ‖ tag(16)`; the nonce is random for every seal,
 * the additional data is the cookie's name, so that a value moved to another name does not open.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { keyObjects } from "./internal/cookie/keyMaterial.js"
import * as privateJar from "./internal/cookie/privateJar.js"
import type { KeyRing } from "./KeyRing.js"

/** The last name in UTF-8: most apps have one or two, and encoding it for every value shows at 100 octets. */
let lastName = ""
let lastOctets: Uint8Array = new Uint8Array(0)

const nameOctets = (name: string): Uint8Array | undefined => {
  if (name === lastName) return lastOctets
  if (!name.isWellFormed()) return undefined
  lastOctets = Buffer.from(name)
  lastName = name
  return lastOctets
}

/**
 * The synchronous twin of {@link seal}, for hot paths: throws where `seal` dies.
 *
 * @example
 * ```ts
 * import { KeyRing, PrivateCookie } from "effect-session"
 *
 * declare const ring: KeyRing.KeyRing
 *
 * const sealed = PrivateCookie.unsafeSeal(ring, "flash", "Saved.")
 * ```
 *
 * @since 0.1.0
 * @category sealing
 */
export const unsafeSeal = (ring: KeyRing, name: string, value: string): string => {
  const octets = nameOctets(name)
  if (octets === undefined || !value.isWellFormed()) {
    throw new TypeError("a private cookie's name and value must be well-formed Unicode: there is a lone surrogate")
  }
  // A text has at most three octets for each unit: short ones, nearly all, are not counted.
  if (value.length * 3 > privateJar.maxTextOctets && Buffer.byteLength(value) > privateJar.maxTextOctets) {
    throw new RangeError(
      `a private cookie's value has at most ${privateJar.maxTextOctets} octets, got ${Buffer.byteLength(value)}`
    )
  }
  return privateJar.seal(keyObjects(ring)[0], octets, value)
}

/**
 * Seals a value under a cookie's name with the ring's first key; each run gives another text, with its own nonce.
 *
 * The result is made of `A–Z a–z 0–9 + / =`, all of which a cookie may hold as they are. Its length is
 * `4 * ceil((28 + octets) / 3)`; browsers take 4,096 octets of name and value together.
 *
 * A name or value with a lone surrogate cannot be written as UTF-8, and a value over 6,116 octets would not be opened
 * again: both are defects, never a value changed in silence. `JSON.stringify` escapes lone surrogates.
 *
 * @example
 * ```ts run
 * import { KeyRing, PrivateCookie } from "effect-session"
 * import { Effect, Option } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const ring = yield* KeyRing.generate
 *   const sealed = yield* PrivateCookie.seal(ring, "flash", "Saved.")
 *   const opened = PrivateCookie.open(ring, "flash", sealed)
 *   return Option.getOrThrow(opened)
 * })
 *
 * console.log(Effect.runSync(program)) // Saved.
 * ```
 *
 * @since 0.1.0
 * @category sealing
 */
export const seal: {
  (name: string, value: string): (ring: KeyRing) => Effect.Effect<string>
  (ring: KeyRing, name: string, value: string): Effect.Effect<string>
} = dual(
  3,
  (ring: KeyRing, name: string, value: string): Effect.Effect<string> =>
    Effect.sync(() => unsafeSeal(ring, name, value))
)

/**
 * The value that was sealed under this name with a key of the ring; none for everything else, whatever it is.
 *
 * Takes the value as a browser sends it, bare or percent-encoded (`%2B`, `%2F`, `%3D`). Strict: white space, url-safe
 * characters, missing padding, non-zero trailing bits, fewer than 28 octets or more than 8,192 characters are refused
 * before the cipher; a plaintext that is not UTF-8 is none as well.
 *
 * An authentic value is not a fresh one: whoever saw it may send it again for as long as the key is in the ring.
 *
 * @example
 * ```ts run
 * import { KeyRing, PrivateCookie } from "effect-session"
 * import { Effect, Option } from "effect"
 * import assert from "node:assert/strict"
 *
 * const ring = Effect.runSync(KeyRing.generate)
 * const sealed = Effect.runSync(PrivateCookie.seal(ring, "theme", "dark"))
 *
 * assert.deepEqual(PrivateCookie.open(ring, "theme", sealed), Option.some("dark"))
 * assert.deepEqual(PrivateCookie.open(ring, "theme", encodeURIComponent(sealed)), Option.some("dark"))
 *
 * // under another name, cut off, with another key: none, and never an error
 * assert.deepEqual(PrivateCookie.open(ring, "role", sealed), Option.none())
 * assert.deepEqual(PrivateCookie.open(ring, "theme", sealed.slice(0, -4)), Option.none())
 * assert.deepEqual(PrivateCookie.open(Effect.runSync(KeyRing.generate), "theme", sealed), Option.none())
 * ```
 *
 * @since 0.1.0
 * @category opening
 */
export const open: {
  (name: string, sealed: string): (ring: KeyRing) => Option.Option<string>
  (ring: KeyRing, name: string, sealed: string): Option.Option<string>
} = dual(3, (ring: KeyRing, name: string, sealed: string): Option.Option<string> => {
  const octets = nameOctets(name)
  const bare = sealed.includes("%") ? percentDecode(sealed) : sealed
  if (octets === undefined || bare === undefined) return Option.none()
  const opened = privateJar.open(keyObjects(ring), octets, bare)
  return Option.fromNullable(opened?.text)
})

const percentDecode = (sealed: string): string | undefined => {
  if (sealed.length > 3 * privateJar.maxSealedLength) return undefined
  try {
    return decodeURIComponent(sealed)
  } catch {
    return undefined
  }
}
