import { assert, describe, it } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { join } from "node:path"
import { decodeFile } from "../../src/internal/config/block.js"
import { parse } from "../../src/internal/config/yaml.js"
import {
  cookieFile,
  inDirectory,
  key,
  pathsOf,
  placeholder,
  printed,
  refusal,
  ring,
  sealsLike,
  towerFile
} from "./given.js"

describe("a YAML text", () => {
  it.effect("F1: a text that is not one YAML mapping fails with a typed error that names the file", () =>
    Effect.gen(function*() {
      const secret = "do-not-print-me"
      const texts: Record<string, string> = {
        empty: "",
        comment: "# nothing\n",
        null: "null\n",
        list: "- request_context\n",
        scalar: `${secret}\n`,
        "two documents": `${towerFile}\n---\n${towerFile}`,
        "key twice": `${towerFile}\n${towerFile}`,
        "inner key twice": towerFile.replace("expiry: 3600", "expiry: 3600\n    expiry: 60"),
        "open quote": `request_context: "${secret}`,
        "tab": `request_context:\n\tenable: ${secret}`,
        "reserved character": `request_context: @${secret}`,
        "two values": `request_context: a: ${secret}`,
        "unknown alias": `request_context: *${secret}`,
        "alias of itself": `request_context: &a { enable: *a, session_store: { type: Tower } }`,
        "unknown tag": cookieFile.replace(placeholder, `!env ${secret}${key}`),
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
      const several = yield* refusal(SessionConfig.fromYaml(texts["two documents"], "a.yaml"))
      assert.deepStrictEqual(pathsOf(several), ["a.yaml"])
      assert.include(several.message, "several documents")
      for (const name of ["empty", "comment"]) {
        assert.include((yield* refusal(SessionConfig.fromYaml(texts[name]))).message, "is empty")
      }
      assert.include((yield* refusal(SessionConfig.fromYaml(texts.bomb))).message, "expand too far")
      // YAML 1.2 has no merge, so the key that a merge bomb is made of is unknown.
      const merge = yield* refusal(
        SessionConfig.fromYaml("a: &a { session_store: { type: Tower } }\nrequest_context: { <<: *a }")
      )
      assert.sameMembers(pathsOf(merge), ["request_context", "request_context.session_store"])
      assert.match((yield* refusal(SessionConfig.fromYaml(texts["inner key twice"]))).message, /twice.*line \d+/)
    }))

  it.effect("F1: anchors, a %YAML directive and a byte order mark are accepted", () =>
    Effect.gen(function*() {
      const expected = yield* SessionConfig.fromYaml(towerFile)
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(`\uFEFF${towerFile}`), expected)
      const anchored = towerFile
        .replace("# config/development.yaml", "life: &life 3600")
        .replace("expiry: 3600", "expiry: *life")
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(anchored), expected)
      assert.deepStrictEqual(yield* SessionConfig.fromYaml(`%YAML 1.1\n---\n${towerFile}`), expected)
      // YAML 1.1 would read this name as a boolean.
      const no = yield* SessionConfig.fromYaml(
        "%YAML 1.1\n---\nrequest_context: { session_config: { name: no }, session_store: { type: Tower } }"
      )
      assert.strictEqual(no.options.name, "no")
    }))

  it("F1: a file that is cut, doubled or overwritten anywhere decodes, or fails without showing the key", () => {
    const text = cookieFile.replace(placeholder, key)
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
        const said = Either.match(parse(text.slice(0, from) + put + text.slice(to)), {
          onLeft: (problems) => problems.join("\n"),
          onRight: (root) => Either.match(decodeFile(root), { onLeft: ({ message }) => message, onRight: () => "" })
        })
        assert.isFalse(windows.some((window) => said.includes(window)), said)
      }),
      { numRuns: 400 }
    )
  })

  it.effect("F1: a tag that would be ignored is refused in the block and behind its aliases", () =>
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
      // A node that several aliases name is one mistake, and a node that names itself does not loop.
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

  it.effect("F1: a !!binary key that is not base64 is refused, above all a template in it", () =>
    Effect.gen(function*() {
      const cases = [
        placeholder.repeat(4),
        `{{ get_env(name="SESSION_KEY", default="${"x".repeat(64)}") }}`,
        `\${SESSION_KEY:-${"x".repeat(64)}}`,
        Buffer.from(key).toString("base64url").replaceAll(/[A-Z]/g, "_"),
        `${Buffer.from(key).toString("base64")}A`
      ]
      for (const text of cases) {
        const yaml = cookieFile.replace(placeholder, `!!binary ${JSON.stringify(text)}`)
        const error = yield* refusal(SessionConfig.fromYaml(yaml, "a.yaml"))
        assert.match(error.message, /!!binary value that is not base64 \(line \d+, column \d+\)/, text)
      }
      const wrapped = Buffer.from(key).toString("base64").replace(/.{40}/g, "$&\n          ")
      const file = yield* SessionConfig.fromYaml(cookieFile.replace(placeholder, `!!binary |\n          ${wrapped}`))
      assert.isTrue(yield* sealsLike(file, yield* KeyRing.fromBytes(Buffer.from(key))))
    }))
})
