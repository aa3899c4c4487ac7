import * as Cookies from "@effect/platform/Cookies"
import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { inspect } from "node:util"
import { refusedPaths, resolved, unchecked } from "./given.js"

describe("the cookie's attributes", () => {
  it("F4: a name is refused unless the cookie keeps what its prefix promises, in any case of letters", () => {
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
        const result = SessionConfig.resolve(unchecked({ ...options, name: cased }))
        const mistakes = Either.isLeft(result) ? result.left.mistakes : []
        assert.strictEqual(mistakes.length, needs.length, `${cased} ${inspect(options)}`)
        needs.forEach((need, i) => {
          assert.strictEqual(mistakes[i].path, "name")
          assert.include(mistakes[i].message, `needs a cookie ${need}, because`)
        })
      }
    }
  })

  it("F4: SameSite=None and Partitioned are refused without Secure", () => {
    assert.deepStrictEqual(refusedPaths({ sameSite: "none", secure: false }), ["sameSite"])
    assert.deepStrictEqual(refusedPaths({ partitioned: true, secure: false }), ["partitioned"])
    resolved({ sameSite: "none", partitioned: true })
    resolved({ sameSite: "lax", secure: false })
  })

  it("F4: a name must be a token that leaves room for the value", () => {
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

  it("F4: a path must start with a slash and fit into a Set-Cookie header", () => {
    for (const path of ["/", "/app", "/a b", "/%C3%A9", `/${"x".repeat(1023)}`]) resolved({ path })
    const wrong = ["", "app", " /", "/a;b", "/a\u0000", "/a\n", "/a\r\nSet-Cookie: x=y", "/\u007f", "/é", "/a "]
    for (const path of [...wrong, "/\ud800", `/${"x".repeat(1024)}`]) {
      assert.deepStrictEqual(refusedPaths({ path }), ["path"], JSON.stringify(path))
    }
  })

  it("F4: a domain must be a host name", () => {
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

  it("F4: any text as name, path and domain is either refused or makes a valid Set-Cookie header", () => {
    const attribute = "(?: [\\x20-\\x3a\\x3c-\\x7e]*)"
    // The set-cookie-string of RFC 6265bis, 4.1.1, with the attributes that the library sends.
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
          const result = SessionConfig.resolve(options)
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

  it("F6: the default name promises what the attributes keep", () => {
    assert.strictEqual(resolved({ path: "/" }).name, "__Host-session")
    assert.strictEqual(resolved({ path: "/app" }).name, "__Secure-session")
    assert.strictEqual(resolved({ domain: "example.com" }).name, "__Secure-session")
    assert.strictEqual(resolved({ secure: false }).name, "session")
    assert.strictEqual(resolved({ secure: false, path: "/app" }).name, "session")
  })
})
