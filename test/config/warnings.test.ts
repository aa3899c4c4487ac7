import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import { resolved } from "./given.js"

describe("warnings", () => {
  it("F6: in production, the Memory store, an insecure cookie and a weak key are warned of", () => {
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

  it("F6: an expiry below 30 seconds is warned of everywhere, because seconds were probably meant", () => {
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
})
