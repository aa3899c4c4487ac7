import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { expect, layer } from "@effect/vitest"
import { SessionConfig } from "effect-session"
import { SessionBackend, SubjectIndex } from "effect-session/SessionBackend"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Guard from "../../src/internal/server/guard.js"
import * as ServerStore from "../../src/internal/server/serverStore.js"
import * as Sessions from "../../src/internal/server/subjectSessions.js"
import { pgTypes } from "../support/pgTypes.js"
import { databases, mariadb, pg, sqlite } from "./databases.js"
import { another, backendOf, own, table, Where } from "./harness.js"
import { client } from "./place.js"
import { found, isThere, newId, now, owned, owner, patch, session, times } from "./records.js"

const config = Either.getOrThrow(SessionConfig.resolve({ secure: false, storeTimeout: "2 seconds" }))

class RolledBack {
  readonly _tag = "RolledBack"
}

/** The app's own transaction, which ends in a rollback. */
const rolledBack = <A, E, R>(sql: SqlClient.SqlClient, effect: Effect.Effect<A, E, R>) =>
  Effect.flip(sql.withTransaction(Effect.zipRight(effect, Effect.fail(new RolledBack())))).pipe(
    Effect.tap((error) => Effect.sync(() => expect(error).toBeInstanceOf(RolledBack)))
  )

