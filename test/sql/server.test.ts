/**
 * These tests show what happens when the database fails, because it is killed, full, read-only or out of connections.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it, layer } from "@effect/vitest"
import { SessionBackend, SubjectIndex } from "effect-session/SessionBackend"
import type { SessionBackendService, SubjectIndexService } from "effect-session/SessionBackend"
import type { SessionStoreError } from "effect-session/SessionError"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import { withDeadline } from "../../src/internal/edition/deadline.js"
import * as Guard from "../../src/internal/server/guard.js"
import { describeWith } from "../services.js"
import { counted } from "./counted.js"
import { databases, pg, sqlite } from "./databases.js"
import { another, backendOf, own, Where } from "./harness.js"
import { client } from "./place.js"
import { isThere, newId, now, owned, owner, patch, session } from "./records.js"
import { servers } from "./servers.js"

interface Adapter {
  readonly backend: SessionBackendService
  readonly index: SubjectIndexService
}

const secret = "a-value-of-the-session"

/** Calls every function once, with values. */
const everyCall = ({ backend, index }: Adapter): ReadonlyArray<Effect.Effect<unknown, SessionStoreError>> => {
  const record = owned(secret, { data: new Map([[secret, `"${secret}"`]]) })
  return [
    backend.find(newId(), now),
    backend.insert(newId(), record, now),
    backend.update(newId(), patch({ [secret]: `"${secret}"` }), now),
    backend.update(newId(), patch({ [secret]: `"${secret}"` }), now, 1, { ...record, version: 1 }),
    backend.remove(newId(), undefined, now),
    backend.remove(newId(), 1, now),
    backend.removeExpired(1, 1),
    index.insert(newId(), record, now, undefined),
    index.insert(newId(), record, now, { max: 1, whenFull: "refuse" }),
    index.list(secret, now)
  ]
}

const writes = [1, 2, 3, 4, 5, 6, 7, 8]

/** All of them fail typed and in time, and say what happened without a value. */
const expectUnavailable = (
  calls: ReadonlyArray<Effect.Effect<unknown, SessionStoreError>>,
  detail: RegExp
) =>
  Effect.gen(function*() {
    for (const call of calls) {
      const error = yield* Effect.flip(Effect.timeout(call, 5_000))
      expect(error).toMatchObject({ _tag: "SessionStoreError", reason: "Unavailable" })
      expect(String((error as SessionStoreError).detail)).toMatch(detail)
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
    }
  })

