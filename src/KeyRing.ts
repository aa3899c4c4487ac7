/**
 * The keys that seal session cookies and private cookies.
 *
 * A ring has one key that seals and up to seven other keys that only open, so that a key can be replaced without signing
 * anyone out. Key material is 64 bytes, laid out as in the private cookie jar of the Rust `cookie` crate: bytes 0–31 are for
 * signing and bytes 32–63 are for encrypting. There is no default key.
 *
 * Key material that this module makes or copies lives in memory of its own, which is wiped as soon as the keys are prepared.
 * A `string` cannot be wiped, and an array that you pass in stays as it is: wipe it yourself when you no longer need it. Do not
 * make key material with `Buffer.from(text)`: small Buffers share their memory with unrelated ones.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Redacted from "effect/Redacted"
import { createHmac, randomFillSync } from "node:crypto"
import * as internal from "./internal/cookie/keyMaterial.js"
import type { KeyRing } from "./internal/cookie/keyMaterial.js"
import * as LastDay from "./internal/cookie/lastDay.js"
import { SessionConfigError } from "./SessionError.js"

export { type KeyRing, TypeId } from "./internal/cookie/keyMaterial.js"

const mistake = (message: string): SessionConfigError =>
  new SessionConfigError({ mistakes: [{ path: "private_key", message }] })

const tooShort = (least: number, got: number): SessionConfigError =>
  mistake(`key material is too short: expected >= ${least} bytes, got ${got} bytes`)

type Made = KeyRing | SessionConfigError

/**
 * The constructors act when they are called, not when their effect runs: what the caller does to its array in between must
 * not count. What throws (a `Redacted` whose value was wiped) becomes a defect.
 */
const eager = (make: () => Made): Effect.Effect<KeyRing, SessionConfigError> => {
  try {
    const made = make()
    return made instanceof SessionConfigError ? Effect.fail(made) : Effect.succeed(made)
  } catch (defect) {
    return Effect.die(defect)
  }
}

const reveal = <A>(value: A | Redacted.Redacted<A>): A => Redacted.isRedacted(value) ? Redacted.value(value) : value

const ofMaterial = (material: Uint8Array): Made =>
  material.length < internal.materialLength
    ? tooShort(internal.materialLength, material.length)
    : internal.make([internal.key(material)])

