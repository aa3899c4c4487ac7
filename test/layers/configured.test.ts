import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { SessionConfig, SessionStore } from "effect-session"

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
})
