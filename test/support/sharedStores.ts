import { Effect, Exit, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { afterAll, beforeAll } from "vitest"
import { ownPrefix } from "../redis/kit.js"
import { describeWith, redis } from "../services.js"
import { databases } from "../sql/databases.js"
import type { Place } from "./storeAt.js"

const unique = () => `sessions_${randomUUID().replaceAll("-", "").slice(0, 12)}`

/** Gives every test a place of its own, in a database or below a prefix that goes when the tests have ended. */
const placesIn = <A>(own: Effect.Effect<A, never, Scope.Scope>, placeIn: (own: A) => Place): () => Place => {
  const scope = Effect.runSync(Scope.make())
  let made: A
  beforeAll(async () => {
    made = await Effect.runPromise(Scope.extend(own, scope))
  })
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return () => placeIn(made)
}

/** Describes the same tests for every store that several processes can share: Redis, PostgreSQL, MariaDB and SQLite. */
export const describeSharedStores = (body: (newPlace: () => Place) => void): void => {
  describeWith(
    redis,
    "Redis",
    () => body(placesIn(ownPrefix, (prefix) => ({ dialect: "redis", url: redis.url, prefix: `${prefix}${unique()}:` })))
  )
  for (const { create, describe, drop } of databases) {
    describe(() => body(placesIn(Effect.acquireRelease(create, drop), (place) => ({ ...place, table: unique() }))))
  }
}