for (const { dialect, scoped, service } of servers) {
  describeWith(service, `${dialect}: a server of its own`, () => {
    it.scopedLive(
      "M5: while the server is killed and restarted, every call returns and no acknowledged write is lost, and calls succeed again without a restart of the app",
      () =>
        Effect.gen(function*() {
          const server = yield* scoped
          const open = Layer.build(Layer.provideMerge(Sql.layerBackend(), client(server.place, 8)))
          const context = yield* Effect.retry(
            Effect.tap(Effect.sandbox(open), (context) => Effect.provide(Sql.createTable(), context)),
            { times: 100, while: () => Effect.as(Effect.sleep(100), true) }
          )
          const adapter = { backend: Context.get(context, SessionBackend), index: Context.get(context, SubjectIndex) }
          const { backend, index } = adapter

          const counted = newId()
          yield* backend.insert(counted, session({ data: new Map() }), now)
          const inserted: Array<string> = []
          const keys: Array<string> = []
          const outcomes = { answered: 0, failed: 0, late: 0 }
          let working = true
          const call = <A>(effect: Effect.Effect<A, SessionStoreError>) =>
            Effect.either(effect).pipe(
              Effect.timeoutOption(8_000),
              Effect.map((answer) => {
                if (answer._tag === "None") outcomes.late++
                else if (Either.isLeft(answer.value)) {
                  outcomes.failed++
                  expect(answer.value.left).toMatchObject({ _tag: "SessionStoreError", reason: "Unavailable" })
                } else outcomes.answered++
                return answer
              }),
              Effect.map((answer) =>
                answer._tag === "Some" && Either.isRight(answer.value) ? answer.value.right : undefined
              )
            )
          const worker = (w: number) =>
            Effect.gen(function*() {
              for (let i = 0; working; i++) {
                const id = newId()
                const answer = i % 2 === 0
                  ? yield* call(backend.insert(id, session(), now))
                  : yield* call(index.insert(id, owned(`subject ${w}`), now, { max: 100_000, whenFull: "refuse" }))
                if (answer === true || answer === "Inserted") inserted.push(id)
                yield* call(backend.find(id, now))
                const updated = yield* call(backend.update(counted, patch({ [`${w} ${i}`]: "1" }), now))
                if (updated?._tag === "Updated") keys.push(`${w} ${i}`)
                // a failing call may fail at once
                if (updated === undefined) yield* Effect.sleep(20)
              }
            })
          const work = yield* Effect.fork(Effect.all([1, 2, 3, 4, 5, 6].map(worker), { concurrency: "unbounded" }))

          for (let round = 0; round < 2; round++) {
            yield* Effect.sleep(700)
            yield* Effect.promise(server.kill)
            const { failed } = outcomes
            yield* Effect.sleep(300)
            expect(outcomes.failed).toBeGreaterThan(failed)
            yield* expectUnavailable(everyCall(adapter), /ECONNREFUSED|ECONNRESET|closed|terminated|lost/i)
            yield* Effect.promise(server.start)
            const { answered } = outcomes
            yield* Effect.retry(
              Effect.sync(() => {
                if (outcomes.answered < answered + 100) throw new Error("not yet")
              }).pipe(Effect.sandbox),
              { times: 200, while: () => Effect.as(Effect.sleep(100), true) }
            )
          }
          working = false
          yield* Fiber.join(work)

          expect(outcomes.late).toBe(0)
          expect(inserted.length).toBeGreaterThan(20)
          for (const id of inserted) expect((yield* backend.find(id, now))._tag).toBe("Some")
          const record = yield* backend.find(counted, now)
          const data = record._tag === "Some" && !("_tag" in record.value) ? record.value.data : new Map()
          expect(keys.filter((key) => !data.has(key))).toEqual([])
          yield* Effect.all(everyCall(adapter))
        }),
      120_000
    )
  })
}

for (const database of databases) {
  database.describe(() =>
    layer(own(database), { excludeTestServices: true, timeout: 30_000 })((it) => {
      it.effect("M5: without its table every call fails with a typed error that holds no value, and succeeds once the table exists", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const adapter = yield* backendOf(sql, { table: "not_yet" })
          yield* expectUnavailable(everyCall(adapter), /42P01|ER_NO_SUCH_TABLE|SQLITE_ERROR/)
          yield* Sql.createTable({ table: "not_yet" })
          yield* Effect.all(everyCall(adapter))
        }).pipe(Effect.scoped))

      it.effect("M5: the text that a driver's message quotes is cut out of the error", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* Sql.createTable({ table: "narrow" })
          const { backend } = yield* backendOf(sql, { table: "narrow" })
          const id = newId()
          yield* backend.insert(id, session(), now)
          // from now on the driver says what it was given instead of a number
          const texts = {
            pg: ["ALTER TABLE narrow ALTER COLUMN data TYPE BIGINT USING 0"],
            mysql: ["UPDATE narrow SET data = '0'", "ALTER TABLE narrow MODIFY data BIGINT NOT NULL"],
            sqlite: [
              `CREATE TRIGGER narrow_trigger BEFORE UPDATE ON narrow BEGIN SELECT RAISE(ABORT, 'not a number: "${secret}"'); END`
            ]
          }
          for (const text of texts[database.dialect]) yield* sql.unsafe(text)
          const change = patch({ [secret]: `"${secret}"` })
          const base = { ...session(), version: 1 }
          yield* expectUnavailable([backend.update(id, change, now, undefined, base)], /…/)
        }).pipe(Effect.scoped))
    })
  )
}

