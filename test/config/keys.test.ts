import { assert, describe, it } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import {
  cookieFile,
  key,
  olderKey,
  opensWhat,
  pathsOf,
  placeholder,
  refusal,
  ring,
  sealsLike,
  withCookie,
  withEnvironment
} from "./given.js"

describe("the keys of the cookie store", () => {
  it.effect("F1: a placeholder, or a template that nothing expanded, is refused as a key", () =>
    Effect.gen(function*() {
      const templates = [
        placeholder,
        `<${"x".repeat(70)}>`,
        ` <${"x".repeat(70)}> `,
        `{{ get_env(name="SESSION_KEY", default="${"x".repeat(64)}") }}`,
        `\${SESSION_KEY:-${"x".repeat(64)}}`,
        `${"x".repeat(64)}\${SESSION_KEY}`
      ]
      const inFile = yield* refusal(SessionConfig.fromYaml(cookieFile))
      assert.deepStrictEqual(pathsOf(inFile), ["request_context.session_store.value.private_key"])
      assert.include(inFile.message, "placeholder")
      for (const private_key of templates) {
        const error = yield* refusal(SessionConfig.fromUnknown(withCookie({ private_key })))
        assert.deepStrictEqual(pathsOf(error), ["request_context.session_store.value.private_key"], private_key)
        assert.include(error.message, "placeholder", private_key)
        const inEnvironment = yield* refusal(
          withEnvironment({ SESSION_STORE: "Cookie", SESSION_PRIVATE_KEY: private_key })
        )
        assert.deepStrictEqual(pathsOf(inEnvironment), ["SESSION_PRIVATE_KEY"])
      }
      // YAML reads braces without quotes as a mapping.
      const bare = yield* refusal(SessionConfig.fromYaml(cookieFile.replace(placeholder, "{{ SESSION_KEY }}")))
      assert.deepStrictEqual(pathsOf(bare), ["request_context.session_store.value.private_key"])
      assert.include(bare.message, "template")
    }))

  it.effect("F1: a random key may contain brackets and braces", () =>
    Effect.gen(function*() {
      for (const text of [`a<b>c{d}$e${"f".repeat(64)}`, `<${"x".repeat(70)}`, `${"x".repeat(70)}>`]) {
        const file = yield* SessionConfig.fromUnknown(withCookie({ private_key: text }))
        assert.strictEqual(file.store.type, "Cookie")
      }
    }))

  it.effect("F1: a key is given as text, as a list of bytes or as !!binary", () =>
    Effect.gen(function*() {
      const text = "é".repeat(32) // 64 bytes, 32 characters
      const bytes = [...Buffer.from(text)]
      const fromText = yield* SessionConfig.fromYaml(cookieFile.replace(placeholder, `"${text}"`))
      const fromList = yield* SessionConfig.fromYaml(cookieFile.replace(placeholder, JSON.stringify(bytes)))
      const fromBinary = yield* SessionConfig.fromYaml(
        cookieFile.replace(placeholder, `!!binary "${Buffer.from(text).toString("base64")}"`)
      )
      const same = yield* KeyRing.fromBytes(Uint8Array.from(bytes))
      for (const file of [fromText, fromList, fromBinary]) assert.isTrue(yield* sealsLike(file, same))
      const wrong: ReadonlyArray<unknown> = [
        [...bytes, 256],
        [...bytes, -1],
        [...bytes, 1.5],
        [...bytes, "1"],
        [...bytes, null],
        12345,
        true,
        null,
        {}
      ]
      for (const private_key of wrong) {
        const error = yield* refusal(SessionConfig.fromUnknown(withCookie({ private_key })))
        assert.deepStrictEqual(pathsOf(error), ["request_context.session_store.value.private_key"])
      }
    }))

  it.effect("F1: a key below 64 bytes is refused with its length, and so is a missing key", () =>
    Effect.gen(function*() {
      const short = key.slice(0, 63)
      for (const private_key of [short, [...Buffer.from(short)]]) {
        const error = yield* refusal(SessionConfig.fromUnknown(withCookie({ private_key })))
        assert.deepStrictEqual(error.mistakes, [{
          path: "request_context.session_store.value.private_key",
          message: "key material is too short: expected >= 64 bytes, got 63 bytes"
        }])
      }
      for (const value of [undefined, {}]) {
        const error = yield* refusal(SessionConfig.fromUnknown(withCookie(value)))
        assert.deepStrictEqual(pathsOf(error), ["request_context.session_store.value.private_key"])
        assert.include(error.message, "missing")
      }
      const environment = yield* refusal(withEnvironment({ SESSION_STORE: "Cookie", SESSION_PRIVATE_KEY: short }))
      assert.deepStrictEqual(environment.mistakes, [{
        path: "SESSION_PRIVATE_KEY",
        message: "key material is too short: expected >= 64 bytes, got 63 bytes"
      }])
    }))

  it.effect("F1: the current key seals, previous keys open, secrets are derived, and 8 keys are the most", () =>
    Effect.gen(function*() {
      const secret = randomBytes(32).toString("hex")
      const olderSecret = randomBytes(32).toString("hex")
      const current = yield* ring(key)
      const older = yield* ring(olderKey)
      const derived = yield* KeyRing.derive(secret)
      const olderDerived = yield* KeyRing.derive(olderSecret)

      const rotated = yield* SessionConfig.fromUnknown(withCookie({
        previous_keys: [olderKey],
        previous_secrets: [olderSecret],
        private_key: key
      }))
      assert.isTrue(yield* sealsLike(rotated, current))
      for (const any of [current, older, olderDerived]) assert.isTrue(yield* opensWhat(rotated, any))
      assert.isFalse(yield* opensWhat(rotated, derived))

      const fromSecret = yield* SessionConfig.fromUnknown(withCookie({ secret, audience: "shop" }))
      assert.isTrue(yield* sealsLike(fromSecret, derived))
      assert.strictEqual(fromSecret.store.type === "Cookie" ? fromSecret.store.audience : undefined, "shop")

      const inEnvironment = yield* withEnvironment({
        SESSION_STORE: "Cookie",
        SESSION_SECRET: secret,
        SESSION_AUDIENCE: "shop",
        SESSION_PREVIOUS_KEY_2: olderKey,
        SESSION_PREVIOUS_SECRET_7: olderSecret
      })
      assert.isTrue(yield* sealsLike(inEnvironment, derived))
      for (const any of [derived, older, olderDerived]) assert.isTrue(yield* opensWhat(inEnvironment, any))

      const both = yield* refusal(SessionConfig.fromUnknown(withCookie({ private_key: key, secret })))
      assert.include(both.message, "keep one")
      const short = yield* refusal(
        SessionConfig.fromUnknown(withCookie({ secret: "short", previous_keys: ["x", "y"] }))
      )
      assert.deepStrictEqual(pathsOf(short), [
        "request_context.session_store.value.secret",
        "request_context.session_store.value.previous_keys[0]",
        "request_context.session_store.value.previous_keys[1]"
      ])
      const previous_keys = Array.from({ length: 8 }, () => randomBytes(64).toString("base64"))
      const many = yield* refusal(SessionConfig.fromUnknown(withCookie({ private_key: key, previous_keys })))
      assert.include(many.message, "9 keys")
      const most = yield* SessionConfig.fromUnknown(
        withCookie({ private_key: key, previous_keys: previous_keys.slice(1) })
      )
      assert.strictEqual(most.store.type, "Cookie")
      const noList = yield* refusal(
        SessionConfig.fromUnknown(withCookie({ private_key: key, previous_keys: olderKey }))
      )
      assert.deepStrictEqual(pathsOf(noList), ["request_context.session_store.value.previous_keys"])
    }))
})
