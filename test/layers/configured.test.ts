import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { Revocation, SessionConfig, Sessions, SessionStore } from "effect-session"

describe("the layer of a configuration", () => {
  it.effect("F2: a configuration that says nothing about an option leaves it to the options in code", () =>
    Effect.gen(function*() {
      const silent = [
        SessionConfig.fromUnknown({ request_context: { session_store: { type: "Memory" } } }),
        SessionConfig.fromConfig.pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["SESSION_STORE", "Memory"]])))
        )
      ]
      for (const from of silent) {
        for (const layer of [SessionStore.layerConfig, SessionStore.layerConfigServer]) {
          const options = { enable: false, name: "shop" }
          const { config } = yield* Effect.provide(SessionStore.SessionStore, layer({ from, options }))
          expect([config.enable, config.name]).toEqual([false, "shop"])
        }
      }
    }))

  it.effect("F1: a file that says Cookie configures the cookie store that can revoke, which its layer in code makes", () =>
    Effect.gen(function*() {
      const file = `
request_context:
  session_config: { name: shop, secure: false, expiry: 7200 }
  session_store: { type: Cookie, value: { secret: "${"k".repeat(32)}", audience: shop } }
`
      const SessionsLive = Layer.unwrapEffect(
        Effect.map(SessionConfig.fromYaml(file), ({ options, store }) =>
          store.type === "Cookie"
            ? SessionStore.layerCookieRevocable({ ...options, keys: store.keys, audience: store.audience })
            : Layer.die("not a cookie store"))
      ).pipe(Layer.provide(Revocation.layerMemory()))
      yield* Effect.gen(function*() {
        const { config, revocable } = yield* SessionStore.SessionStore
        expect([config.name, config.secure, config.idleMillis, revocable]).toEqual(["shop", false, 7_200_000, true])
        expect(yield* Sessions.revokeAll("ada")).toBeUndefined()
      }).pipe(Effect.provide(SessionsLive))
    }))
})
