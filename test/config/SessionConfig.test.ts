import * as Cookies from "@effect/platform/Cookies"
import { assert, describe, it } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as PrivateCookie from "effect-session/PrivateCookie"
import * as SessionConfig from "effect-session/SessionConfig"
import type { SessionConfigError } from "effect-session/SessionError"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { vi } from "vitest"
import { decodeFile } from "../../src/internal/config/block.js"
import { keyNames } from "../../src/internal/config/environment.js"
import { environmentName, fields, fileName } from "../../src/internal/config/fields.js"
import { parse } from "../../src/internal/config/yaml.js"

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8")

const placeholder = "<YOUR_PRIVATE_KEY_AT_LEAST_64_BYTES>"
const seedCookie = fixture("cookie.yaml")
const seedTower = fixture("tower.yaml")

/** Made anew for every run; the letter in front keeps one that starts with a slash from being a path. */
const key = `k${randomBytes(64).toString("base64")}`
const olderKey = `o${randomBytes(64).toString("base64")}`

const day = 24 * 60 * 60 * 1000

const pathsOf = (error: SessionConfigError) => error.mistakes.map(({ path }) => path)

const resolved = (options: SessionConfig.SessionConfigOptions, kind: "client" | "server" = "server") =>
  Either.getOrThrowWith(SessionConfig.resolve(options, kind), (error) => error)

/** Options as plain JavaScript or a file may hold them, checked by nobody. */
const unchecked = (options: Record<string, unknown>) => options as SessionConfig.SessionConfigOptions

const refused = (options: SessionConfig.SessionConfigOptions, kind: "client" | "server" = "server") =>
  Either.getOrThrow(Either.flip(SessionConfig.resolve(options, kind)))

const refusedPaths = (options: Record<string, unknown>) => pathsOf(refused(unchecked(options)))

/** A block with a working store, and these session options. */
const withConfig = (session_config: Record<string, unknown>) => ({
  request_context: { session_config, session_store: { type: "Memory" } }
})

const withStore = (session_store: unknown) => ({ request_context: { enable: true, session_store } })

const withCookie = (value: unknown) => withStore({ type: "Cookie", value })

const refusal = (decoded: Effect.Effect<SessionConfig.FileConfig, SessionConfigError>) => Effect.flip(decoded)

/** Whether a value sealed by `by` is opened by the ring that was configured. */
const opensWhat = (file: SessionConfig.FileConfig, by: KeyRing.KeyRing) =>
  Effect.map(
    PrivateCookie.seal(by, "name", "value"),
    (sealed) => file.store.type === "Cookie" && Option.isSome(PrivateCookie.open(file.store.keys, "name", sealed))
  )

const sealsLike = (file: SessionConfig.FileConfig, by: KeyRing.KeyRing) =>
  file.store.type === "Cookie"
    ? Effect.map(
      PrivateCookie.seal(file.store.keys, "name", "value"),
      (sealed) => Option.isSome(PrivateCookie.open(by, "name", sealed))
    )
    : Effect.succeed(false)

const ring = (text: string) => KeyRing.fromUtf8(text)

/** Everything a process may print of a value. */
const printed = (value: unknown) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const logger = Logger.make((options) => {
      for (const format of [Logger.stringLogger, Logger.jsonLogger, Logger.logfmtLogger]) {
        lines.push(format.log(options))
      }
    })
    yield* Effect.logError(value).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    return [
      ...lines,
      inspect(value, { depth: null, showHidden: true }),
      JSON.stringify(value),
      String(value),
      value instanceof Error ? `${value.message} ${value.stack}` : ""
    ].join("\n")
  })

const inDirectory = <A, E>(
  files: Record<string, string | Uint8Array>,
  use: (directory: string) => Effect.Effect<A, E>
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "session-config-"))
      for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
      return directory
    }),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

const withEnvironment = (environment: Record<string, string>) =>
  SessionConfig.fromConfig.pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
  )

