import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { vi } from "vitest"
import { keyNames } from "../../src/internal/config/environment.js"
import { failing, prefixed } from "../support/providers.js"
import { key, olderKey, pathsOf, printed, refusal, ring, sealsLike, withEnvironment } from "./given.js"

describe("the environment", () => {
  const all: Record<string, string> = {
    SESSION_ENABLE: "true",
    SESSION_NAME: "sid",
    SESSION_HTTP_ONLY: "no",
    SESSION_SECURE: "YES",
    SESSION_SAME_SITE: "None",
    SESSION_PATH: "/app",
    SESSION_DOMAIN: "example.com",
    SESSION_PARTITIONED: "1",
    SESSION_EXPIRY: " 3600 ",
    SESSION_IDLE: "60",
    SESSION_ABSOLUTE_EXPIRY: "never",
    SESSION_REFRESH_AFTER: "0.5",
    SESSION_STORE_TIMEOUT: "0.25",
    SESSION_RENEW_GRACE: "0",
    SESSION_MAX_DUPLICATES: "2",
    SESSION_MAX_SESSION_BYTES: "1000",
    SESSION_CLEANUP_INTERVAL: "never",
    SESSION_STORE: "Memory",
    SESSION_MAX_SESSIONS: "10",
    SESSION_MAX_BYTES: "1000000000"
  }

  const expected: SessionConfig.FileConfig = {
    options: {
      enable: true,
      name: "sid",
      httpOnly: false,
      secure: true,
      sameSite: "none",
      path: "/app",
      domain: "example.com",
      partitioned: true,
      expiry: Duration.seconds(3600),
      idle: Duration.seconds(60),
      absoluteExpiry: Duration.infinity,
      refreshAfter: 0.5,
      storeTimeout: Duration.seconds(0.25),
      renewGrace: Duration.zero,
      maxDuplicates: 2,
      maxSessionBytes: 1000,
      cleanupInterval: Duration.infinity
    },
    store: { type: "Memory", maxSessions: 10, maxBytes: 1_000_000_000 }
  }

  it.effect("F2: every option can be read by its name from any ConfigProvider", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* withEnvironment(all), expected)
      assert.deepStrictEqual(
        yield* SessionConfig.fromConfig.pipe(Effect.withConfigProvider(ConfigProvider.fromJson(all))),
        expected
      )
      assert.deepStrictEqual(
        yield* SessionConfig.fromConfig.pipe(Effect.withConfigProvider(prefixed("APP", all))),
        expected
      )
    }))

  it.effect("F2: environment variables are read by default, and an empty one counts as absent", () =>
    Effect.gen(function*() {
      vi.stubEnv("SESSION_STORE", "Cookie")
      vi.stubEnv("SESSION_PRIVATE_KEY", key)
      vi.stubEnv("SESSION_SECRET", "")
      vi.stubEnv("SESSION_DOMAIN", "")
      vi.stubEnv("SESSION_EXPIRY", "60")
      const file = yield* SessionConfig.fromConfig
      assert.deepStrictEqual(file.options, { expiry: Duration.seconds(60) })
      assert.isTrue(yield* sealsLike(file, yield* ring(key)))
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs()))))

  it.effect("F2: SessionConfig.duration reads a variable as fromConfig does, and repeats nothing that it refuses", () =>
    Effect.gen(function*() {
      const read = (text: string) =>
        SessionConfig.duration("SESSION_EXPIRY").pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["SESSION_EXPIRY", text]])))
        )
      assert.deepStrictEqual(yield* read("3600"), Duration.hours(1))
      assert.deepStrictEqual(yield* read("1 hour"), Duration.hours(1))
      assert.deepStrictEqual(yield* read("never"), Duration.infinity)
      const error = yield* Effect.flip(read(key))
      for (const part of ["SESSION_EXPIRY", "must be a number of seconds"]) assert.include(String(error), part)
      assert.notInclude(yield* printed(error), key)
    }))

  it.effect("F3: a key in a variable that nothing reads is a mistake", () =>
    Effect.gen(function*() {
      const names = ["SESSION_PREVIOUS_SECRET", "SESSION_SECRET_PREVIOUS", "SESSION_PREVIOUS_SECRET_0"]
      const keys = ["SESSION_PREVIOUS_KEY", "SESSION_PRIVATE_KEY_PREVIOUS", "SESSION_PREVIOUS_KEY_8"]
      for (const name of [...names, ...keys]) {
        const error = yield* refusal(
          withEnvironment({ SESSION_STORE: "Cookie", SESSION_SECRET: key, [name]: olderKey })
        )
        assert.deepStrictEqual(pathsOf(error), [name])
        assert.include(error.message, names.includes(name) ? "SESSION_PREVIOUS_SECRET_1" : "SESSION_PREVIOUS_KEY_1")
        assert.notInclude(yield* printed(error), olderKey)
      }
      // The docstrings of KeyRing name variables that are read.
      const docs = readFileSync(new URL("../../src/KeyRing.ts", import.meta.url), "utf8")
      for (const [name] of docs.matchAll(/SESSION_\w+/g)) {
        assert.include([...keyNames, "SESSION_KEY"], name)
      }
    }))

  it.effect("F3: all mistakes in the environment are reported at once, each with its variable", () =>
    Effect.gen(function*() {
      const error = yield* refusal(withEnvironment({
        SESSION_ENABLE: "maybe",
        SESSION_NAME: "two words",
        SESSION_HTTP_ONLY: "2",
        SESSION_SAME_SITE: "lax",
        SESSION_EXPIRY: "1h",
        SESSION_ABSOLUTE_EXPIRY: "Infinity",
        SESSION_REFRESH_AFTER: "NaN",
        SESSION_MAX_DUPLICATES: "1.5",
        SESSION_STORE_TIMEOUT: "-1",
        SESSION_PATH: "app",
        SESSION_STORE: "Cookie",
        SESSION_PRIVATE_KEY: "short",
        SESSION_SECRET: "short",
        SESSION_PREVIOUS_KEY_1: "short"
      }))
      assert.sameMembers(pathsOf(error), [
        "SESSION_ENABLE",
        "SESSION_NAME",
        "SESSION_HTTP_ONLY",
        "SESSION_SAME_SITE",
        "SESSION_EXPIRY",
        "SESSION_ABSOLUTE_EXPIRY",
        "SESSION_REFRESH_AFTER",
        "SESSION_MAX_DUPLICATES",
        "SESSION_STORE_TIMEOUT",
        "SESSION_PATH",
        "SESSION_PRIVATE_KEY", // given together with the secret …
        "SESSION_PRIVATE_KEY", // … and too short
        "SESSION_SECRET",
        "SESSION_PREVIOUS_KEY_1"
      ])
      assert.deepStrictEqual(pathsOf(yield* refusal(withEnvironment({}))), ["SESSION_STORE"])
      assert.deepStrictEqual(pathsOf(yield* refusal(withEnvironment({ SESSION_STORE: "Redis" }))), ["SESSION_STORE"])
      assert.deepStrictEqual(
        pathsOf(
          yield* refusal(
            withEnvironment({ SESSION_STORE: "Memory", SESSION_MAX_BYTES: "0", SESSION_MAX_SESSIONS: "x" })
          )
        ),
        ["SESSION_MAX_SESSIONS", "SESSION_MAX_BYTES"]
      )
    }))

  it.effect("F3: a provider that fails becomes a typed mistake, which repeats nothing of the provider's message", () =>
    Effect.gen(function*() {
      const { kind, provider } = failing(`vault said ${key}`)
      const error = yield* refusal(SessionConfig.fromConfig.pipe(Effect.withConfigProvider(provider)))
      assert.include(pathsOf(error), "SESSION_STORE")
      assert.include(error.message, kind)
      assert.notInclude(yield* printed(error), key)
    }))
})
