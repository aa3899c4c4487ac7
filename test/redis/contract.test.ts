import * as NodeRedis from "effect-session/SessionStore/NodeRedis"
import * as Redis from "effect-session/SessionStore/Redis"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { redis } from "../services.js"
import { describeEach, ioredis, nodeClient, ownPrefix } from "./kit.js"

const url = redis.url

describeEach("the contract", (library) => {
  const adapter = Layer.unwrapScoped(
    Effect.map(ownPrefix, (prefix) =>
      library === ioredis
        ? Redis.layerBackend({ redis: { url }, prefix })
        : NodeRedis.layerBackend({ redis: { url }, prefix }))
  )
  // The second library differs from the first one in how commands travel, so that fewer rounds are enough.
  const fewer = { interleavings: 50, increments: 100, inserts: 100 }
  SessionStoreContract.suite("contract", adapter, {
    index: true,
    expiresNatively: true,
    ...(library === ioredis ? undefined : fewer)
  })
  if (library === ioredis) return

  const newerProtocol = Layer.unwrapScoped(Effect.gen(function*() {
    const client = NodeRedis.fromNodeRedis(yield* nodeClient(3))
    return NodeRedis.layerBackendClient({ client, prefix: yield* ownPrefix })
  }))
  SessionStoreContract.suite("contract over RESP3, with a client of the app", newerProtocol, {
    index: true,
    expiresNatively: true,
    ...fewer
  })
})
