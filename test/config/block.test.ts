import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import {
  cookieFile,
  key,
  pathsOf,
  placeholder,
  refusal,
  resolved,
  ring,
  sealsLike,
  towerFile,
  withConfig,
  withEnvironment,
  withStore
} from "./given.js"

describe("the block in a file", () => {
  it.effect("F1: the example file for Cookie works once a real key replaces its placeholder", () =>
    Effect.gen(function*() {
      assert.include(cookieFile, placeholder)
      const file = yield* SessionConfig.fromYaml(cookieFile.replace(placeholder, key))
      assert.deepStrictEqual(file.options, {
        enable: true,
        name: "__loco_session",
        httpOnly: true,
        secure: false,
        sameSite: "lax",
        path: "/",
        expiry: Duration.seconds(3600)
      })
      assert.isTrue(yield* sealsLike(file, yield* ring(key)))
      const config = resolved(file.options)
      assert.strictEqual(config.name, "__loco_session")
      assert.strictEqual(config.idleMillis, 3_600_000)
      assert.isTrue(config.persistent)
      assert.isFalse(config.secure)
    }))

  it.effect("F1: the example file for Tower stands for the store that the app provides", () =>
    Effect.gen(function*() {
      const file = yield* SessionConfig.fromYaml(towerFile)
      assert.deepStrictEqual(file.store, { type: "Tower" })
      assert.strictEqual(file.options.sameSite, "strict")
      assert.isTrue(file.options.secure)
    }))

  it.effect("F1: the block may stand under server.middlewares; it is a mistake at both places and at neither", () =>
    Effect.gen(function*() {
      const block = { enable: false, session_store: { type: "Tower" } }
      const nested = yield* SessionConfig.fromUnknown({ server: { port: 1, middlewares: { request_context: block } } })
      assert.deepStrictEqual(nested, { options: { enable: false }, store: { type: "Tower" } })
      const indented = towerFile.split("\n").map((line) => `    ${line}`).join("\n")
      const fromText = yield* SessionConfig.fromYaml(`server:\n  middlewares:\n${indented}`)
      assert.deepStrictEqual(fromText, yield* SessionConfig.fromYaml(towerFile))

      const both = { request_context: block, server: { middlewares: { request_context: block } } }
      for (const decoded of [SessionConfig.fromUnknown(both), SessionConfig.fromYaml(JSON.stringify(both))]) {
        const error = yield* refusal(decoded)
        assert.deepStrictEqual(pathsOf(error), ["request_context"])
        assert.include(error.message, "twice")
      }
      const shapes = [{}, { server: null }, { server: { middlewares: [] } }, { server: { request_context: block } }]
      for (const without of [...shapes, [], "text", 1, null, undefined]) {
        const error = yield* refusal(SessionConfig.fromUnknown(without))
        assert.deepStrictEqual(pathsOf(error), ["request_context"])
        assert.include(error.message, "missing")
      }
    }))

  it.effect("F1: every option can be set in a file, with times in seconds", () =>
    Effect.gen(function*() {
      const { options } = yield* SessionConfig.fromUnknown(withConfig({
        name: "sid",
        http_only: false,
        secure: true,
        same_site: { type: "None" },
        path: "/app",
        domain: "example.com",
        partitioned: true,
        expiry: 1.5,
        idle: 60,
        absolute_expiry: "never",
        refresh_after: 0.5,
        renew_every: 3600,
        store_timeout: 0.25,
        renew_grace: 0,
        max_duplicates: 2,
        max_session_bytes: 1000,
        cleanup_interval: 30
      }))
      assert.deepStrictEqual(resolved({ ...options, commitWhen: undefined }), {
        enable: true,
        name: "sid",
        httpOnly: false,
        secure: true,
        sameSite: "none",
        path: "/app",
        domain: "example.com",
        partitioned: true,
        formerly: [],
        idleMillis: 1500,
        persistent: true,
        absoluteMillis: undefined,
        refreshAfter: 0.5,
        renewEveryMillis: 3_600_000,
        isActivity: undefined,
        storeTimeoutMillis: 250,
        commitWhen: resolved({}).commitWhen,
        maxDuplicates: 2,
        renewGraceMillis: 0,
        maxSessionBytes: 1000,
        cleanupIntervalMillis: 30_000
      })
      const memory = yield* SessionConfig.fromUnknown(
        withStore({ type: "Memory", value: { max_sessions: 10, max_bytes: 1_000_000_000 } })
      )
      assert.deepStrictEqual(memory.store, { type: "Memory", maxSessions: 10, maxBytes: 1_000_000_000 })
    }))

  it.effect("F1: a block that switches sessions off needs no store", () =>
    Effect.gen(function*() {
      const file = yield* SessionConfig.fromUnknown({ request_context: { enable: false } })
      assert.isFalse(resolved(file.options).enable)
      const environment = yield* withEnvironment({ SESSION_ENABLE: "false" })
      assert.isFalse(resolved(environment.options).enable)
      const on = yield* refusal(SessionConfig.fromUnknown({ request_context: { enable: true } }))
      assert.deepStrictEqual(pathsOf(on), ["request_context.session_store"])
    }))

  it.effect("F3: keys beside the block are ignored", () =>
    Effect.gen(function*() {
      const text = [
        "logger: { level: !env LOG_LEVEL, pretty: yes }",
        "bomb: &a [*a]",
        "server: { port: \"x\", middlewares: { cors: { enable: nonsense } }, <<: { a: 1 } }",
        towerFile
      ].join("\n")
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(text), yield* SessionConfig.fromYaml(towerFile))
      const file = yield* SessionConfig.fromUnknown({
        get beside(): never {
          throw new Error("must not be read")
        },
        requestContext: 1,
        ...withStore({ type: "Tower" })
      })
      assert.deepStrictEqual(file, { options: { enable: true }, store: { type: "Tower" } })
    }))
})
