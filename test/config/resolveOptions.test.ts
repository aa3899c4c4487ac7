import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { inspect } from "node:util"
import { day, pathsOf, refused, refusedPaths, resolved, unchecked } from "./given.js"

describe("options in code", () => {
  it("F3: all mistakes in code are reported at once, each with its option", () => {
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
      renewGrace: -1,
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
      "renewGrace",
      "commitWhen",
      "maxDuplicates",
      "maxSessionBytes",
      "cleanupInterval"
    ])
    for (const { message } of error.mistakes) assert.match(message, /^must /)
  })

  it("F3: numbers and durations have ranges, whose ends are accepted", () => {
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
      { renewGrace: 0 },
      { renewGrace: "0 seconds" },
      { renewGrace: "1 hour" },
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
      { renewGrace: NaN },
      { renewGrace: -1 },
      { renewGrace: -1n },
      { renewGrace: [-1, 0] },
      { renewGrace: "-1 seconds" },
      { renewGrace: -Infinity },
      { renewGrace: "2 hours" },
      { renewGrace: Object.create(null) },
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

  it("F4: former scopes are checked like the present one, and differ from it", () => {
    const scoped = { name: "shop", path: "/app", domain: "example.com" }
    const formerly = [{}, { path: "/app" }, { domain: "example.com" }, { path: "/", domain: "a.example.com" }]
    assert.deepStrictEqual(resolved({ ...scoped, formerly }).formerly, [
      { path: "/", domain: undefined },
      { path: "/app", domain: undefined },
      { path: "/", domain: "example.com" },
      { path: "/", domain: "a.example.com" }
    ])
    const cases: ReadonlyArray<readonly [formerly: unknown, paths: ReadonlyArray<string>]> = [
      [null, ["formerly"]],
      [{ path: "/old" }, ["formerly"]],
      [["/old"], ["formerly[0]"]],
      [[{}, { path: "old" }, { domain: "https://example.com" }], ["formerly[1].path", "formerly[2].domain"]],
      [[{ Path: "/old" }], ["formerly[0].Path"]],
      [[{}, { path: "/app", domain: "EXAMPLE.com" }], ["formerly[1]"]],
      [Array.from({ length: 9 }, (_, n) => ({ path: `/${n}` })), ["formerly"]]
    ]
    for (const [formerly, paths] of cases) {
      assert.deepStrictEqual(refusedPaths({ ...scoped, formerly }), paths, inspect(formerly))
    }
    assert.strictEqual(
      resolved({ ...scoped, formerly: Array.from({ length: 8 }, (_, n) => ({ path: `/${n}` })) }).formerly.length,
      8
    )
    assert.deepStrictEqual(refusedPaths({ formerly: [{ domain: "example.com" }] }), ["formerly"])
  })

  it("F3: durations become whole milliseconds", () => {
    const config = resolved({ expiry: Duration.nanos(1_500_400_000n), absoluteExpiry: "1.5 hours", storeTimeout: 1.4 })
    assert.strictEqual(config.idleMillis, 1500)
    assert.strictEqual(config.absoluteMillis, 5_400_000)
    assert.strictEqual(config.storeTimeoutMillis, 1)
  })

  it("F4: a Max-Age below 1 second or over 400 days is refused", () => {
    for (const expiry of [0, 1, 999, "401 days", 400 * day + 1] as const) {
      assert.deepStrictEqual(refusedPaths({ expiry }), ["expiry"], String(expiry))
    }
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
      formerly: [],
      idleMillis: 14 * day,
      persistent: false,
      absoluteMillis: 30 * day,
      refreshAfter: 0.1,
      renewEveryMillis: undefined,
      isActivity: undefined,
      storeTimeoutMillis: 5000,
      maxDuplicates: 4,
      renewGraceMillis: 60_000,
      maxSessionBytes: 262_144,
      cleanupIntervalMillis: 60_000
    })
    assert.deepStrictEqual([200, 302, 404, 498, 499, 500, 503].filter(commitWhen), [200, 302, 404, 498])
  })

  it("E1: every store ends sessions after 30 days by default, and an infinite time switches that off", () => {
    assert.strictEqual(resolved({}).absoluteMillis, 30 * day)
    assert.strictEqual(resolved({ absoluteExpiry: "90 days" }).absoluteMillis, 90 * day)
    for (const absoluteExpiry of [Infinity, Duration.infinity]) {
      assert.strictEqual(resolved({ absoluteExpiry }).absoluteMillis, undefined)
    }
  })

  it("E2: without expiry the browser drops the cookie when it closes, and the record lives as long as idle", () => {
    assert.strictEqual(resolved({}).idleMillis, 14 * day)
    const without = resolved({ idle: "2 hours" })
    assert.isFalse(without.persistent)
    assert.strictEqual(without.idleMillis, 2 * 60 * 60 * 1000)
    const withExpiry = resolved({ idle: "2 hours", expiry: "1 hour" })
    assert.isTrue(withExpiry.persistent)
    assert.strictEqual(withExpiry.idleMillis, 60 * 60 * 1000)
  })
})
