/** The contract of a store of revocations, over each of a server. */
import * as RevocationRedis from "effect-session/Revocation/Redis"
import * as RevocationSql from "effect-session/Revocation/Sql"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ownPrefix } from "../redis/kit.js"
import { describeWith, redis } from "../services.js"
import { databases } from "../sql/databases.js"
import { client } from "../sql/place.js"

describeWith(redis, "Redis", () => {
  const layer = Layer.unwrapScoped(
    Effect.map(ownPrefix, (prefix) => RevocationRedis.layer({ redis: { url: redis.url }, prefix }))
  )
  SessionStoreContract.revocation("contract", layer, { expiresNatively: true })
})

for (const database of databases) {
  database.describe(() => {
    const layer = Layer.unwrapScoped(Effect.map(
      Effect.acquireRelease(database.create, database.drop),
      (place) =>
        RevocationSql.layer().pipe(
          Layer.provide(Layer.effectDiscard(RevocationSql.createTable())),
          Layer.provide(client(place))
        )
    ))
    SessionStoreContract.revocation("contract", layer)
  })
}