pg.describe(() =>
  layer(own(pg), { excludeTestServices: true, timeout: 30_000 })((it) => {
    it.effect(
      "M5: calls fail while the app holds all connections of the pool, and succeed when it gives one back",
      () =>
        Effect.gen(function*() {
          const place = yield* Where
          const url = Redacted.make((place as { readonly url: string }).url)
          const context = yield* Layer.build(PgClient.layer({ url, maxConnections: 1, connectTimeout: 300 }))
          const sql = Context.get(context, SqlClient.SqlClient)
          const adapter = yield* backendOf(sql)
          const calls = everyCall({
            backend: Guard.guarded(adapter.backend, 400, Effect.fail),
            index: Guard.guardedIndex(adapter.index, 400, Effect.fail)
          })
          yield* sql.reserve.pipe(
            Effect.zipRight(Effect.forEach(calls, (call) => Effect.flip(call))),
            Effect.map((errors) => {
              // Where the client does not limit the time that it waits for a connection, the store does.
              const reason = expect.stringMatching(/^(?:Unavailable|Timeout)$/)
              for (const error of errors) expect(error).toMatchObject({ _tag: "SessionStoreError", reason })
            }),
            Effect.scoped
          )
          yield* Effect.all(calls)
        }).pipe(Effect.scoped),
      60_000
    )

    it.effect("M5: a read-only database refuses writes, still reads, and recovers", () =>
      Effect.gen(function*() {
        const plain = yield* SqlClient.SqlClient
        const place = yield* Where
        const name = new URL((place as { readonly url: string }).url).pathname.slice(1)
        yield* plain.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
        const adapter = yield* backendOf(yield* another(1))
        const calls = everyCall(adapter)
        yield* expectUnavailable(
          writes.filter((i) => i !== 2).map((i) => calls[i]),
          /25006/
        )
        expect((yield* calls[0]) as object).toMatchObject({ _tag: "None" })
        yield* plain.unsafe(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
        yield* Effect.all(everyCall(yield* backendOf(yield* another(1))))
      }).pipe(Effect.scoped))
  })
)

describe("SQLite", () =>
  layer(own(sqlite), { excludeTestServices: true, timeout: 30_000 })((it) => {
    const big = (bytes: number) => session({ data: new Map([["big", JSON.stringify("x".repeat(bytes))]]) })

    it.effect("M5: a full disk refuses writes, still reads, and recovers", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const backend = yield* SessionBackend
        const before = newId()
        yield* backend.insert(before, session(), now)
        const [{ page_count: pages }] = yield* sql<{ page_count: number }>`PRAGMA page_count`
        yield* sql.unsafe(`PRAGMA max_page_count = ${pages + 4}`)
        const ids = Array.from({ length: 20 }, newId)
        const answers = yield* Effect.forEach(ids, (id) => Effect.either(backend.insert(id, big(3_000), now)), {
          concurrency: "unbounded"
        })
        const failed = answers.filter(Either.isLeft)
        expect(failed.length).toBeGreaterThan(10)
        for (const { left } of failed) {
          expect(left).toMatchObject({ reason: "Unavailable" })
          expect(String(left.detail)).toMatch(/SQLITE_FULL/)
        }
        expect(yield* isThere(before)).toBe(true)
        // acknowledged is there, refused is not
        const there = yield* Effect.forEach(ids, (id) => isThere(id))
        expect(there).toEqual(answers.map(Either.isRight))
        yield* sql`PRAGMA max_page_count = 1000000`
        expect(yield* backend.insert(newId(), big(100_000), now)).toBe(true)
      }))

    it.effect("M5: writes to a file that another process has locked fail with the reason Contention, and succeed when the file is free", () =>
      Effect.gen(function*() {
        const place = yield* Where
        const sql = yield* another()
        yield* sql`PRAGMA busy_timeout = 1`
        const { backend, index } = yield* backendOf(sql)
        const id = newId()
        yield* backend.insert(id, session(), now)
        const context = yield* Layer.build(client(place))
        const other = yield* Context.get(context, SqlClient.SqlClient).reserve
        yield* other.executeUnprepared("BEGIN IMMEDIATE", [], undefined)
        const calls: ReadonlyArray<Effect.Effect<unknown, SessionStoreError>> = [
          backend.insert(newId(), session(), now),
          backend.insert(newId(), session(), now),
          backend.update(id, patch({ a: "1" }), now),
          index.insert(newId(), { ...session(), owner: owner("locked") }, now, { max: 1, whenFull: "refuse" })
        ]
        const errors = yield* Effect.forEach(calls, (call) => Effect.flip(call), { concurrency: "unbounded" })
        for (const error of errors) expect(error).toMatchObject({ _tag: "SessionStoreError", reason: "Contention" })
        expect(yield* isThere(id)).toBe(true)
        // a writer that is done before the tries are used up is not noticed
        yield* Effect.fork(Effect.delay(other.executeUnprepared("COMMIT", [], undefined), 100))
        expect(yield* Effect.all(calls, { concurrency: "unbounded" })).toMatchObject([
          true,
          true,
          { _tag: "Updated" },
          "Inserted"
        ])
      }).pipe(Effect.scoped))

    it.effect("M5: a statement that waits for the connection is not run once its caller has stopped waiting", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const backend = yield* SessionBackend
        const id = newId()
        yield* backend.insert(id, session({ data: new Map() }), now)
        const write = (key: string) => backend.update(id, patch({ [key]: "1" }), now)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* sql.reserve
          const late = yield* Effect.flip(withDeadline(write("late"), 20, () => "late"))
          expect(late).toBe("late")
          const [interrupted, masked] = yield* Effect.forEach(
            [write("interrupted"), Effect.uninterruptible(write("masked")), write("waiting")],
            (effect) => Effect.fork(withDeadline(effect, 10_000, () => "late"))
          )
          const bare = yield* Effect.fork(write("bare"))
          const maskedCall = yield* Effect.fork(
            Effect.uninterruptible(withDeadline(write("call"), 10_000, () => "late"))
          )
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(interrupted)
          yield* Fiber.interrupt(bare)
          yield* Fiber.interruptFork(masked)
          yield* Fiber.interruptFork(maskedCall)
          yield* Effect.sleep(20)
        }))
        yield* Effect.sleep(100)
        const record = Option.getOrThrow(yield* backend.find(id, now))
        expect([...("_tag" in record ? [] : record.data.keys())].sort()).toEqual(["call", "masked", "waiting"])
      }))

    it.effect("S3: parallel reads of many sessions give each caller its own session, or nothing if there is none", () =>
      Effect.gen(function*() {
        const backend = yield* SessionBackend
        const ids = Array.from({ length: 150 }, newId)
        const missing = newId()
        yield* Effect.forEach(ids, (id) => backend.insert(id, session({ data: new Map([["id", id]]) }), now))
        const asked = ids.flatMap((id) => [id, id, missing])
        const found = yield* Effect.forEach(asked, (id) => backend.find(id, now), { concurrency: "unbounded" })
        expect(
          found.map((record) => Option.isSome(record) && !("_tag" in record.value) ? record.value.data.get("id") : "")
        )
          .toEqual(asked.map((id) => id === missing ? "" : id))
      }))

    it.effect("S4: a clean-up runs in small statements, and counts the rows of all of them", () =>
      Effect.gen(function*() {
        const { client: sql, statements } = yield* counted
        const { backend } = yield* backendOf(sql)
        while ((yield* backend.removeExpired(now, 1_000)) > 0);
        yield* Effect.forEach(
          Array.from({ length: 320 }, newId),
          (id) => backend.insert(id, session({ expiresAt: 1 }), 0)
        )
        statements.length = 0
        expect(yield* backend.removeExpired(2, 250)).toBe(250)
        expect(statements.filter((text) => text.startsWith("DELETE")).map((text) => /LIMIT (\d+)/.exec(text)?.[1]))
          .toEqual(["100", "100", "50"])
        expect(yield* backend.removeExpired(2, 250)).toBe(70)
        expect(yield* backend.removeExpired(2, 250)).toBe(0)
      }).pipe(Effect.scoped))
  }))
