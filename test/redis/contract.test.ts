import { layerBackend } from "effect-session/SessionStore/Redis"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describeWith, redis } from "../services.js"
import { ownPrefix } from "./kit.js"

describeWith(redis, "Redis", () => {
  const adapter = Layer.unwrapScoped(
    Effect.map(ownPrefix, (prefix) => layerBackend({ redis: { url: redis.url }, prefix }))
  )
  SessionStoreContract.suite("contract", adapter, { index: true, expiresNatively: true })
})