describe("the declared block", () => {
  it.effect("F1: the seed's cookie configuration works with a real key in its place", () =>
    Effect.gen(function*() {
      assert.include(seedCookie, placeholder)
      const file = yield* SessionConfig.fromYaml(seedCookie.replace(placeholder, key))
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
      const config = resolved(file.options, "client")
      assert.strictEqual(config.name, "__loco_session")
      assert.strictEqual(config.idleMillis, 3_600_000)
      assert.isTrue(config.persistent)
      assert.isFalse(config.secure)
    }))

  it.effect("F1: the seed's Tower configuration stands for the app's own store", () =>
    Effect.gen(function*() {
      const file = yield* SessionConfig.fromYaml(seedTower)
      assert.deepStrictEqual(file.store, { type: "Tower" })
      assert.strictEqual(file.options.sameSite, "strict")
      assert.isTrue(file.options.secure)
    }))

  it.effect("F1: the seed's placeholder is refused, and templates that nothing expanded", () =>
    Effect.gen(function*() {
      const templates = [
        placeholder,
        `<${"x".repeat(70)}>`,
        ` <${"x".repeat(70)}> `,
        `{{ get_env(name="SESSION_KEY", default="${"x".repeat(64)}") }}`,
        `\${SESSION_KEY:-${"x".repeat(64)}}`,
        `${"x".repeat(64)}\${SESSION_KEY}`
      ]
      const inSeed = yield* refusal(SessionConfig.fromYaml(seedCookie))
      assert.deepStrictEqual(pathsOf(inSeed), ["request_context.session_store.value.private_key"])
      assert.include(inSeed.message, "placeholder")
      for (const private_key of templates) {
        const error = yield* refusal(SessionConfig.fromUnknown(withCookie({ private_key })))
        assert.deepStrictEqual(pathsOf(error), ["request_context.session_store.value.private_key"], private_key)
        assert.include(error.message, "placeholder", private_key)
        const inEnvironment = yield* refusal(
          withEnvironment({ SESSION_STORE: "Cookie", SESSION_PRIVATE_KEY: private_key })
        )
        assert.deepStrictEqual(pathsOf(inEnvironment), ["SESSION_PRIVATE_KEY"])
      }
      // YAML reads braces without quotes as a mapping
      const bare = yield* refusal(SessionConfig.fromYaml(seedCookie.replace(placeholder, "{{ SESSION_KEY }}")))
      assert.deepStrictEqual(pathsOf(bare), ["request_context.session_store.value.private_key"])
      assert.include(bare.message, "template")
    }))

  it.effect("F1: a random key that merely holds brackets and braces is a key", () =>
    Effect.gen(function*() {
      for (const text of [`a<b>c{d}$e${"f".repeat(64)}`, `<${"x".repeat(70)}`, `${"x".repeat(70)}>`]) {
        const file = yield* SessionConfig.fromUnknown(withCookie({ private_key: text }))
        assert.strictEqual(file.store.type, "Cookie")
      }
    }))

  it.effect("F1: the block stands under server.middlewares as well; at both places is a mistake, nowhere is one", () =>
    Effect.gen(function*() {
      const block = { enable: false, session_store: { type: "Tower" } }
      const nested = yield* SessionConfig.fromUnknown({ server: { port: 1, middlewares: { request_context: block } } })
      assert.deepStrictEqual(nested, { options: { enable: false }, store: { type: "Tower" } })
      const indented = seedTower.split("\n").map((line) => `    ${line}`).join("\n")
      const fromText = yield* SessionConfig.fromYaml(`server:\n  middlewares:\n${indented}`)
      assert.deepStrictEqual(fromText, yield* SessionConfig.fromYaml(seedTower))

      const both = { request_context: block, server: { middlewares: { request_context: block } } }
      for (const decoded of [SessionConfig.fromUnknown(both), SessionConfig.fromYaml(JSON.stringify(both))]) {
        const error = yield* refusal(decoded)
        assert.deepStrictEqual(pathsOf(error), ["request_context"])
        assert.include(error.message, "twice")
      }
      const shapes = [{}, { server: null }, { server: { middlewares: [] } }, { server: { request_context: block } }]
      for (const none of [...shapes, [], "text", 1, null, undefined]) {
        const error = yield* refusal(SessionConfig.fromUnknown(none))
        assert.deepStrictEqual(pathsOf(error), ["request_context"])
        assert.include(error.message, "missing")
      }
    }))

  it.effect("F1: a key is text in UTF-8, or a list of byte integers", () =>
    Effect.gen(function*() {
      const text = "é".repeat(32) // 64 octets, 32 characters
      const bytes = [...Buffer.from(text)]
      const fromText = yield* SessionConfig.fromYaml(seedCookie.replace(placeholder, `"${text}"`))
      const fromList = yield* SessionConfig.fromYaml(seedCookie.replace(placeholder, JSON.stringify(bytes)))
      const fromBinary = yield* SessionConfig.fromYaml(
        seedCookie.replace(placeholder, `!!binary "${Buffer.from(text).toString("base64")}"`)
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

  it.effect("F1: a key below 64 bytes is refused with the number of bytes, and so is none", () =>
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

  it.effect("F1: previous keys open, the current one seals; secrets are derived; at most 8 keys", () =>
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

  it.effect("F1: every further option has its name in the file, in seconds", () =>
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
        store_timeout: 0.25,
        max_duplicates: 2,
        max_session_bytes: 1000,
        cleanup_interval: 30
      }))
      assert.deepStrictEqual(resolved({ ...options, commitWhen: undefined }, "client"), {
        enable: true,
        name: "sid",
        httpOnly: false,
        secure: true,
        sameSite: "none",
        path: "/app",
        domain: "example.com",
        partitioned: true,
        idleMillis: 1500,
        persistent: true,
        absoluteMillis: undefined,
        refreshAfter: 0.5,
        storeTimeoutMillis: 250,
        commitWhen: resolved({}).commitWhen,
        maxDuplicates: 2,
        maxSessionBytes: 1000,
        cleanupIntervalMillis: 30_000
      })
      const memory = yield* SessionConfig.fromUnknown(
        withStore({ type: "Memory", value: { max_sessions: 10, max_bytes: 1_000_000_000 } })
      )
      assert.deepStrictEqual(memory.store, { type: "Memory", maxSessions: 10, maxBytes: 1_000_000_000 })
    }))

  it.effect("F1: switched off, the block needs no store", () =>
    Effect.gen(function*() {
      const file = yield* SessionConfig.fromUnknown({ request_context: { enable: false } })
      assert.isFalse(resolved(file.options).enable)
      const environment = yield* withEnvironment({ SESSION_ENABLE: "false" })
      assert.isFalse(resolved(environment.options).enable)
      const on = yield* refusal(SessionConfig.fromUnknown({ request_context: { enable: true } }))
      assert.deepStrictEqual(pathsOf(on), ["request_context.session_store"])
    }))

  it.effect("F1: what is no one YAML mapping is a typed error that names the file", () =>
    Effect.gen(function*() {
      const secret = "do-not-print-me"
      const texts: Record<string, string> = {
        empty: "",
        comment: "# nothing\n",
        null: "null\n",
        list: "- request_context\n",
        scalar: `${secret}\n`,
        "two documents": `${seedTower}\n---\n${seedTower}`,
        "key twice": `${seedTower}\n${seedTower}`,
        "inner key twice": seedTower.replace("expiry: 3600", "expiry: 3600\n    expiry: 60"),
        "open quote": `request_context: "${secret}`,
        "tab": `request_context:\n\tenable: ${secret}`,
        "reserved character": `request_context: @${secret}`,
        "two values": `request_context: a: ${secret}`,
        "unknown alias": `request_context: *${secret}`,
        "alias of itself": `request_context: &a { enable: *a, session_store: { type: Tower } }`,
        "unknown tag": seedCookie.replace(placeholder, `!env ${secret}${key}`),
        "too deep": `request_context: ${"[".repeat(100_000)}`,
        "too deep, closed": `request_context: ${"[".repeat(2000)}${"]".repeat(2000)}`,
        bomb: [
          "a: &a [x,x,x,x,x,x,x,x,x,x]",
          ..."bcdefghijk".split("").map((name, i) => {
            const previous = "abcdefghijk"[i]
            return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${previous}`).join(",")}]`
          }),
          "request_context: { enable: true, session_store: { type: Cookie, value: { private_key: *k } } }"
        ].join("\n"),
        "merge bomb": [
          "%YAML 1.1",
          "---",
          "a: &a { x: 1 }",
          ..."bcdefghijklmnopqrstuvwxyz".split("").map((name, i) => {
            const previous = "abcdefghijklmnopqrstuvwxyz"[i]
            return `${name}: &${name} { <<: [*${previous}, *${previous}] }`
          }),
          "request_context: *z"
        ].join("\n")
      }
      yield* inDirectory(
        Object.fromEntries(Object.entries(texts).map(([name, text]) => [`${name.replace(/\W/g, "-")}.yaml`, text])),
        (directory) =>
          Effect.forEach(Object.keys(texts), (name) =>
            Effect.gen(function*() {
              const environment = name.replace(/\W/g, "-")
              const error = yield* refusal(SessionConfig.fromFile({ directory, environment }))
              assert.strictEqual(error._tag, "SessionConfigError", name)
              for (const { message, path } of error.mistakes) {
                assert.include(`${path} ${message}`, join(directory, `${environment}.yaml`), name)
              }
              const everything = yield* printed(error)
              assert.notInclude(everything, secret, name)
              assert.notInclude(everything, key, name)
            }))
      )
      const told = yield* refusal(SessionConfig.fromYaml(texts["two documents"], "a.yaml"))
      assert.deepStrictEqual(pathsOf(told), ["a.yaml"])
      assert.include(told.message, "several documents")
      for (const name of ["empty", "comment"]) {
        assert.include((yield* refusal(SessionConfig.fromYaml(texts[name]))).message, "is empty")
      }
      assert.include((yield* refusal(SessionConfig.fromYaml(texts.bomb))).message, "expand too far")
      // YAML 1.2 has no merge: what a bomb is made of is an unknown key
      const merge = yield* refusal(
        SessionConfig.fromYaml("a: &a { session_store: { type: Tower } }\nrequest_context: { <<: *a }")
      )
      assert.sameMembers(pathsOf(merge), ["request_context", "request_context.session_store"])
      assert.match((yield* refusal(SessionConfig.fromYaml(texts["inner key twice"]))).message, /twice.*line \d+/)
    }))

  it.effect("F1: anchors, a %YAML directive and a byte order mark are fine where they mean one thing", () =>
    Effect.gen(function*() {
      const expected = yield* SessionConfig.fromYaml(seedTower)
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(`\uFEFF${seedTower}`), expected)
      const anchored = seedTower
        .replace("# config/development.yaml", "life: &life 3600")
        .replace("expiry: 3600", "expiry: *life")
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(anchored), expected)
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(`%YAML 1.1\n---\n${seedTower}`), expected)
      // YAML 1.1 would read this name as a boolean
      const no = yield* SessionConfig.fromYaml(
        "%YAML 1.1\n---\nrequest_context: { session_config: { name: no }, session_store: { type: Tower } }"
      )
      assert.strictEqual(no.options.name, "no")
    }))

  it("F1: a seed that is cut, doubled or overwritten anywhere decodes or is a typed error without the key", () => {
    const text = seedCookie.replace(placeholder, key)
    const piece = FastCheck.oneof(
      FastCheck.constantFrom(
        "",
        "\n",
        "\t",
        "'",
        "\"",
        ": ",
        "- ",
        "{",
        "}}",
        "[",
        "&a ",
        "*a",
        "!!int ",
        "|",
        "? ",
        "---\n"
      ),
      FastCheck.string({ unit: "binary", maxLength: 8 })
    )
    const position = FastCheck.nat(text.length)
    const windows = Array.from({ length: key.length - 11 }, (_, i) => key.slice(i, i + 12))
    FastCheck.assert(
      FastCheck.property(position, position, piece, (from, to, put) => {
        const result = Effect.runSyncExit(Either.match(parse(text.slice(0, from) + put + text.slice(to)), {
          onLeft: (problems) => Effect.succeed(problems.join("\n")),
          onRight: (root) => Effect.match(decodeFile(root), { onFailure: (e) => e.message, onSuccess: () => "" })
        }))
        assert.isTrue(Exit.isSuccess(result))
        if (Exit.isSuccess(result)) {
          assert.isFalse(windows.some((window) => result.value.includes(window)), result.value)
        }
      }),
      { numRuns: 400 }
    )
  })

  it.effect("F1: a tag that means nothing here is refused in the block and behind its aliases, however it is written", () =>
    Effect.gen(function*() {
      const block = (value: string) =>
        `request_context: { session_store: { type: Cookie, value: { private_key: ${value} } } }\n`
      const tagged: ReadonlyArray<string> = [
        block(`!vault "${key}"`),
        `keys: &k !vault "${key}"\n${block("*k")}`,
        `inner: &i !vault "${key}"\nkeys: &k [*i]\n${block("*k")}`,
        `base: &b { session_store: { type: Cookie, value: { private_key: !vault "${key}" } } }\nrequest_context: *b`,
        `base: &b !vault { session_store: { type: Tower } }\nrequest_context: *b`,
        `s: &s { request_context: { session_store: !vault { type: Tower } } }\nserver: { middlewares: *s }`,
        block(`!!env "${key}"`),
        block(`!<tag:example.com:str> "${key}"`),
        `%TAG ! tag:yaml.org,2002:\n---\n${block(`!vault "${key}"`)}`,
        `%TAG !! tag:example.com,2000:\n---\n${block(`!!str "${key}"`)}`,
        ...["!!set { a }", "!!omap [a: 1]", "!!pairs [a: 1]", "!!timestamp 2001-01-01"].map(block),
        "request_context: { !vault session_store: { type: Tower } }"
      ]
      for (const text of tagged) {
        const error = yield* refusal(SessionConfig.fromYaml(text, "a.yaml"))
        assert.deepStrictEqual(pathsOf(error), ["a.yaml"], text)
        assert.match(error.message, /has a tag .* \(line \d+, column \d+\)/, text)
        assert.notInclude(yield* printed(error), key)
      }
      // a node that several aliases name is one mistake, and one that names itself none of the check's
      const twice = yield* refusal(SessionConfig.fromYaml(`a: &a !vault x\nrequest_context: [*a, *a]`))
      assert.strictEqual(twice.mistakes.length, 1)
      const itself = yield* refusal(SessionConfig.fromYaml("a: &a { enable: *a }\nrequest_context: *a"))
      assert.strictEqual(itself._tag, "SessionConfigError")

      const meant: ReadonlyArray<string> = [
        block(`!!str "${key}"`),
        block(`! "${key}"`),
        block(`!<tag:yaml.org,2002:str> "${key}"`),
        `%TAG !e! tag:yaml.org,2002:\n---\n${block(`!e!str "${key}"`)}`,
        `keys: &k !!str "${key}"\nother: &o !vault "x"\n${block("*k")}`
      ]
      for (const text of meant) assert.isTrue(yield* sealsLike(yield* SessionConfig.fromYaml(text), yield* ring(key)))
      yield* SessionConfig.fromYaml(
        "request_context: !!map { enable: !!bool true, session_config: { expiry: !!int 60, refresh_after: !!float 0.5 }, "
          + "session_store: { type: !!str Tower } }"
      )
    }))

  it.effect("F1: a !!binary that is not base64, a template in it above all, is refused: the parser would skip what is none", () =>
    Effect.gen(function*() {
      const cases = [
        placeholder.repeat(4),
        `{{ get_env(name="SESSION_KEY", default="${"x".repeat(64)}") }}`,
        `\${SESSION_KEY:-${"x".repeat(64)}}`,
        Buffer.from(key).toString("base64url").replaceAll(/[A-Z]/g, "_"),
        `${Buffer.from(key).toString("base64")}A`
      ]
      for (const text of cases) {
        const yaml = seedCookie.replace(placeholder, `!!binary ${JSON.stringify(text)}`)
        const error = yield* refusal(SessionConfig.fromYaml(yaml, "a.yaml"))
        assert.match(error.message, /!!binary value that is not base64 \(line \d+, column \d+\)/, text)
      }
      const wrapped = Buffer.from(key).toString("base64").replace(/.{40}/g, "$&\n          ")
      const file = yield* SessionConfig.fromYaml(seedCookie.replace(placeholder, `!!binary |\n          ${wrapped}`))
      assert.isTrue(yield* sealsLike(file, yield* KeyRing.fromBytes(Buffer.from(key))))
    }))

  it.effect("F1: the file is config/<environment>.yaml, environment from NODE_ENV, default development", () =>
    inDirectory(
      {
        "development.yaml": seedTower.replace("__loco_session", "dev"),
        "production.yaml": seedTower.replace("__loco_session", "prod"),
        "marked.yaml": `\uFEFF${seedTower}`,
        "latin1.yaml": Buffer.from(`request_context: { session_config: { name: "caf\u00e9" } }`, "latin1"),
        "utf16.yaml": Buffer.from(`\uFEFF${seedTower}`, "utf16le")
      },
      (directory) =>
        Effect.gen(function*() {
          const name = (environment?: string) =>
            Effect.map(SessionConfig.fromFile({ directory, environment }), ({ options }) => options.name)
          vi.stubEnv("NODE_ENV", undefined)
          assert.strictEqual(yield* name(), "dev")
          vi.stubEnv("NODE_ENV", "production")
          assert.strictEqual(yield* name(), "prod")
          assert.strictEqual(yield* name("development"), "dev")
          assert.strictEqual(yield* name("marked"), "__loco_session")
          for (const environment of ["latin1", "utf16"]) {
            const error = yield* refusal(SessionConfig.fromFile({ directory, environment }))
            assert.deepStrictEqual(error.mistakes, [
              { path: join(directory, `${environment}.yaml`), message: "is not UTF-8 text" }
            ])
          }
          const missing = yield* refusal(SessionConfig.fromFile({ directory, environment: "staging" }))
          assert.deepStrictEqual(pathsOf(missing), [join(directory, "staging.yaml")])
          assert.include(missing.message, "ENOENT")
          mkdirSync(join(directory, "folder.yaml"))
          const folder = yield* refusal(SessionConfig.fromFile({ directory, environment: "folder" }))
          assert.include(folder.message, "EISDIR")

          for (const environment of ["", "../development", "..", "a/b", "a\\b", "a.b", "dev\u0000", "dev\n", "café"]) {
            const error = yield* refusal(SessionConfig.fromFile({ directory, environment }))
            assert.deepStrictEqual(pathsOf(error), ["environment"], environment)
            if (environment.includes("\u0000")) continue // no variable can hold it
            vi.stubEnv("NODE_ENV", environment)
            assert.deepStrictEqual(pathsOf(yield* refusal(SessionConfig.fromFile({ directory }))), ["NODE_ENV"])
          }
        })
    ).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs()))))

  it.effect("F1: the default directory is config", () =>
    inDirectory({}, (directory) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          mkdirSync(join(directory, "config"))
          writeFileSync(join(directory, "config", "development.yaml"), seedTower)
          return vi.spyOn(process, "cwd").mockReturnValue(directory)
        }),
        () =>
          Effect.gen(function*() {
            // the file system resolves against the real working directory, the message against `process.cwd`
            const error = yield* refusal(SessionConfig.fromFile({ environment: "no-such-environment" }))
            assert.deepStrictEqual(pathsOf(error), [join("config", "no-such-environment.yaml")])
            assert.include(error.message, join(directory, "config", "no-such-environment.yaml"))
          }),
        (spy) => Effect.sync(() => spy.mockRestore())
      )))
})