/** Uses bytes that were made for this one use, and wipes them. */
const thenWipe = <A>(bytes: Uint8Array, use: (bytes: Uint8Array) => A): A => {
  try {
    return use(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** Makes a ring of a text's UTF-8. A lone surrogate has no UTF-8, and replacing it would turn two secrets into one. */
const ofUtf8 = (text: string, make: (bytes: Uint8Array) => Made): Made => {
  if (!text.isWellFormed()) return mistake("key material is not well-formed Unicode: it has a lone surrogate")
  const bytes = internal.allocate(Buffer.byteLength(text))
  new TextEncoder().encodeInto(text, bytes)
  return thenWipe(bytes, make)
}

/**
 * A ring of one key from at least 64 random bytes. The first 64 bytes count, and they are copied at the call.
 *
 * Fails with `SessionConfigError` when there are fewer.
 *
 * @example
 * ```ts
 * import { KeyRing } from "effect-session"
 * import { Effect, Redacted } from "effect"
 * import { readFile } from "node:fs/promises"
 *
 * const program = Effect.gen(function*() {
 *   const material = yield* Effect.promise(() => readFile("session.key"))
 *   return yield* KeyRing.fromBytes(Redacted.make(material))
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
 * A ring of one key from a text whose UTF-8 has at least 64 bytes. The first 64 bytes count.
 *
 * This is for configuration that holds its key as text. A text has less randomness than its length suggests: prefer
 * `fromBytes`, or `derive` from a random secret. Fails with `SessionConfigError` when the text is too short or has a lone
 * surrogate.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUtf8 = (
  text: string | Redacted.Redacted<string>
): Effect.Effect<KeyRing, SessionConfigError> => eager(() => ofUtf8(reveal(text), ofMaterial))

/** The fewest bytes of a secret: the strength of the keys that are made from it (256 bits). */
const minSecret = 32

const info = "COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM"

/**
 * HKDF-Expand (RFC 5869, 2.3) with SHA-256 to 64 bytes, which are two blocks. It is written out because the platform's `hkdf`
 * always extracts first, and the jar takes the secret as the pseudorandom key itself.
 */
const expand = (secret: Uint8Array): Uint8Array => {
  const first = createHmac("sha256", secret).update(info).update(Uint8Array.of(1)).digest()
  const second = createHmac("sha256", secret).update(first).update(info).update(Uint8Array.of(2)).digest()
  const material = internal.allocate(internal.materialLength)
  material.set(first)
  material.set(second, first.length)
  first.fill(0)
  second.fill(0)
  return material
}

const ofSecret = (secret: Uint8Array): Made =>
  secret.length < minSecret ? tooShort(minSecret, secret.length) : thenWipe(expand(secret), ofMaterial)

/**
 * A ring of one key that is derived from a random secret of at least 32 bytes (a text counts in UTF-8), as
 * `Key::derive_from` of the Rust `cookie` crate derives it: HKDF-Expand with SHA-256 (RFC 5869).
 *
 * The secret is not stretched, so a password is not a secret for this purpose. Fails with `SessionConfigError` when the
 * secret is too short, or is a text with a lone surrogate.
 *
 * @since 0.1.0
 * @category constructors
 */
export const derive = (
  secret: string | Uint8Array | Redacted.Redacted<string | Uint8Array>
): Effect.Effect<KeyRing, SessionConfigError> =>
  eager(() => {
    const revealed = reveal<string | Uint8Array>(secret)
    return typeof revealed === "string" ? ofUtf8(revealed, ofSecret) : ofSecret(revealed)
  })

/**
 * A ring of one new random key, for tests and for processes whose cookies need not outlive them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generate: Effect.Effect<KeyRing> = Effect.sync(() =>
  internal.make([thenWipe(randomFillSync(internal.allocate(internal.materialLength)), internal.key)])
)

const append = (self: KeyRing, others: KeyRing): KeyRing => {
  const keys = [...internal.keys(self)]
  for (const key of internal.keys(others)) {
    if (!keys.some(({ object }) => object.equals(key.object))) keys.push(key)
  }
  if (keys.length > internal.maxKeys) {
    throw new RangeError(`a key ring holds at most ${internal.maxKeys} keys, got ${keys.length}: drop the oldest`)
  }
  return internal.make(keys)
}

/**
 * A ring of the keys of `self`, the first of which seals, followed by those of `older`, which only open. A key that is in the
 * ring already is not added again.
 *
 * This is the second step of replacing a key: once every instance of the app opens with the new key ({@link withNext}), the
 * new key seals and the old one stays behind it. Sessions are sealed again with the new key as they are used. Drop the old key
 * when the longest session has ended, or give it a last day ({@link withLastDay}). Throws a `RangeError` when the ring would have more than 8 keys,
 * because a value that no key opens costs one try for each of them. (Keys that come from configuration are counted there,
 * with a typed error.)
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
} = dual(2, append)

/**
 * A ring of the keys of `self`, the first of which seals, followed by those of `next`, which only open for now.
 *
 * This is the first step of replacing a key: while a deploy is in progress, no instance of the app meets a seal that it cannot
 * open. When every instance runs with it, the new key may seal ({@link withPrevious}). Throws a `RangeError` as
 * {@link withPrevious} does.
 *
 * @example
 * ```ts
 * import { KeyRing } from "effect-session"
 * import { Config, Effect } from "effect"
 *
 * // the first deploy: the current key seals, and both open
 * const added = Effect.gen(function*() {
 *   const current = yield* KeyRing.derive(yield* Config.redacted("SESSION_SECRET"))
 *   const next = yield* KeyRing.derive(yield* Config.redacted("SESSION_NEXT_SECRET"))
 *   return KeyRing.withNext(current, next)
 * })
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const withNext: {
  (next: KeyRing): (self: KeyRing) => KeyRing
  (self: KeyRing, next: KeyRing): KeyRing
} = dual(2, append)

/**
 * A ring of the same keys, which open nothing once the day is over, and stay in place.
 *
 * - `day`: a day of the calendar as `YYYY-MM-DD`. It ends at midnight UTC. A key that has an earlier last day keeps that.
 *
 * It is for older keys, so that nobody has to remember to drop them. A ring whose first key has a last day must not seal
 * sessions: `SessionStore.layerCookie` refuses it at start-up. Fails with `SessionConfigError` for any other text.
 *
 * @example
 * ```ts
 * import { KeyRing } from "effect-session"
 * import { Effect } from "effect"
 *
 * declare const current: KeyRing.KeyRing
 * declare const old: KeyRing.KeyRing
 *
 * const keys = KeyRing.withLastDay(old, "2026-12-31").pipe(
 *   Effect.map((ending) => KeyRing.withPrevious(current, ending))
 * )
 * ```
 *
 * @since 1.0.0
 * @category combinators
 */
export const withLastDay: {
  (day: string): (self: KeyRing) => Effect.Effect<KeyRing, SessionConfigError>
  (self: KeyRing, day: string): Effect.Effect<KeyRing, SessionConfigError>
} = dual(2, (self: KeyRing, day: string): Effect.Effect<KeyRing, SessionConfigError> => {
  const end = LastDay.endOf(day)
  return end === undefined
    ? Effect.fail(new SessionConfigError({ mistakes: [{ path: "last_day", message: LastDay.accepted }] }))
    : Effect.succeed(internal.ending(self, end))
})
