/** libSQL, in a file of its own, through the client that an app would use. A remote one speaks to the same functions. */
import { LibsqlClient } from "@effect/sql-libsql"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import * as Sql from "effect-session/SessionStore/Sql"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { backendOf, table } from "./harness.js"
import { found, newId, now, patch, session } from "./records.js"

const file = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-session-libsql-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const client = Layer.unwrapScoped(
  Effect.map(file, (folder) => Layer.orDie(LibsqlClient.layer({ url: `file:${join(folder, "sessions.db")}` })))
)

const adapter = Layer.effectDiscard(Sql.createTable()).pipe(
  Layer.provideMerge(Sql.layerBackend()),
  Layer.provideMerge(client)
)

const spoil = (set: string) => (id: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`UPDATE ${table} SET ${set} WHERE id = '${id}'`))

SessionStoreContract.suite("libSQL", adapter, {
  index: true,
  corrupt: spoil("data = 'spoilt'"),
  newerFormat: spoil("format = 9, data = 'of another time'"),
  // Fewer rounds: the statements are those of SQLite, whose suite runs all of them.
  interleavings: 30,
  increments: 100,
  inserts: 100
})

it.scopedLive("S3: a write inside a transaction of the app is undone with it", () =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { backend } = yield* backendOf(sql)
    const id = newId()
    const versionOf = (id: string) => Effect.map(found(id), ({ version }) => version)
    yield* backend.insert(id, session(), now)
    const failed = backend.update(id, patch({ a: "1" }), now).pipe(
      Effect.zipRight(Effect.fail("undone")),
      sql.withTransaction
    )
    expect(yield* Effect.flip(failed)).toBe("undone")
    expect(yield* versionOf(id)).toBe(1)
    yield* sql.withTransaction(backend.update(id, patch({ a: "1" }), now))
    expect(yield* versionOf(id)).toBe(2)
  }).pipe(Effect.provide(adapter)))
