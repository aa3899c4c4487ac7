/**
 * The keys that seal session cookies and private cookies.
 *
 * A ring has one key that seals and up to seven older ones that still open, so that a key is replaced without signing
 * anyone out. Key material is 64 octets, laid out as in the private cookie jar of the Rust `cookie` crate: octets 0–31
 * are for signing, octets 32–63 for encrypting. There is no default key.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Redacted from "effect/Redacted"
import { createHmac, randomBytes } from "node:crypto"
import * as internal from "./internal/cookie/keyMaterial.js"
import type { KeyRing } from "./internal/cookie/keyMaterial.js"
import { SessionConfigError } from "./SessionError.js"

export { type KeyRing, TypeId } from "./internal/cookie/keyMaterial.js"

const mistake = (message: string): SessionConfigError =>
  new SessionConfigError({ mistakes: [{ path: "private_key", message }] })

const tooShort = (least: number, got: number): SessionConfigError =>
  mistake(`key material is too short: expected >= ${least} bytes, got ${got} bytes`)

/**
 * The constructors act when they are called, not when their effect runs: what the caller does to its array in between
 * must not count. A throw (a `Redacted` whose value was wiped) is a defect.
 */
const eager = (make: () => KeyRing | SessionConfigError): Effect.Effect<KeyRing, SessionConfigError> => {
  try {
    const made = make()
    return made instanceof SessionConfigError ? Effect.fail(made) : Effect.succeed(made)
  } catch (defect) {
    return Effect.die(defect)
  }
}

const reveal = <A>(value: A | Redacted.Redacted<A>): A => Redacted.isRedacted(value) ? Redacted.value(value) : value

const ofMaterial = (material: Uint8Array): KeyRing | SessionConfigError =>
  material.length < internal.materialLength
    ? tooShort(internal.materialLength, material.length)
    : internal.make([internal.key(material)])

/** Octets of a text; a lone surrogate has none, and to replace it would make two secrets one. */
const utf8 = (text: string): Uint8Array | SessionConfigError =>
  text.isWellFormed() ? Buffer.from(text) : mistake("key material is not well-formed Unicode: it has a lone surrogate")

/**
 * A ring of one key from at least 64 random octets; the first 64 count, and they are copied at the call.
 *
 * Fails with `SessionConfigError` when there are fewer.
 *
 * @example
 * ```ts
 * import { KeyRing } from "effect-session"
 * import { Effect, Redacted } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const material = Redacted.make(new Uint8Array(Buffer.from(process.env.SESSION_KEY ?? "", "base64")))
 *   return yield* KeyRing.fromBytes(material)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes = (
  bytes: Uint8Array | Redacted.Redacted<Uint8Array>
): Effect.Effect<KeyRing, SessionConfigError> => eager(() => ofMaterial(reveal(bytes)))

/**
 * A ring of one key from a text whose UTF-8 has at least 64 octets; the first 64 count.
 *
 * For configuration that holds its key as text. A text has less randomness than its length: prefer `fromBytes`, or
 * `derive` from a random secret. Fails with `SessionConfigError` when it is too short, or has a lone surrogate.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUtf8 = (
  text: string | Redacted.Redacted<string>
): Effect.Effect<KeyRing, SessionConfigError> =>
  eager(() => {
    const octets = utf8(reveal(text))
    return octets instanceof SessionConfigError ? octets : ofMaterial(octets)
  })

/** The least octets of a secret: the strength of the keys made from it (256 bits). */
const minSecret = 32

const info = "COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM"

/**
 * HKDF-Expand (RFC 5869, 2.3) of SHA-256 to 64 octets, two blocks. Written out because the platform's `hkdf` always
 * extracts first, and the jar takes the secret as the pseudorandom key itself.
 */
const expand = (secret: Uint8Array): Uint8Array => {
  const first = createHmac("sha256", secret).update(info).update(Uint8Array.of(1)).digest()
  const second = createHmac("sha256", secret).update(first).update(info).update(Uint8Array.of(2)).digest()
  return Buffer.concat([first, second])
}

/**
 * A ring of one key derived from a random secret of at least 32 octets (a text counts in UTF-8), as the Rust `cookie`
 * crate's `Key::derive_from` derives it: HKDF-Expand with SHA-256 (RFC 5869).
 *
 * There is no stretching: a password is no secret for this. Fails with `SessionConfigError` when the secret is too
 * short, or is a text with a lone surrogate.
 *
 * @since 0.1.0
 * @category constructors
 */
export const derive = (
  secret: string | Uint8Array | Redacted.Redacted<string | Uint8Array>
): Effect.Effect<KeyRing, SessionConfigError> =>
  eager(() => {
    const revealed = reveal<string | Uint8Array>(secret)
    const octets = typeof revealed === "string" ? utf8(revealed) : revealed
    if (octets instanceof SessionConfigError) return octets
    return octets.length < minSecret ? tooShort(minSecret, octets.length) : ofMaterial(expand(octets))
  })

/**
 * A ring of one new random key, for tests and for processes whose cookies need not outlive them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generate: Effect.Effect<KeyRing> = Effect.sync(() =>
  internal.make([internal.key(randomBytes(internal.materialLength))])
)

/**
 * The keys of `self`, of which the first seals, and behind them those of `older`, which only open. A key that is there
 * already is not added again.
 *
 * To replace a key: deploy the new one with the old one behind it; sessions are re-sealed as they are used; drop the
 * old one when the longest session has ended. Throws a `RangeError` when the ring would have more than 8 keys: each one
 * costs a try for every value that none opens. (Keys that come from configuration are counted there, with a typed
 * error.)
 *
 * @example
 * ```ts
 * import { KeyRing } from "effect-session"
 * import { Config, Effect } from "effect"
 *
 * const keys = Effect.gen(function*() {
 *   const current = yield* KeyRing.derive(yield* Config.redacted("SESSION_SECRET"))
 *   const previous = yield* KeyRing.derive(yield* Config.redacted("SESSION_PREVIOUS_SECRET_1"))
 *   return KeyRing.withPrevious(current, previous)
 * })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPrevious: {
  (older: KeyRing): (self: KeyRing) => KeyRing
  (self: KeyRing, older: KeyRing): KeyRing
} = dual(2, (self: KeyRing, older: KeyRing): KeyRing => {
  const keys = [...internal.keys(self)]
  for (const key of internal.keys(older)) {
    if (!keys.some(({ object }) => object.equals(key.object))) keys.push(key)
  }
  if (keys.length > internal.maxKeys) {
    throw new RangeError(`a key ring holds at most ${internal.maxKeys} keys, got ${keys.length}: drop the oldest`)
  }
  return internal.make(keys)
})
