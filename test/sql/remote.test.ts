/**
 * SQLite at the other end of a network, as Cloudflare's D1 is: its statements answer later, any number of them may be on
 * their way at once, and it has no transactions.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { sqlite } from "./databases.js"
import { backendOf, own } from "./harness.js"
import { newId, now, patch, session } from "./records.js"

/** `before` runs ahead of each statement. */
const remote = (sql: SqlClient, before: (params: ReadonlyArray<unknown>) => Effect.Effect<void>): SqlClient => {
  const shared = (sql.unsafe("SELECT 1") as unknown as { readonly acquirer: Connection.Acquirer }).acquirer
  const later = (
    run: (on: Connection, text: string, params: ReadonlyArray<unknown>) => Effect.Effect<any, any>
  ) =>
  (text: string, params: ReadonlyArray<unknown> = []) =>
    Effect.zipRight(
      Effect.zipRight(Effect.sleep(1), before(params)),
      Effect.scoped(Effect.flatMap(shared, (on) => run(on, text, params)))
    )
  const connection: Connection = {
    execute: later((on, text, params) => on.execute(text, params, undefined)),
    executeRaw: later((on, text, params) => on.executeRaw(text, params)),
    executeStream: () => {
      throw new Error("not used")
    },
    executeValues: later((on, text, params) => on.executeValues(text, params)),
    executeUnprepared: later((on, text, params) => on.executeUnprepared(text, params, undefined))
  }
  return new Proxy(sql, {
    get: (target, property) => {
      if (property === "reserve") return Effect.dieMessage("transactions are not supported")
      if (property === "unsafe") return () => ({ acquirer: Effect.succeed(connection) })
      return (target as any)[property]
    }
  })
}

sqlite.describe(() =>
  layer(own(sqlite), { excludeTestServices: true, timeout: 30_000 })((it) => {
    it.effect("S3: on a remote SQLite, no request waits for a statement of another request", () =>
      Effect.gen(function*() {
        const [slow, quick] = [newId(), newId()]
        const gate = yield* Deferred.make<void>()
        const { backend } = yield* backendOf(
          remote(yield* SqlClient, (params) => params.includes(slow) ? Deferred.await(gate) : Effect.void)
        )
        const slowly = yield* Effect.fork(
          Effect.all([backend.find(slow, now), backend.insert(slow, session(), now)], { concurrency: "unbounded" })
        )
        yield* Effect.sleep(10)
        const quickly = Effect.gen(function*() {
          expect(yield* backend.insert(quick, session(), now)).toBe(true)
          expect(Option.isSome(yield* backend.find(quick, now))).toBe(true)
          expect(yield* backend.update(quick, patch({ a: "1" }), now)).toMatchObject({ _tag: "Updated" })
        })
        yield* Effect.timeout(quickly, 5_000)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(slowly)
      }).pipe(Effect.scoped))

    it.effect("S3: on a remote SQLite parallel reads and writes of many sessions all succeed, without a transaction", () =>
      Effect.gen(function*() {
        const { backend } = yield* backendOf(remote(yield* SqlClient, () => Effect.void))
        const ids = Array.from({ length: 50 }, newId)
        const inserted = yield* Effect.forEach(ids, (id) => backend.insert(id, session(), now), {
          concurrency: "unbounded"
        })
        expect(inserted.every((done) => done)).toBe(true)
        const found = yield* Effect.forEach(ids, (id) => backend.find(id, now), { concurrency: "unbounded" })
        expect(found.every(Option.isSome)).toBe(true)
      }).pipe(Effect.scoped))
  })
)
