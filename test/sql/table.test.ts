import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it as test, layer } from "@effect/vitest"
import { SessionStore } from "effect-session"
import { SessionBackend, SubjectIndex } from "effect-session/SessionBackend"
import { Sessions } from "effect-session/Sessions"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { errorOf } from "../../src/internal/edition/cause.js"
import { databases } from "./databases.js"
import { another, backendOf, own, table, Where } from "./harness.js"
import { client, type Place } from "./place.js"
import { hour, isThere, newId, now, owner, patch, session } from "./records.js"

const migrate = Migrator.make({})

/** Every byte of every column, as text. */
const columns = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    Effect.map(
      sql.unsafe(`SELECT * FROM ${table}`),
      (rows) =>
        rows.flatMap((row) =>
          Object.values(row as object).map((value) => Buffer.isBuffer(value) ? value.toString("latin1") : String(value))
        ).join("\n")
    )
)

/** What a dump of the database has: the tool's where it is installed. */
const dump = (place: Place): Effect.Effect<string, never, SqlClient.SqlClient> => {
  switch (place.dialect) {
    case "pg":
      return Effect.try({
        try: () => execFileSync("pg_dump", ["--dbname", place.url], { encoding: "latin1" }),
        catch: () => "pg_dump is not here" as const
      }).pipe(
        Effect.catchAll(() => columns),
        Effect.orDie
      )
    case "mysql":
      return Effect.orDie(columns)
    case "sqlite":
      return Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => Effect.map(sql`PRAGMA wal_checkpoint(TRUNCATE)`, () => readFileSync(place.filename, "latin1"))
      ).pipe(Effect.orDie)
  }
}

const mistakesOf = <A>(exit: Exit.Exit<A, unknown>): unknown =>
  Exit.isFailure(exit) ? (errorOf(exit.cause) as { readonly mistakes?: unknown } | undefined)?.mistakes : undefined

