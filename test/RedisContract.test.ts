import * as SessionStoreContract from "effect-session/SessionStoreContract"
import { layerBackend } from "effect-session/SessionStore/Redis"
import { describeWith, redis } from "./services.js"

describeWith(redis, "Redis", () => {
  SessionStoreContract.suite("contract", layerBackend({ redis: { url: redis.url }, prefix: "x:" }), { index: true, expiresNatively: true })
})