for (const database of databases) {
  const { dialect } = database
  database.describe(() =>
    layer(own(database), { excludeTestServices: true, timeout: 30_000 })((it) => {
      it.effect("M4: a write inside the app's transaction survives its rollback, except on SQLite", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const sql = yield* SqlClient.SqlClient
          const index = yield* SubjectIndex
          const [ended, changed, signedIn] = Array.makeBy(3, newId)
          yield* backend.insert(ended, session(), now)
          yield* backend.insert(changed, session(), now)
          yield* rolledBack(
            sql,
            Effect.gen(function*() {
              expect(yield* backend.remove(ended, undefined, now)).toBe("removed")
              expect(yield* backend.update(changed, patch({ a: "1" }), now)).toMatchObject({ _tag: "Updated" })
              const bound = { max: 1, whenFull: "refuse" } as const
              expect(yield* index.insert(signedIn, owned("inside"), now, bound)).toBe("Inserted")
              expect(yield* index.insert(newId(), owned("inside"), now, bound)).toBe("Full")
            })
          )
          const stays = dialect !== "sqlite"
          expect(yield* isThere(ended)).toBe(!stays)
          expect((yield* found(changed)).data.has("a")).toBe(stays)
          expect(yield* isThere(signedIn)).toBe(stays)
        }))

      it.effect("M5: a read inside the app's transaction takes no second connection, so that a pool of one is enough", () =>
        Effect.gen(function*() {
          const sql = yield* another(1)
          const { backend, index } = yield* backendOf(sql)
          const id = newId()
          yield* backend.insert(id, session({ owner: owner("reader") }), now)
          // the list of a subject's sessions is no part of it: see below
          const reads = sql.withTransaction(
            Effect.all([
              backend.find(id, now),
              dialect === "sqlite" ? index.list("reader", now) : backend.find(id, now)
            ])
          )
          const [record] = yield* Effect.timeout(reads, 5_000)
          expect(record._tag).toBe("Some")
        }).pipe(Effect.scoped))

      it.effect("C7: inside the app's transaction a request reads what it has written, under every isolation level", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const { backend, index } = yield* backendOf(sql)
          // MySQL's default; on PostgreSQL the app asks for it
          const level: Effect.Effect<unknown, SqlError> = dialect === "pg"
            ? sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`
            : Effect.void
          const oneMoment = Effect.zipRight(level, sql.unsafe(`SELECT COUNT(*) FROM ${table}`))
          const writes = {
            update: (id: string) => backend.update(id, patch({ a: "1" }), now),
            remove: (id: string) => backend.remove(id, undefined, now),
            removeVersion: (id: string) => backend.remove(id, 1, now),
            insert: (id: string) =>
              Effect.zipRight(backend.remove(id, undefined, now), backend.insert(id, session(), now)),
            bind: (id: string) =>
              Effect.zipRight(
                backend.remove(id, undefined, now),
                index.insert(id, owned("moment"), now, { max: 100, whenFull: "refuse" })
              )
          }
          const expected = {
            update: { value: { version: 2 } },
            remove: { _tag: "None" },
            removeVersion: { _tag: "None" },
            insert: { value: { version: 1, owner: undefined } },
            bind: { value: { owner: { subject: "moment" } } }
          }
          for (const name of Object.keys(writes) as ReadonlyArray<keyof typeof writes>) {
            const id = newId()
            yield* backend.insert(id, session({ owner: owner("before") }), now)
            const seen = yield* sql.withTransaction(Effect.gen(function*() {
              yield* oneMoment
              yield* backend.find(id, now)
              yield* writes[name](id)
              return yield* backend.find(id, now)
            }))
            expect({ name, seen }).toMatchObject({ name, seen: expected[name] })
          }
        }).pipe(Effect.scoped))

      it.effect("S2: revokeAll inside the app's transaction also ends a session that was renewed after the transaction began", () =>
        Effect.gen(function*() {
          if (dialect === "sqlite") return // there the transaction is alone
          const sql = yield* SqlClient.SqlClient
          const { backend, index } = yield* backendOf(sql)
          const sessions = Sessions.make(config, backend, index)
          const [old, renewed] = [newId(), newId()]
          const life = times({ createdAt: Date.now(), expiresAt: Date.now() + 3_600_000 })
          yield* index.insert(old, owned("revoked", life), now, undefined)
          yield* sql.withTransaction(Effect.gen(function*() {
            if (dialect === "pg") yield* sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`
            yield* sql.unsafe(`SELECT COUNT(*) FROM ${table}`)
            const other = yield* backendOf(yield* another())
            yield* other.index.insert(renewed, owned("revoked", life), now, undefined)
            expect(yield* other.backend.remove(old, 1, Date.now())).toBe("removed")
            expect(yield* sessions.revokeAll("revoked")).toBe(1)
            expect(yield* sessions.list("revoked")).toEqual([])
          }))
          expect(yield* isThere(renewed, Date.now())).toBe(false)
        }).pipe(Effect.scoped))

      it.effect("M5: a request inside the app's transaction and one outside do not wait for each other", () =>
        Effect.gen(function*() {
          const sql = yield* another()
          const { backend, index } = yield* backendOf(sql)
          const id = newId()
          yield* backend.insert(id, session(), now)
          const bound = { max: 3, whenFull: "evict-oldest" } as const
          const one: Record<string, Effect.Effect<unknown, unknown>> = {
            bind: Effect.suspend(() => index.insert(newId(), owned("both"), now, bound)),
            update: Effect.suspend(() =>
              Effect.forEach([1, 2, 3, 4], (i) => backend.update(id, patch({ [`k${i}`]: "1" }), now), {
                concurrency: "unbounded"
              })
            )
          }
          for (const [name, effect] of Object.entries(one)) {
            const inside = yield* Effect.fork(
              sql.withTransaction(Effect.zipRight(Effect.zipRight(sql`SELECT 1`, Effect.sleep(60)), effect))
            )
            yield* Effect.sleep(20)
            const outside = yield* Effect.fork(Effect.all([effect, effect], { concurrency: "unbounded" }))
            const done = yield* Effect.either(
              Effect.timeout(Effect.zipRight(Fiber.join(inside), Fiber.join(outside)), 3_000)
            )
            expect({ name, done: done._tag }).toEqual({ name, done: "Right" })
          }
        }).pipe(Effect.scoped))

      it.effect("C9: a modify inside the app's transaction and one outside do not wait for each other", () =>
        Effect.gen(function*() {
          const sql = yield* another(4)
          const { backend, index } = yield* backendOf(sql)
          const store = ServerStore.make(
            config,
            Guard.guarded(backend, config.storeTimeoutMillis, Effect.fail),
            index
          )
          const expiry = times()
          const added = yield* store.save({
            base: undefined,
            patch: patch({ count: "0" }, { expiry }),
            renew: false,
            ifVersion: undefined,
            owner: undefined
          }, now)
          const token = added._tag === "Saved" ? added.token : ""
          const increment = store.modify(token, undefined, ({ data }) => {
            const next = String(Number(data.get("count")) + 1)
            return Effect.succeed([next, Option.some(patch({ count: next }))] as const)
          })
          const inside = yield* Effect.fork(sql.withTransaction(Effect.zipRight(Effect.sleep(100), increment)))
          yield* Effect.sleep(30)
          const outside = yield* Effect.fork(increment)
          yield* Effect.all([Fiber.join(inside), Fiber.join(outside)])
          const loaded = yield* store.load([token], Date.now())
          expect(loaded._tag === "Found" && loaded.session.data.get("count")).toBe("2")
        }).pipe(Effect.scoped))

      it.effect("C9: after a compare-and-set has lost inside the app's transaction, the next read sees the change that won", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const sql = yield* another()
          const { backend: inside } = yield* backendOf(sql)
          const id = newId()
          yield* backend.insert(id, session(), now)
          // on SQLite this transaction would hold up the other client's write
          if (dialect === "sqlite") return
          yield* sql.withTransaction(Effect.gen(function*() {
            yield* inside.find(id, now)
            expect(yield* backend.update(id, patch({ won: "1" }), now)).toMatchObject({ version: 2 })
            expect(yield* inside.update(id, patch({ lost: "1" }), now, 1)).toEqual({ _tag: "Conflict" })
            const fresh = yield* inside.find(id, now)
            expect(fresh).toMatchObject({ _tag: "Some", value: { version: 2 } })
            expect(yield* inside.update(id, patch({ then: "1" }), now, 2)).toMatchObject({ version: 3 })
          }))
          expect((yield* found(id)).data).toEqual(new Map([["user", "\"ada\""], ["won", "1"], ["then", "1"]]))
        }).pipe(Effect.scoped))

      it.effect("S3: inside a transaction of another client, nothing is sent to its connection", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session(), now)
          for (const other of [pg, mariadb, sqlite]) {
            const place = yield* Effect.acquireRelease(other.create, other.drop).pipe(Effect.exit)
            if (Exit.isFailure(place)) continue // that server is not there
            const elsewhere = Context.get(yield* Layer.build(client(place.value)), SqlClient.SqlClient)
            yield* elsewhere.withTransaction(Effect.gen(function*() {
              yield* found(id)
              expect(yield* backend.update(id, patch({ [other.name]: "1" }), now)).toMatchObject({ _tag: "Updated" })
            }))
            yield* rolledBack(elsewhere, backend.update(id, patch({ [other.name]: "2" }), now))
            expect((yield* found(id)).data.get(other.name)).toBe("2")
          }
        }).pipe(Effect.scoped))

      it.effect("M5: a caller that stops waiting leaves neither a lock nor a connection behind", () =>
        Effect.gen(function*() {
          const sql = yield* another(2)
          const { backend, index } = yield* backendOf(sql)
          const id = newId()
          yield* backend.insert(id, session(), now)
          const bound = { max: 100, whenFull: "refuse" } as const
          for (let i = 0; i < 20; i++) {
            const calls = Effect.all(
              Array.makeBy(12, (k) =>
                k % 3 === 0
                  ? index.insert(newId(), owned("impatient"), now, bound)
                  : k % 3 === 1
                  ? backend.update(id, patch({ [`k${i}`]: "1" }), now)
                  : backend.find(id, now)),
              { concurrency: "unbounded" }
            )
            const fiber = yield* Effect.fork(calls)
            yield* Effect.sleep(i % 7)
            yield* Fiber.interruptFork(fiber)
          }
          const after = Effect.all([
            backend.update(id, patch({ after: "1" }), now),
            index.insert(newId(), owned("impatient"), now, bound)
          ], { concurrency: "unbounded" })
          expect(yield* Effect.timeout(after, 10_000)).toMatchObject([{ _tag: "Updated" }, "Inserted"])
          yield* Effect.timeout(sql.withTransaction(Effect.zipRight(sql`SELECT 1`, sql`SELECT 1`)), 5_000)
        }).pipe(Effect.scoped), 30_000)

      if (dialect === "pg") {
        it.effect("M5: a statement that PostgreSQL has cancelled by mistake instead of another one runs again", () =>
          Effect.gen(function*() {
            const sql = yield* another(1)
            const { backend, index } = yield* backendOf(sql)
            const id = newId()
            yield* backend.insert(id, session(), now)
            const admin = yield* SqlClient.SqlClient
            const statements: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
              backend.update(id, patch({ a: "1" }), now),
              index.insert(newId(), owned("cancelled"), now, { max: 3, whenFull: "refuse" })
            ]
            for (const statement of statements) {
              // a lock keeps it waiting, so that it is there to be cancelled
              const running = yield* admin.withTransaction(Effect.gen(function*() {
                yield* admin.unsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
                const running = yield* Effect.fork(statement)
                yield* Effect.sleep(100)
                const cancelled = yield* admin`
                  SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'`
                expect(cancelled.length).toBeGreaterThan(0)
                yield* Effect.sleep(50)
                return running
              }))
              expect((yield* Fiber.await(running))._tag).toBe("Success")
            }
            expect((yield* found(id)).data.get("a")).toBe("1")
          }).pipe(Effect.scoped))
      }

      it.effect("S3: names and numbers arrive unchanged, whatever the app's client does to the names and numbers of the app's own statements", () =>
        Effect.gen(function*() {
          const place = yield* Where
          const upper = {
            transformResultNames: (name: string) =>
              name.toUpperCase(),
            transformQueryNames: (name: string) =>
              `x${name}`
          }
          const clients = yield* Effect.forEach(
            place.dialect === "pg"
              ? [
                PgClient.layer({ url: Redacted.make(place.url), ...upper }),
                ...pgTypes.map((types) =>
                  PgClient.layer({ url: Redacted.make(place.url), types })
                )
              ]
              : place.dialect === "mysql"
              ? [
                MysqlClient.layer({ url: Redacted.make(place.url), ...upper }),
                // affectedRows: rows changed instead of rows found
                MysqlClient.layer({ url: Redacted.make(`${place.url}?flags=-FOUND_ROWS`) }),
                MysqlClient.layer({ url: Redacted.make(`${place.url}?charset=latin1_swedish_ci`) }),
                MysqlClient.layer({ url: Redacted.make(`${place.url}?bigNumberStrings=true`) })
              ]
              : [SqliteClient.layer({ filename: (place as { readonly filename: string }).filename, ...upper })],
            (layer) =>
              Effect.map(Layer.build(layer as Layer.Layer<SqlClient.SqlClient>), Context.get(SqlClient.SqlClient))
          )
          for (const sql of clients) {
            const { backend, index } = yield* backendOf(sql)
            const id = newId()
            const record = {
              ...session({ data: new Map([["ключ", "\"漢\u{1F600}\""]]) }),
              owner: owner("émile", { userAgent: "漢" })
            }
            expect(yield* index.insert(id, record, now, { max: 1, whenFull: "evict-oldest" })).toBe("Inserted")
            expect(yield* backend.insert(id, record, now)).toBe(false)
            expect(yield* backend.find(id, now)).toMatchObject({ value: { ...record, version: 1 } })
            expect(yield* found(id)).toEqual({ ...record, version: 1 })
            // the same values again: a row that was found but not changed is still an update
            expect(yield* backend.update(id, patch({}, { expiry: times() }), now)).toMatchObject({
              _tag: "Updated",
              version: 2
            })
            expect(yield* index.list("émile", now)).toHaveLength(1)
            expect(yield* backend.remove(id, 2, now)).toBe("removed")
          }
        }).pipe(Effect.scoped))

      if (dialect === "sqlite") {
        it.effect("S3: SQLite's 64-bit integers arrive as numbers under SafeIntegers", () =>
          Effect.gen(function*() {
            const sql = yield* another()
            const { backend } = yield* backendOf(sql)
            const id = newId()
            yield* backend.insert(id, session(), now)
            // a statement that once ran like this gives bigint for ever
            const text =
              `SELECT version, format, created_at, refreshed_at, expires_at, idle_millis, persistent, own, data, `
              + `subject, authenticated_at, user_agent, address FROM "${table}" WHERE id = ?`
            const [row] = yield* Effect.provideService(sql.unsafe<any>(text, [id]), SqlClient.SafeIntegers, true)
            expect(typeof row.version).toBe("bigint")
            const record = yield* backend.find(id, now)
            expect(record).toEqual(yield* Effect.map(found(id), (value) => ({ ...record, value })))
            expect(record).toMatchObject({ value: { version: 1 } })
          }).pipe(Effect.scoped))

        it.effect("M5: a statement that fails in a batch fails alone, and the others are written", () =>
          Effect.gen(function*() {
            const backend = yield* SessionBackend
            const ids = Array.makeBy(30, (i) => i % 10 === 3 ? { no: "id" } as unknown as string : newId())
            const answers = yield* Effect.forEach(ids, (id) => Effect.exit(backend.insert(id, session(), now)), {
              concurrency: "unbounded"
            })
            expect(answers.map(Exit.isSuccess)).toEqual(ids.map((_, i) => i % 10 !== 3))
            const there = yield* Effect.forEach(ids.filter((id) => typeof id === "string"), (id) => isThere(id))
            expect(new Set(there)).toEqual(new Set([true]))
          }))

        it.effect(
          "S3: the app's own transactions get the connection in spite of a steady stream of requests, and stay isolated",
          () =>
            Effect.gen(function*() {
              const backend = yield* SessionBackend
              const sql = yield* SqlClient.SqlClient
              const id = newId()
              yield* backend.insert(id, session(), now)
              const stop = yield* Deferred.make<void>()
              const stream = yield* Effect.fork(Effect.forEach(
                Array.range(1, 32),
                (i) =>
                  Effect.raceFirst(
                    Effect.forever(
                      Effect.zipRight(
                        backend.find(id, now),
                        Effect.suspend(() => backend.insert(newId(), session({ expiresAt: now + i }), now))
                      )
                    ),
                    Deferred.await(stop)
                  ),
                { concurrency: "unbounded" }
              ))
              yield* sql`CREATE TABLE of_the_app (n INTEGER)`
              for (let i = 0; i < 10; i++) {
                // a write of a request in between would be undone with it
                yield* Effect.timeout(
                  rolledBack(sql, Effect.zipRight(sql`INSERT INTO of_the_app VALUES (1)`, Effect.sleep(2))),
                  5_000
                )
                yield* Effect.sleep(1)
              }
              yield* Deferred.succeed(stop, undefined)
              yield* Fiber.join(stream)
              expect(yield* sql`SELECT * FROM of_the_app`).toEqual([])
              const written = yield* sql.unsafe<{ n: number }>(
                `SELECT COUNT(*) AS n FROM ${table} WHERE expires_at BETWEEN ? AND ?`,
                [now, now + 32]
              )
              expect(written[0].n).toBeGreaterThan(100)
            }),
          30_000
        )
      }

      if (dialect === "pg") {
        for (const level of ["serializable", "repeatable read"]) {
          it.effect(
            `S3: in a database whose default isolation level is ${level}, no update is lost and the bound holds`,
            () =>
              Effect.gen(function*() {
                const place = yield* Where
                const plain = yield* SqlClient.SqlClient
                const name = new URL((place as { url: string }).url).pathname.slice(1)
                yield* plain.unsafe(`ALTER DATABASE ${name} SET default_transaction_isolation = '${level}'`)
                const { backend, index } = yield* backendOf(yield* another())
                const { backend: second, index: secondIndex } = yield* backendOf(yield* another())
                const id = newId()
                yield* backend.insert(id, session({ data: new Map() }), now)
                const updates = Effect.forEach(
                  Array.range(1, 60),
                  (i) => (i % 2 ? backend : second).update(id, patch({ [`k${i}`]: "1" }), now),
                  { concurrency: "unbounded" }
                )
                const inserts = Effect.forEach(
                  Array.range(1, 40),
                  (i) =>
                    (i % 2 ? index : secondIndex).insert(newId(), owned(level), now, {
                      max: 4,
                      whenFull: "evict-oldest"
                    }),
                  { concurrency: "unbounded" }
                )
                yield* Effect.all([updates, inserts], { concurrency: "unbounded" })
                expect((yield* found(id)).data.size).toBe(60)
                expect(yield* index.list(level, now)).toHaveLength(4)
                yield* plain.unsafe(`ALTER DATABASE ${name} RESET default_transaction_isolation`)
              }).pipe(Effect.scoped),
            60_000
          )
        }
      }
    })
  )
}
