import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { cookieFile, key, placeholder, refusal, withConfig, withEnvironment } from "./given.js"

describe("an option in a file and in the environment", () => {
  it.effect("F2: a file and the environment declare the same configuration", () =>
    Effect.gen(function*() {
      const file = yield* SessionConfig.fromYaml(cookieFile.replace(placeholder, key))
      const environment = yield* withEnvironment({
        SESSION_ENABLE: "true",
        SESSION_NAME: "__loco_session",
        SESSION_HTTP_ONLY: "true",
        SESSION_SAME_SITE: "Lax",
        SESSION_EXPIRY: "3600",
        SESSION_SECURE: "false",
        SESSION_PATH: "/",
        SESSION_STORE: "Cookie",
        SESSION_PRIVATE_KEY: key
      })
      assert.deepStrictEqual(environment.options, file.options)
      assert.deepStrictEqual(
        yield* withEnvironment({ SESSION_STORE: "Tower" }),
        { options: {}, store: { type: "Tower" } }
      )
    }))

  it.effect("F2: a duration is a number of seconds or has a unit, in the environment and in a file", () =>
    Effect.gen(function*() {
      const { options } = yield* withEnvironment({
        SESSION_STORE: "Tower",
        SESSION_EXPIRY: "2 hours",
        SESSION_IDLE: " 90 minutes ",
        SESSION_ABSOLUTE_EXPIRY: "7 days",
        SESSION_STORE_TIMEOUT: "250 millis",
        SESSION_CLEANUP_INTERVAL: "1.5 minutes"
      })
      assert.deepStrictEqual(options, {
        expiry: Duration.hours(2),
        idle: Duration.minutes(90),
        absoluteExpiry: Duration.days(7),
        storeTimeout: Duration.millis(250),
        cleanupInterval: Duration.seconds(90)
      })
      const file = yield* SessionConfig.fromUnknown(withConfig({ expiry: "2 hours", absolute_expiry: "7 days" }))
      assert.deepStrictEqual(file.options, {
        expiry: Duration.hours(2),
        absoluteExpiry: Duration.days(7)
      })
      for (
        const text of ["2", "2h", "hours", "-2 hours", "-2", "2 Hours", "Infinity", "never", `${"9".repeat(400)} days`]
      ) {
        const declared = { SESSION_STORE: "Tower", SESSION_EXPIRY: text }
        if (text === "2") yield* withEnvironment(declared)
        else assert.include((yield* refusal(withEnvironment(declared))).message, "a duration with its unit", text)
      }
    }))

  it.effect("F1: the type of the store is accepted in any case of letters, and Server is another word for Tower", () =>
    Effect.gen(function*() {
      const spellings = [
        ...["Cookie", "cookie", "COOKIE", " cookie "].map((type) => [type, "Cookie"]),
        ...["Memory", "memory", "mEMORY"].map((type) => [type, "Memory"]),
        ...["Tower", "tower", "TOWER", "Server", "server", "SERVER"].map((type) => [type, "Tower"])
      ]
      for (const [type, expected] of spellings) {
        const value = expected === "Cookie" ? { private_key: key } : undefined
        const block = { request_context: { session_store: { type, value } } }
        assert.strictEqual((yield* SessionConfig.fromUnknown(block)).store.type, expected, type)
        assert.strictEqual((yield* SessionConfig.fromYaml(JSON.stringify(block))).store.type, expected, type)
        const environment = yield* withEnvironment({ SESSION_STORE: type, SESSION_PRIVATE_KEY: key })
        assert.strictEqual(environment.store.type, expected, type)
      }
      for (const type of ["Redis", "cookies", "mem ory", "servers", "constructor", "__proto__", 1, null, ["Cookie"]]) {
        const error = yield* refusal(SessionConfig.fromUnknown({ request_context: { session_store: { type } } }))
        assert.deepStrictEqual(error.mistakes, [{
          path: "request_context.session_store.type",
          message: "must be Cookie, Memory or Tower (Server is another word for Tower)"
        }])
      }
    }))
})
