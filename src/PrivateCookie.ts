/**
 * Cookies that their browser can neither read nor change. They are sealed with AES-256-GCM in the format of the private cookie
 * jar of the Rust `cookie` crate, so that services in both languages can share them.
 *
 * The sealed value is standard padded base64 of `nonce(12) ‖ ciphertext ‖ tag(16)`. The nonce is random for every seal. The
 * additional data is the cookie's name, so that a value that is moved to another name does not open.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { decodePercent } from "./internal/codec/percent.js"
import { keyObjects, opening } from "./internal/cookie/keyMaterial.js"
import * as privateJar from "./internal/cookie/privateJar.js"
import type { KeyRing } from "./KeyRing.js"

/** The last name and its UTF-8. Most apps have one or two names, and encoding the name each time is felt with short values. */
let lastName = ""
let lastBytes: Uint8Array = new Uint8Array(0)

/** The UTF-8 of a name; undefined where a lone surrogate has none. */
const nameBytes = (name: string): Uint8Array | undefined => {
  if (name === lastName) return lastBytes
  if (!name.isWellFormed()) return undefined
  lastBytes = Buffer.from(name)
  lastName = name
  return lastBytes
}

/**
 * The synchronous form of {@link seal}, for hot paths. It throws where `seal` dies.
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
  const bytes = nameBytes(name)
  if (bytes === undefined || !value.isWellFormed()) {
    throw new TypeError("a private cookie's name and value must be well-formed Unicode, but there is a lone surrogate")
  }
  // A text of n code units has at most 3n bytes of UTF-8: most values are too short to need counting.
  if (value.length * 3 > privateJar.maxTextBytes && Buffer.byteLength(value) > privateJar.maxTextBytes) {
    throw new RangeError(
      `a private cookie's value has at most ${privateJar.maxTextBytes} bytes, got ${Buffer.byteLength(value)}`
    )
  }
  return privateJar.seal(keyObjects(ring)[0], bytes, value)
}

/**
 * Seals a value under a cookie's name with the ring's first key. Each run uses a nonce of its own and gives another text.
 *
 * The result is made of `A–Z a–z 0–9 + / =`, all of which a cookie may hold as they are. The length of the result is
 * `4 * ceil((28 + bytes) / 3)` characters for a value of so many bytes of UTF-8. Browsers accept 4,096 bytes of name and value
 * together.
 *
 * A name or value with a lone surrogate cannot be written as UTF-8, and a value over 6,116 bytes could not be opened again.
 * Both are defects; a value is never changed silently. `JSON.stringify` escapes lone surrogates.
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
 * Returns the value that was sealed under this name with a key of the ring, and `None` for anything else.
 *
 * It takes the value as a browser sends it, bare or percent-encoded (`%2B`, `%2F`, `%3D`). Decoding is strict: white space,
 * url-safe characters, missing padding, non-zero trailing bits, fewer than 28 bytes and more than 8,192 characters are refused
 * before the cipher is asked. A plaintext that is not valid UTF-8 is rejected too.
 *
 * An authentic value need not be a fresh one: whoever saw it may send it again for as long as the key is in the ring, or until
 * the end of the key's last day (`KeyRing.withLastDay`), by the clock of the system.
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
 * // under another name, cut off, or with another key: `None`, and never an error
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
  // Three characters of an escape become one.
  if (sealed.length > 3 * privateJar.maxSealedLength) return Option.none()
  const bytes = nameBytes(name)
  const bare = sealed.includes("%") ? decodePercent(sealed) : sealed
  if (bytes === undefined || bare === undefined) return Option.none()
  const opened = privateJar.open(opening(ring, Date.now()), bytes, bare)
  return Option.fromNullable(opened?.text)
})