describe("Effect's Config", () => {
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
      maxDuplicates: 2,
      maxSessionBytes: 1000,
      cleanupInterval: Duration.infinity
    },
    store: { type: "Memory", maxSessions: 10, maxBytes: 1_000_000_000 }
  }

  it.effect("F2: every option by its name, from any ConfigProvider", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* withEnvironment(all), expected)
      assert.deepStrictEqual(
        yield* SessionConfig.fromConfig.pipe(Effect.withConfigProvider(ConfigProvider.fromJson(all))),
        expected
      )
      const nested = ConfigProvider.fromMap(
        new Map(Object.entries(all).map(([name, value]) => [`APP_${name}`, value])),
        { pathDelim: "_" }
      )
      assert.deepStrictEqual(
        yield* SessionConfig.fromConfig.pipe(
          Effect.withConfigProvider(nested.pipe(ConfigProvider.nested("APP")))
        ),
        expected
      )
    }))

  it.effect("F2: environment variables are the default, and an empty one counts as none", () =>
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

  it.effect("F2: a duration is a number of seconds, or has its unit, in the environment and in the file", () =>
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
      for (const text of ["2", "2h", "hours", "-2 hours", "2 Hours", "Infinity", "never", `${"9".repeat(400)} days`]) {
        const declared = { SESSION_STORE: "Tower", SESSION_EXPIRY: text }
        if (text === "2") yield* withEnvironment(declared)
        else assert.include((yield* refusal(withEnvironment(declared))).message, "a duration with its unit", text)
      }
    }))

  it.effect("F2: a duration by itself reads a variable as fromConfig does, and repeats nothing of what it refuses", () =>
    Effect.gen(function*() {
      const read = (text: string) =>
        SessionConfig.duration("SESSION_EXPIRY").pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["SESSION_EXPIRY", text]])))
        )
      assert.deepStrictEqual(yield* read("3600"), Duration.hours(1))
      assert.deepStrictEqual(yield* read("1 hour"), Duration.hours(1))
      assert.deepStrictEqual(yield* read("never"), Duration.infinity)
      const error = yield* Effect.flip(read(key))
      assert.include(String(error), "at SESSION_EXPIRY: \"must be a number of seconds")
      assert.notInclude(yield* printed(error), key)
    }))

  it.effect("F3: a key in a variable that nothing would read is a mistake", () =>
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
      // the docs of KeyRing and of the configuration name the variable that is read
      const docs = readFileSync(new URL("../../src/KeyRing.ts", import.meta.url), "utf8")
      for (const [name] of docs.matchAll(/SESSION_\w+/g)) {
        assert.include([...keyNames, "SESSION_KEY"], name)
      }
    }))

  it.effect("F2: file and environment declare the same", () =>
    Effect.gen(function*() {
      const file = yield* SessionConfig.fromYaml(seedCookie.replace(placeholder, key))
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

  it("F2: the docs have every option under its three names", () => {
    const docs = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8")
    for (const option of ["enable", ...Object.keys(fields)]) {
      const row = docs.split("\n").find((line) => line.startsWith(`| \`${option}\` |`)) ?? ""
      const [, , inFile, inEnvironment] = row.split("|")
      assert.match(inFile, new RegExp(`^ \`${fileName(option)}\\b`), option)
      assert.strictEqual(inEnvironment.trim(), `\`${environmentName(option)}\``)
    }
    for (const name of keyNames) assert.include(docs, name.replace(/_\d$/, ""))
  })

  it.effect("F3: all mistakes in the environment at once, each by its name", () =>
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

  it.effect("F3: a provider that fails is a typed mistake, and nothing it says is repeated", () =>
    Effect.gen(function*() {
      const failing = ConfigProvider.fromFlat(ConfigProvider.makeFlat({
        load: (path) => Effect.fail(ConfigError.SourceUnavailable([...path], `vault said ${key}`, undefined as never)),
        enumerateChildren: () => Effect.succeed(new Set<string>() as never),
        patch: { _tag: "Empty" }
      }))
      const error = yield* refusal(SessionConfig.fromConfig.pipe(Effect.withConfigProvider(failing)))
      assert.include(pathsOf(error), "SESSION_STORE")
      assert.include(error.message, "SourceUnavailable")
      assert.notInclude(yield* printed(error), key)
    }))
})

describe("mistakes", () => {
  it.effect("F3: all mistakes in a block at once, each with its path and what is accepted", () =>
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

  it.effect("F3: mistakes of shape, everywhere in the block", () =>
    Effect.gen(function*() {
      const shapes: ReadonlyArray<readonly [unknown, ReadonlyArray<string>]> = [
        [null, [""]],
        ["text", [""]],
        [[], [""]],
        [{ session_store: null }, [".session_store"]],
        [{ session_store: "Memory" }, [".session_store"]],
        [{ session_store: {} }, [".session_store.type"]],
        [{ session_store: { type: "memory" } }, [".session_store.type"]],
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

  it.effect("F3: the key is in no mistake, message, dump or log, wherever it was put", () =>
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
      const file = yield* SessionConfig.fromYaml(seedCookie.replace(placeholder, key))
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

  it.effect("F3: the shortest secret is in no mistake, put where a name belongs", () =>
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

  it.effect("F3: keys beside the block are not judged", () =>
    Effect.gen(function*() {
      const text = [
        "logger: { level: !env LOG_LEVEL, pretty: yes }",
        "bomb: &a [*a]",
        "server: { port: \"x\", middlewares: { cors: { enable: nonsense } }, <<: { a: 1 } }",
        seedTower
      ].join("\n")
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(text), yield* SessionConfig.fromYaml(seedTower))
      const file = yield* SessionConfig.fromUnknown({
        get beside(): never {
          throw new Error("must not be read")
        },
        requestContext: 1,
        ...withStore({ type: "Tower" })
      })
      assert.deepStrictEqual(file, { options: { enable: true }, store: { type: "Tower" } })
    }))

  it.effect("F3: any JSON in place of any part of the block is decoded or a typed error, never a defect", () =>
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

describe("resolve", () => {
  it("F3: all mistakes in code at once, each with its option", () => {
    const error = refused(unchecked({
      enable: "yes",
      name: 5,
      httpOnly: 1,
      secure: "false",
      sameSite: "Lax",
      path: "",
      domain: null,
      partitioned: 0,
      expiry: 0,
      idle: "soon",
      absoluteExpiry: 10,
      refreshAfter: NaN,
      storeTimeout: Infinity,
      commitWhen: true,
      maxDuplicates: 0,
      maxSessionBytes: 0.5,
      cleanupInterval: 0
    }))
    assert.sameMembers(pathsOf(error), [
      "enable",
      "name",
      "httpOnly",
      "secure",
      "sameSite",
      "path",
      "domain",
      "partitioned",
      "expiry",
      "idle",
      "absoluteExpiry",
      "refreshAfter",
      "storeTimeout",
      "commitWhen",
      "maxDuplicates",
      "maxSessionBytes",
      "cleanupInterval"
    ])
    for (const { message } of error.mistakes) assert.match(message, /^must /)
  })

  it("F3: numbers and durations have their ranges, bounds included", () => {
    const accepted: ReadonlyArray<Record<string, unknown>> = [
      { expiry: 1000 },
      { expiry: "400 days" },
      { idle: "1 second" },
      { idle: "400 days" },
      { absoluteExpiry: "1 second" },
      { absoluteExpiry: "10000 days" },
      { absoluteExpiry: Infinity },
      { expiry: "60 days", absoluteExpiry: "30 days" },
      { refreshAfter: 0 },
      { refreshAfter: 1 },
      { storeTimeout: 1 },
      { storeTimeout: "1 hour" },
      { maxDuplicates: 1 },
      { maxDuplicates: 64 },
      { maxSessionBytes: 1 },
      { maxSessionBytes: 1_048_576 },
      { cleanupInterval: 100 },
      { cleanupInterval: "7 days" },
      { cleanupInterval: Duration.infinity }
    ]
    for (const options of accepted) resolved(unchecked(options))
    const wrong: ReadonlyArray<Record<string, unknown>> = [
      { expiry: 999 },
      { expiry: "400 days 1 ms" },
      { expiry: 400 * day + 1 },
      { expiry: Infinity },
      { expiry: NaN },
      { expiry: -5000 },
      { expiry: "-5 seconds" },
      { expiry: {} },
      { expiry: null },
      { expiry: 5n },
      { idle: 999 },
      { idle: 400 * day + 1 },
      { idle: Infinity },
      { absoluteExpiry: 999 },
      { absoluteExpiry: NaN },
      { absoluteExpiry: -Infinity },
      { refreshAfter: -0.1 },
      { refreshAfter: 1.1 },
      { refreshAfter: Infinity },
      { refreshAfter: "0.1" },
      { storeTimeout: 0 },
      { storeTimeout: "2 hours" },
      { storeTimeout: Infinity },
      { maxDuplicates: 65 },
      { maxDuplicates: 1.5 },
      { maxDuplicates: -1 },
      { maxDuplicates: NaN },
      { maxSessionBytes: 0 },
      { maxSessionBytes: 1_048_577 },
      { maxSessionBytes: Infinity },
      { cleanupInterval: 99 },
      { cleanupInterval: "8 days" },
      { cleanupInterval: NaN }
    ]
    for (const options of wrong) {
      assert.deepStrictEqual(refusedPaths(options), Object.keys(options), inspect(options))
    }
  })

  it("F3: durations become whole milliseconds", () => {
    const config = resolved({ expiry: Duration.nanos(1_500_400_000n), absoluteExpiry: "1.5 hours", storeTimeout: 1.4 })
    assert.strictEqual(config.idleMillis, 1500)
    assert.strictEqual(config.absoluteMillis, 5_400_000)
    assert.strictEqual(config.storeTimeoutMillis, 1)
  })

  it("F4: a name with a prefix needs what the prefix promises, in any case of letters", () => {
    const rules: ReadonlyArray<readonly [string, Record<string, unknown>, ReadonlyArray<string>]> = [
      ["__Host-a", {}, []],
      ["__Host-a", { path: "/" }, []],
      ["__Host-a", { httpOnly: false }, []],
      ["__Host-a", { secure: false }, ["with Secure"]],
      ["__Host-a", { domain: "example.com" }, ["without Domain"]],
      ["__Host-a", { path: "/app" }, ["with Path=/"]],
      ["__Host-a", { secure: false, domain: "example.com", path: "/a" }, [
        "with Secure",
        "with Path=/",
        "without Domain"
      ]],
      ["__Secure-a", { path: "/app", domain: "example.com", httpOnly: false }, []],
      ["__Secure-a", { secure: false }, ["with Secure"]],
      ["__Http-a", { path: "/app", domain: "example.com" }, []],
      ["__Http-a", { secure: false }, ["with Secure"]],
      ["__Http-a", { httpOnly: false }, ["with HttpOnly"]],
      ["__Host-Http-a", {}, []],
      ["__Host-Http-a", { secure: false }, ["with Secure"]],
      ["__Host-Http-a", { httpOnly: false }, ["with HttpOnly"]],
      ["__Host-Http-a", { domain: "example.com" }, ["without Domain"]],
      ["__Host-Http-a", { path: "/app" }, ["with Path=/"]],
      ["__Hosta", { secure: false, path: "/a" }, []],
      ["_Host-a", { secure: false, path: "/a" }, []]
    ]
    for (const [name, options, needs] of rules) {
      for (const cased of [name, name.toLowerCase(), name.toUpperCase()]) {
        const result = SessionConfig.resolve(unchecked({ ...options, name: cased }), "server")
        const mistakes = Either.isLeft(result) ? result.left.mistakes : []
        assert.strictEqual(mistakes.length, needs.length, `${cased} ${inspect(options)}`)
        needs.forEach((need, i) => {
          assert.strictEqual(mistakes[i].path, "name")
          assert.include(mistakes[i].message, `needs a cookie ${need}, because`)
        })
      }
    }
  })

  it("F4: SameSite=None and Partitioned need Secure", () => {
    assert.deepStrictEqual(refusedPaths({ sameSite: "none", secure: false }), ["sameSite"])
    assert.deepStrictEqual(refusedPaths({ partitioned: true, secure: false }), ["partitioned"])
    resolved({ sameSite: "none", partitioned: true })
    resolved({ sameSite: "lax", secure: false })
  })

  it("F4: the name is a token that leaves the value its room", () => {
    for (const name of ["sid", "!#$%&'*+-.^_`|~09azAZ", "constructor", "x".repeat(256)]) resolved({ name })
    const wrong = [
      "",
      " ",
      "a b",
      "a=b",
      "a;b",
      "a,b",
      "a\"b",
      "a\tb",
      "a\n",
      "a\u0000",
      "é",
      "(a)",
      "a/b",
      "a@b",
      "[a]"
    ]
    for (const name of [...wrong, "\ud800", "x".repeat(257), "__proto__"]) {
      assert.deepStrictEqual(refusedPaths({ name }), ["name"], JSON.stringify(name))
    }
  })

  it("F4: a path starts with a slash, and fits a Set-Cookie", () => {
    for (const path of ["/", "/app", "/a b", "/%C3%A9", `/${"x".repeat(1023)}`]) resolved({ path })
    const wrong = ["", "app", " /", "/a;b", "/a\u0000", "/a\n", "/a\r\nSet-Cookie: x=y", "/\u007f", "/é", "/a "]
    for (const path of [...wrong, "/\ud800", `/${"x".repeat(1024)}`]) {
      assert.deepStrictEqual(refusedPaths({ path }), ["path"], JSON.stringify(path))
    }
  })

  it("F4: a domain is a host name", () => {
    const hosts = [
      "example.com",
      "a.b.example.com",
      "localhost",
      "EXAMPLE.com",
      "xn--bcher-kva.example",
      "1.example.com"
    ]
    for (const domain of [...hosts, "127.0.0.1", "a-b.example", `${"a".repeat(63)}.example`]) resolved({ domain })
    const wrong = ["", " ", ".example.com", "example.com.", "a..b", "-a.example", "a-.example", "a_b.example", "a b"]
    const more = [
      "example.com:80",
      "https://example.com",
      "example.com/",
      "[::1]",
      "::1",
      "a;b",
      "a\n",
      "a\u0000",
      "é.com"
    ]
    const numbers = ["1.2.3", "1.2.3.4.5", "256.1.1.1", "a.1", "127.0.0.01", "\ud800"]
    for (
      const domain of [
        ...wrong,
        ...more,
        ...numbers,
        `${"a".repeat(64)}.example`,
        `${"a.".repeat(130)}com`,
        "a.".repeat(600)
      ]
    ) {
      assert.deepStrictEqual(refusedPaths({ domain }), ["domain"], JSON.stringify(domain))
    }
  })

  it("F4: Max-Age below 1 second or over 400 days is refused", () => {
    for (const expiry of [0, 1, 999, "401 days", 400 * day + 1] as const) {
      assert.deepStrictEqual(refusedPaths({ expiry }), ["expiry"], String(expiry))
    }
  })

  it("F4: any text as name, path and domain is refused, or makes a Set-Cookie of the grammar", () => {
    const attribute = "(?: [\\x20-\\x3a\\x3c-\\x7e]*)"
    // RFC 6265bis, 4.1.1: set-cookie-string, with the attributes that we send
    const grammar = new RegExp(`^[!#$%&'*+\\-.^_\`|~0-9A-Za-z]+=[!#-+\\--:<-\\[\\]-~]*(?:;${attribute})*$`)
    const nearly = FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 20 }),
      FastCheck.string({ unit: "grapheme-ascii", maxLength: 20 }),
      FastCheck.domain(),
      FastCheck.webPath(),
      FastCheck.stringMatching(/^__(Host|Secure|Http)-[a-z;= ]{0,4}$/),
      FastCheck.constantFrom("/", "", "__proto__", "a; Secure", "/; Domain=evil.example", "\ud800")
    )
    let accepted = 0
    FastCheck.assert(
      FastCheck.property(nearly, nearly, nearly, FastCheck.boolean(), (name, path, domain, secure) => {
        for (
          const options of [{ name, path, domain, secure }, { name, secure }, { path, secure }, { domain, secure }]
        ) {
          const result = SessionConfig.resolve(options, "client")
          if (Either.isLeft(result)) {
            assert.strictEqual(result.left._tag, "SessionConfigError")
            continue
          }
          accepted++
          const { right: config } = result
          const cookie = Either.getOrThrow(Cookies.makeCookie(config.name, "value", {
            path: config.path,
            domain: config.domain,
            secure: config.secure,
            httpOnly: config.httpOnly,
            sameSite: config.sameSite
          }))
          const header = Cookies.toSetCookieHeaders(Cookies.fromIterable([cookie]))
          assert.strictEqual(header.length, 1)
          assert.match(header[0], grammar)
          const names = header[0].split("; ").slice(1).map((part) => part.split("=")[0])
          assert.strictEqual(new Set(names).size, names.length)
        }
      }),
      { numRuns: 2000 }
    )
    assert.isAbove(accepted, 1000)
  })

  it("F6: the defaults are the safe ones", () => {
    const { commitWhen, ...config } = resolved({})
    assert.deepStrictEqual(config, {
      enable: true,
      name: "__Host-session",
      httpOnly: true,
      secure: true,
      sameSite: "lax",
      path: "/",
      domain: undefined,
      partitioned: false,
      idleMillis: 14 * day,
      persistent: false,
      absoluteMillis: undefined,
      refreshAfter: 0.1,
      storeTimeoutMillis: 5000,
      maxDuplicates: 4,
      maxSessionBytes: 262_144,
      cleanupIntervalMillis: 60_000
    })
    assert.deepStrictEqual([200, 302, 404, 498, 499, 500, 503].filter(commitWhen), [200, 302, 404, 498])
  })

  it("F6: the default name promises what the attributes keep", () => {
    assert.strictEqual(resolved({ path: "/" }).name, "__Host-session")
    assert.strictEqual(resolved({ path: "/app" }).name, "__Secure-session")
    assert.strictEqual(resolved({ domain: "example.com" }).name, "__Secure-session")
    assert.strictEqual(resolved({ secure: false }).name, "session")
    assert.strictEqual(resolved({ secure: false, path: "/app" }).name, "session")
  })

  it("F6: production warns of the Memory store, of a cookie in the open, and of a weak key", () => {
    const safe = { environment: "production", memory: false, weakKey: false }
    assert.deepStrictEqual(SessionConfig.warnings(resolved({}), safe), [])
    const one = (config: SessionConfig.SessionConfigOptions, facts: object, about: string) => {
      const found = SessionConfig.warnings(resolved(config), { ...safe, ...facts })
      assert.strictEqual(found.length, 1, about)
      assert.include(found[0], about)
    }
    one({}, { memory: true }, "memory")
    one({ secure: false }, {}, "not Secure")
    one({ httpOnly: false }, {}, "not HttpOnly")
    one({}, { weakKey: true }, "key looks weak")
    const bad = resolved({ secure: false, httpOnly: false })
    const all = { memory: true, weakKey: true }
    assert.strictEqual(SessionConfig.warnings(bad, { ...all, environment: "production" }).length, 4)
    for (const environment of ["development", "test", "Production", "", undefined]) {
      assert.deepStrictEqual(SessionConfig.warnings(bad, { ...all, environment }), [])
    }
    assert.deepStrictEqual(SessionConfig.warnings({ ...bad, enable: false }, { ...all, environment: "production" }), [])
  })

  it("F6: an expiry below 30 seconds is warned of everywhere: most often seconds were meant", () => {
    const facts = { environment: undefined, memory: false, weakKey: false }
    const one = (options: SessionConfig.SessionConfigOptions, about: string) => {
      const found = SessionConfig.warnings(resolved(options), facts)
      assert.strictEqual(found.length, 1, about)
      assert.include(found[0], about)
      assert.include(found[0], "did you mean seconds? A plain number is milliseconds")
    }
    one({ expiry: 3600 }, "3.6 seconds (expiry)")
    one({ idle: "29 seconds" }, "29 seconds (idle)")
    one({ absoluteExpiry: 7200 }, "7.2 seconds (absoluteExpiry)")
    assert.deepStrictEqual(SessionConfig.warnings(resolved({ expiry: 3600, enable: false }), facts), [])
    assert.deepStrictEqual(SessionConfig.warnings(resolved({ expiry: "30 seconds", idle: 3600 }), facts), [])
  })

  it("E1: the cookie store has an absolute expiry of 30 days unless opted out, server stores have none", () => {
    assert.strictEqual(resolved({}, "client").absoluteMillis, 30 * day)
    assert.strictEqual(resolved({}, "server").absoluteMillis, undefined)
    assert.strictEqual(resolved({ absoluteExpiry: "90 days" }, "client").absoluteMillis, 90 * day)
    assert.strictEqual(resolved({ absoluteExpiry: "90 days" }, "server").absoluteMillis, 90 * day)
    for (const absoluteExpiry of [Infinity, Duration.infinity]) {
      assert.strictEqual(resolved({ absoluteExpiry }, "client").absoluteMillis, undefined)
    }
  })

  it("E2: without expiry the cookie is a browser-session one and the record lives idle", () => {
    const without = resolved({ idle: "2 hours" })
    assert.isFalse(without.persistent)
    assert.strictEqual(without.idleMillis, 2 * 60 * 60 * 1000)
    const withExpiry = resolved({ idle: "2 hours", expiry: "1 hour" })
    assert.isTrue(withExpiry.persistent)
    assert.strictEqual(withExpiry.idleMillis, 60 * 60 * 1000)
  })
})