for (const database of databases) {
  const { dialect } = database
  database.describe(() =>
    layer(own(database), { excludeTestServices: true, timeout: 30_000 })((it) => {
      it.effect("F7: the table is created once, even if many instances create it at the same time", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const second = yield* another()
          yield* Effect.forEach(
            Array.from({ length: 12 }, (_, i) => i % 2 === 0 ? sql : second),
            (client) => Effect.provideService(Sql.createTable({ table: "at_once" }), SqlClient.SqlClient, client),
            { concurrency: "unbounded" }
          )
          const { backend } = yield* backendOf(sql, { table: "at_once" })
          const id = newId()
          expect(yield* backend.insert(id, session(), now)).toBe(true)
          yield* Sql.createTable({ table: "at_once" })
          expect(Option.isSome(yield* backend.find(id, now))).toBe(true)
        }).pipe(Effect.scoped))

      if (dialect !== "sqlite") {
        it.effect("F7: once the tables exist, createTable succeeds for a role that may only read and write rows", () =>
          Effect.gen(function*() {
            const admin = yield* SqlClient.SqlClient
            const place = yield* Where as Effect.Effect<
              { readonly dialect: "pg" | "mysql"; readonly url: string },
              never,
              Where
            >
            const role = `effect_session_role_${process.pid}`
            yield* Sql.createTable({ table: "for_rows" })
            yield* Effect.acquireUseRelease(
              Effect.forEach(
                dialect === "pg"
                  ? [
                    `CREATE ROLE ${role} LOGIN PASSWORD 'rows'`,
                    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
                    `GRANT SELECT, INSERT, UPDATE, DELETE ON for_rows, for_rows_locks TO ${role}`
                  ]
                  : [
                    `CREATE USER ${role} IDENTIFIED BY 'rows'`,
                    `GRANT SELECT, INSERT, UPDATE, DELETE ON for_rows TO ${role}`,
                    `GRANT SELECT, INSERT, UPDATE, DELETE ON for_rows_locks TO ${role}`
                  ],
                (text) => admin.unsafe(text),
                { discard: true }
              ),
              () =>
                Effect.gen(function*() {
                  const url = new URL(place.url)
                  url.username = role
                  url.password = "rows"
                  const sql = Context.get(
                    yield* Layer.build(client({ dialect: place.dialect, url: url.href }, 2)),
                    SqlClient.SqlClient
                  )
                  const create = (table: string) =>
                    Effect.exit(Effect.provideService(Sql.createTable({ table }), SqlClient.SqlClient, sql))
                  expect(Exit.isSuccess(yield* create("for_rows"))).toBe(true)
                  const { backend, index } = yield* backendOf(sql, { table: "for_rows" })
                  const record = { ...session(), owner: owner("ada") }
                  expect(yield* index.insert(newId(), record, now, { max: 1, whenFull: "refuse" })).toBe("Inserted")
                  expect(yield* backend.insert(newId(), session(), now)).toBe(true)
                  // emptied by somebody: rows are what it may write
                  yield* sql.unsafe("DELETE FROM for_rows_locks")
                  expect(Exit.isSuccess(yield* create("for_rows"))).toBe(true)
                  expect(yield* sql.unsafe("SELECT slot FROM for_rows_locks")).toHaveLength(64)
                  // what is missing it may not make, and says so
                  expect(Exit.isFailure(yield* create("not_there"))).toBe(true)
                }).pipe(Effect.scoped),
              () => {
                const drops = dialect === "pg"
                  ? [`DROP OWNED BY ${role}`, `DROP ROLE ${role}`]
                  : [`DROP USER ${role}`]
                return Effect.orDie(Effect.forEach(drops, (text) => admin.unsafe(text), { discard: true }))
              }
            )
          }))
      }

      it.effect("F7: the migration runs once, however often the migrator runs", () =>
        Effect.gen(function*() {
          const run = migrate({ loader: Sql.loader({ table: "migrated" }), table: "migrations_of_sessions" })
          expect(yield* run).toEqual([[1, "effect_session"]])
          expect(yield* run).toEqual([])
          const { index } = yield* backendOf(yield* SqlClient.SqlClient, { table: "migrated" })
          const record = { ...session(), owner: owner("ada") }
          expect(yield* index.insert(newId(), record, now, { max: 1, whenFull: "refuse" })).toBe("Inserted")
          const exit = yield* Effect.exit(
            migrate({ loader: Sql.loader({ table: "no table" }), table: "migrations_of_none" })
          )
          expect(Exit.isFailure(exit) && String(exit.cause)).toContain("table: must be the name of a table")
        }).pipe(Effect.scoped))

      if (dialect === "pg") {
        it.effect("S4: in a table of partitions the clean-up removes what has expired, and no session that lives", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            yield* sql.unsafe(`CREATE TABLE parts (LIKE ${table}) PARTITION BY HASH (id)`)
            yield* sql.unsafe("ALTER TABLE parts ADD PRIMARY KEY (id)")
            for (const part of [0, 1, 2, 3]) {
              yield* sql.unsafe(
                `CREATE TABLE parts_${part} PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER ${part})`
              )
            }
            yield* Sql.createTable({ table: "parts" })
            const { backend } = yield* backendOf(sql, { table: "parts" })
            const living: Array<string> = []
            for (let i = 0; i < 200; i++) {
              const id = newId()
              const lives = i % 4 > 0
              if (lives) living.push(id)
              yield* backend.insert(id, session({ expiresAt: lives ? now + hour : now + 1 }), now)
            }
            expect(yield* backend.removeExpired(now + 2, 20)).toBe(20)
            expect(yield* backend.removeExpired(now + 2, 100)).toBe(30)
            for (const id of living) expect(Option.isSome(yield* backend.find(id, now + 2))).toBe(true)
          }).pipe(Effect.scoped))
      }

      it.effect("F7: two tables in one database are two separate stores", () =>
        Effect.gen(function*() {
          const first = yield* SessionBackend
          yield* Sql.createTable({ table: "Other" })
          const { backend: other, index } = yield* backendOf(yield* SqlClient.SqlClient, { table: "Other" })
          const id = newId()
          yield* first.insert(id, session({ owner: owner("ada") }), now)
          expect(Option.isNone(yield* other.find(id, now))).toBe(true)
          expect(yield* other.insert(id, session(), now)).toBe(true)
          expect(yield* other.remove(id, undefined, now)).toBe("removed")
          expect(yield* index.list("ada", now)).toEqual([])
          expect(yield* isThere(id)).toBe(true)
        }).pipe(Effect.scoped))

      it.effect("F7: the name of the table may have a schema in front of it", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const schema = dialect === "sqlite" ? "main" : `effect_session_schema_${process.pid}`
          if (dialect !== "sqlite") yield* sql.unsafe(`CREATE SCHEMA ${schema}`)
          yield* Effect.ensuring(
            Effect.gen(function*() {
              const name = `${schema}.${"x".repeat(55)}`
              yield* Sql.createTable({ table: name })
              yield* Sql.createTable({ table: name })
              const { backend, index } = yield* backendOf(sql, { table: name })
              const id = newId()
              expect(yield* backend.insert(id, session(), now)).toBe(true)
              expect(yield* backend.insert(id, session(), now + 9e9)).toBe(true)
              expect(yield* backend.update(id, patch({ a: "1" }), now)).toMatchObject({ _tag: "Updated" })
              const record = { ...session(), owner: owner("ada") }
              expect(yield* index.insert(newId(), record, now, { max: 1, whenFull: "refuse" })).toBe("Inserted")
              expect(yield* backend.removeExpired(now + 9e9, 10)).toBe(2)
            }),
            dialect === "mysql" ? Effect.orDie(sql.unsafe(`DROP SCHEMA ${schema}`)) : Effect.void
          )
        }).pipe(Effect.scoped))

      for (
        const bad of [
          "",
          ".",
          "a.",
          ".a",
          "a.b.c",
          "1a",
          "a b",
          "a-b",
          "a;b",
          "a\"b",
          "a`b",
          "a'b",
          "ä",
          "a\u0000",
          "x".repeat(56),
          `${"x".repeat(56)}.a`
        ]
      ) {
        it.effect(`F3: ${JSON.stringify(bad)} is not a table's name, so the layer does not start and nothing is created`, () =>
          Effect.gen(function*() {
            const expected = [{ path: "table", message: expect.stringContaining("must be the name of a table") }]
            const start = Effect.provide(SessionBackend, Sql.layerBackend({ table: bad }))
            expect(mistakesOf(yield* Effect.exit(start))).toEqual(expected)
            expect(mistakesOf(yield* Effect.exit(Sql.createTable({ table: bad })))).toEqual(expected)
          }))
      }

      it.effect("F3: mistakes in the session's options also keep the layer from starting", () =>
        Effect.gen(function*() {
          const start = (options: Sql.Options) =>
            Effect.exit(Effect.provide(SessionStore.SessionStore, Sql.layer(options)))
          expect(mistakesOf(yield* start({ maxSessionBytes: -1 }))).toMatchObject([{
            path: expect.stringContaining("maxSessionBytes")
          }])
          expect(mistakesOf(yield* start({ subjectBound: { max: 0, whenFull: "refuse" } }))).toHaveLength(1)
          expect(Exit.isSuccess(yield* start({ secure: false }))).toBe(true)
        }))

      it.effect("F2: the layer's options can come from Config", () =>
        Effect.gen(function*() {
          const layer = Sql.layerConfig({ table: Config.string("TABLE"), maxSessionBytes: Config.integer("BYTES") })
          const start = (values: ReadonlyArray<readonly [string, string]>) =>
            Layer.build(layer).pipe(
              Effect.withConfigProvider(ConfigProvider.fromMap(new Map(values))),
              Effect.exit
            )
          const exit = yield* start([["TABLE", table], ["BYTES", "1234"]])
          if (Exit.isFailure(exit)) throw exit.cause
          expect(Context.get(exit.value, SessionStore.SessionStore).config.maxSessionBytes).toBe(1234)
          expect(Context.get(exit.value, Sessions)).toBeDefined()
          expect(mistakesOf(yield* start([["TABLE", "no table"], ["BYTES", "1234"]]))).toMatchObject([{
            path: "table"
          }])
          expect(Exit.isFailure(yield* start([]))).toBe(true)
        }).pipe(Effect.scoped))

      it.effect("S1: a dump of the database holds no token, and nothing in it opens a session", () =>
        Effect.gen(function*() {
          const context = yield* Layer.build(Sql.layer({ secure: false }))
          const store = Context.get(context, SessionStore.SessionStore)
          const ownerOfIt = { ...owner("dumped"), authenticatedAt: now }
          const tokens: Array<string> = []
          for (let i = 0; i < 20; i++) {
            const saved = yield* store.save({
              base: undefined,
              patch: patch({ i: String(i) }),
              renew: false,
              ifVersion: undefined,
              owner: i % 2 === 0 ? undefined : ownerOfIt
            }, now)
            if (saved._tag === "Saved") tokens.push(saved.token)
          }
          expect(new Set(tokens).size).toBe(20)
          expect(yield* store.load([tokens[0]], now)).toMatchObject({ _tag: "Found" })
          const text = yield* dump(yield* Where)
          for (const token of tokens) {
            expect(text).toContain(createHash("sha256").update(token).digest("base64url"))
            expect(text).not.toContain(token)
          }
          // whoever has the dump tries all that looks like a token
          const candidates = [...new Set(text.match(/[A-Za-z0-9_-]{43,}/g))].flatMap((run) =>
            Array.from({ length: run.length - 42 }, (_, i) => run.slice(i, i + 43))
          ).filter(store.wellFormed)
          expect(candidates.length).toBeGreaterThanOrEqual(1)
          for (const candidate of candidates) {
            expect(yield* store.load([candidate], now)).toMatchObject({ _tag: "Empty", reason: "Unknown" })
          }
        }).pipe(Effect.scoped))
    })
  )
}

test.effect("F3: a client for another database is a mistake", () =>
  Effect.gen(function*() {
    const mssql = { onDialectOrElse: (options: { readonly orElse: () => unknown }) => options.orElse() }
    const client = Layer.succeed(SqlClient.SqlClient, mssql as unknown as SqlClient.SqlClient)
    const expected = [{ path: "", message: "the SqlClient must be one for PostgreSQL, MySQL/MariaDB or SQLite" }]
    const start = Effect.provide(SubjectIndex, Layer.provide(Sql.layerBackend(), client))
    expect(mistakesOf(yield* Effect.exit(start))).toEqual(expected)
    expect(mistakesOf(yield* Effect.exit(Effect.provide(Sql.createTable(), client)))).toEqual(expected)
  }))
