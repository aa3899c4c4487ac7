import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { randomBytes } from "node:crypto"
import {
  cookieFile,
  key,
  pathsOf,
  placeholder,
  printed,
  refusal,
  withConfig,
  withCookie,
  withEnvironment,
  withStore
} from "./given.js"

describe("mistakes", () => {
  it.effect("F3: all mistakes in a block are reported at once, each with its path and what is accepted", () =>
    Effect.gen(function*() {
      const block = {
        enable: "yes",
        enabled: true,
        session_config: {
          name: "two words",
          http_only: 1,
          same_site: { type: "lax", strict: true },
          expiry: "3600",
          secure: null,
          path: "app",
          domain: ["example.com"],
          max_age: 5,
          store_timeout: Infinity,
          refresh_after: 2
        },
        session_store: { type: "Cookie", value: { private_key: "short", key: "x", audience: 5 }, options: {} }
      }
      const at = (prefix: string) => [
        `${prefix}.enabled`,
        `${prefix}.enable`,
        `${prefix}.session_config.max_age`,
        `${prefix}.session_config.name`,
        `${prefix}.session_config.http_only`,
        `${prefix}.session_config.same_site.strict`,
        `${prefix}.session_config.same_site.type`,
        `${prefix}.session_config.expiry`,
        `${prefix}.session_config.secure`,
        `${prefix}.session_config.path`,
        `${prefix}.session_config.domain`,
        `${prefix}.session_config.store_timeout`,
        `${prefix}.session_config.refresh_after`,
        `${prefix}.session_store.options`,
        `${prefix}.session_store.value.key`,
        `${prefix}.session_store.value.audience`,
        `${prefix}.session_store.value.private_key`
      ]
      const top = yield* refusal(SessionConfig.fromUnknown({ request_context: block }))
      assert.sameMembers(pathsOf(top), at("request_context"))
      for (const { message } of top.mistakes) {
        assert.match(message, /accepted: |must |expected >= 64 bytes/)
      }
      const nested = yield* refusal(SessionConfig.fromUnknown({ server: { middlewares: { request_context: block } } }))
      assert.sameMembers(pathsOf(nested), at("server.middlewares.request_context"))
      const inFile = yield* refusal(
        SessionConfig.fromYaml(JSON.stringify({ request_context: block }), "config/test.yaml")
      )
      assert.include(inFile.message, "(in config/test.yaml)")
    }))

  it.effect("F3: a message says what is accepted, in words that need no documentation", () =>
    Effect.gen(function*() {
      const block = (session_config: unknown, session_store: unknown = { type: "Memory" }) => ({
        request_context: { session_config, session_store }
      })
      const store = (type: string, value?: unknown) => block({}, { type, value })
      const messages: ReadonlyArray<readonly [unknown, string]> = [
        [{}, "request_context: is missing: it must stand at the top level or under server.middlewares"],
        [
          { request_context: "on" },
          "request_context: must be a mapping with enable, session_config, session_store"
        ],
        [
          { request_context: {} },
          "request_context.session_store: is missing: "
          + "it must be a mapping with a type (Cookie, Memory or Tower) and its value"
        ],
        [
          block({}, {}),
          "request_context.session_store.type: is missing: "
          + "it must be Cookie, Memory or Tower (Server is another word for Tower)"
        ],
        [
          block({ same_site: { type: "lax" } }),
          "request_context.session_config.same_site.type: must be Lax, Strict or None"
        ],
        [
          block({ same_site: "Lax" }),
          "request_context.session_config.same_site: must be a mapping with a type: Lax, Strict or None"
        ],
        [
          block({ http_only: "yes" }),
          "request_context.session_config.http_only: must be true or false"
        ],
        [
          block({ secure: null }),
          "request_context.session_config.secure: must be true or false; leave it out for the default"
        ],
        [
          block({ expiry: "soon" }),
          "request_context.session_config.expiry: must be a number of seconds, or a duration with its unit (2 hours)"
        ],
        [
          block({ expiry: 0 }),
          "request_context.session_config.expiry: must be a duration from 1 second to 400 days"
        ],
        [
          block({ refresh_after: "0.5" }),
          "request_context.session_config.refresh_after: must be a number from 0 to 1"
        ],
        [
          block({ same_site: { type: "None" }, secure: false }),
          "request_context.session_config.same_site: "
          + "SameSite=None needs Secure, because browsers refuse the cookie without it"
        ],
        [
          { request_context: { enabled: true, session_store: { type: "Memory" } } },
          "request_context.enabled: is not a known key; accepted: enable, session_config, session_store"
        ],
        [
          store("Tower", {}),
          "request_context.session_store.value: "
          + "must be left out, because the app provides the store that Tower stands for"
        ],
        [
          store("Cookie"),
          "request_context.session_store.value.private_key: is missing: "
          + "the Cookie store needs a key of at least 64 bytes, or a secret of at least 32 bytes"
        ],
        [
          store("Cookie", { private_key: [1, 2, 300, "x", 5] }),
          "request_context.session_store.value.private_key: must be a list of integers from 0 to 255; "
          + "2 entries are not, and entry 2 is the first of them (counted from 0)"
        ],
        [
          store("Memory", { max_sessions: "many" }),
          "request_context.session_store.value.max_sessions: must be an integer from 1 to 100000000"
        ]
      ]
      for (const [value, message] of messages) {
        const error = yield* refusal(SessionConfig.fromUnknown(value))
        assert.strictEqual(error.message, `the session configuration has a mistake\n  ${message}`)
      }
    }))

  it.effect("F3: a value of the wrong shape is a mistake anywhere in the block", () =>
    Effect.gen(function*() {
      const shapes: ReadonlyArray<readonly [unknown, ReadonlyArray<string>]> = [
        [null, [""]],
        ["text", [""]],
        [[], [""]],
        [{ session_store: null }, [".session_store"]],
        [{ session_store: "Memory" }, [".session_store"]],
        [{ session_store: {} }, [".session_store.type"]],
        [{ session_store: { type: "Redis" } }, [".session_store.type"]],
        [{ session_store: { type: "Tower", value: {} } }, [".session_store.value"]],
        [{ session_store: { type: "Cookie", value: key } }, [".session_store.value"]],
        [{ session_store: { type: "Memory", value: [] } }, [".session_store.value"]],
        [{ session_store: { type: "Memory", value: { private_key: key } } }, [".session_store.value.private_key"]],
        [{ session_store: { type: "Memory", value: { max_bytes: 0 } } }, [".session_store.value.max_bytes"]],
        [{ session_store: { type: "Memory", value: { max_bytes: 256 * 1024 } } }, [".session_store.value.max_bytes"]],
        [{ session_store: { type: "Memory", value: { max_sessions: 1e9 } } }, [".session_store.value.max_sessions"]],
        [{ session_store: { type: "Memory", value: { max_sessions: 1.5 } } }, [".session_store.value.max_sessions"]],
        [{ session_store: { type: "Tower" }, session_config: null }, [".session_config"]],
        [{ session_store: { type: "Tower" }, session_config: [] }, [".session_config"]],
        [{ session_store: { type: "Tower" }, session_config: { same_site: "Lax" } }, [".session_config.same_site"]],
        [{ session_store: { type: "Tower" }, session_config: { same_site: {} } }, [".session_config.same_site.type"]],
        [{ session_store: { type: "Tower" }, session_config: { commit_when: 1 } }, [".session_config.commit_when"]],
        [{ session_store: { type: "Tower" }, enable: null }, [".enable"]]
      ]
      for (const [request_context, paths] of shapes) {
        const error = yield* refusal(SessionConfig.fromUnknown({ request_context }))
        assert.deepStrictEqual(pathsOf(error), paths.map((path) => `request_context${path}`))
      }
    }))

  it.effect("F3: the key appears in no mistake, message, dump or log, wherever it was put", () =>
    Effect.gen(function*() {
      const places: ReadonlyArray<unknown> = [
        withCookie({ private_key: `${key}{{ x }}` }),
        withCookie({ private_key: `<${key}>` }),
        withCookie({ private_key: key.slice(0, 60) }),
        withCookie({ private_key: { [key]: null } }),
        withCookie({ private_key: [key] }),
        withCookie({ private_key: key, previous_keys: [`\${${key}}`] }),
        withCookie({ [key]: "private_key" }),
        withCookie(key),
        withStore({ type: key }),
        withStore({ type: "Cookie", value: {}, [key]: 1 }),
        withStore(key),
        { request_context: key },
        { request_context: { [key]: {} } },
        withConfig({ name: `${key} ` }),
        withConfig({ path: key }),
        withConfig({ domain: `${key};` }),
        withConfig({ secure: key }),
        withConfig({ expiry: key }),
        withConfig({ same_site: { type: key } }),
        withConfig({ same_site: { [key]: key } }),
        withConfig({ [key]: key })
      ]
      const secret = key.slice(0, 60)
      for (const place of places) {
        const error = yield* refusal(SessionConfig.fromUnknown(place))
        assert.notInclude(yield* printed(error), secret, JSON.stringify(Object.keys(place as object)))
      }
      const file = yield* SessionConfig.fromYaml(cookieFile.replace(placeholder, key))
      const everything = yield* printed(file)
      for (
        const form of [key, ...[...Buffer.from(key)].join(", ").match(/.{60}/g)!, Buffer.from(key).toString("hex")]
      ) {
        assert.notInclude(everything, form)
      }
      const names = [
        "SESSION_NAME",
        "SESSION_PATH",
        "SESSION_DOMAIN",
        "SESSION_SECURE",
        "SESSION_EXPIRY",
        "SESSION_STORE"
      ]
      const environment = yield* refusal(withEnvironment({
        ...Object.fromEntries(names.map((name) => [name, `${key} `])),
        SESSION_SAME_SITE: key
      }))
      assert.strictEqual(environment.mistakes.length, 7)
      assert.notInclude(yield* printed(environment), secret)
    }))

  it.effect("F3: even the shortest secret appears in no mistake when it stands where a name belongs", () =>
    Effect.gen(function*() {
      for (const secret of [randomBytes(16).toString("hex"), "a".repeat(32), "correct-horse-battery-staple-abc"]) {
        assert.strictEqual(secret.length, 32)
        const places: ReadonlyArray<unknown> = [
          { request_context: { [secret]: "x" } },
          withCookie({ private_key: key, [secret]: "secret" }),
          withStore({ type: "Tower", [secret]: 1 }),
          withConfig({ [secret]: 1 }),
          withConfig({ same_site: { [secret]: 1 } })
        ]
        for (const place of places) {
          const error = yield* refusal(SessionConfig.fromUnknown(place))
          assert.include(error.message, "has an unknown key")
          assert.notInclude(yield* printed(error), secret)
          const inFile = yield* refusal(SessionConfig.fromYaml(JSON.stringify(place), "a.yaml"))
          assert.notInclude(yield* printed(inFile), secret)
        }
      }
      const misspelt = yield* refusal(SessionConfig.fromUnknown(withConfig({ max_session_byte: 1, maxAge: 1 })))
      assert.deepStrictEqual(pathsOf(misspelt), [
        "request_context.session_config.max_session_byte",
        "request_context.session_config.maxAge"
      ])
    }))

  it.effect("F3: any JSON in place of any part of the block decodes or fails with a typed error, never with a defect", () =>
    Effect.gen(function*() {
      const parts = ["request_context", "enable", "session_config", "session_store", "same_site", "value", "type"]
      const json = FastCheck.jsonValue({ maxDepth: 3 })
      const decoded = (value: unknown) => Effect.runSync(Effect.either(SessionConfig.fromUnknown(value)))
      FastCheck.assert(
        FastCheck.property(
          FastCheck.constantFrom(...parts),
          json,
          FastCheck.constantFrom("Cookie", "Memory"),
          (part, any, type) => {
            const text = JSON.stringify({
              request_context: {
                enable: true,
                session_config: { same_site: { type: "Lax" } },
                session_store: { type, value: type === "Cookie" ? { private_key: key } : {} }
              }
            }, (name, value: unknown) => name === part ? any : value)
            const result = decoded(JSON.parse(text))
            if (Either.isLeft(result)) assert.isAbove(result.left.mistakes.length, 0)
          }
        ),
        { numRuns: 500 }
      )
      for (
        const hostile of [
          new Proxy({}, {
            get: () => {
              throw new Error(key)
            },
            ownKeys: () => {
              throw new Error(key)
            }
          }),
          {
            request_context: {
              get session_store(): never {
                throw new Error(key)
              }
            }
          }
        ]
      ) {
        const error = yield* refusal(SessionConfig.fromUnknown(hostile))
        assert.notInclude(yield* printed(error), key)
      }
      const polluted = JSON.parse(
        `{"request_context": {"__proto__": {"enable": false}, "session_store": {"type": "Tower"}}}`
      )
      const error = yield* refusal(SessionConfig.fromUnknown(polluted))
      assert.deepStrictEqual(pathsOf(error), ["request_context.__proto__"])
    }))
})
