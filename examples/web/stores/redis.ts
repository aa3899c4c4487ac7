/** Connects to `REDIS_URL`, by default redis://127.0.0.1:6379. */
import { Config, Effect, Layer } from "effect"
import { layer } from "effect-session/SessionStore/Redis"
import type { Store } from "../stores.js"

export const store: Store = (options) =>
  Layer.unwrapEffect(Effect.map(
    Config.withDefault(Config.string("REDIS_URL"), "redis://127.0.0.1:6379"),
    (url) => layer({ ...options, redis: { url } })
  ))
