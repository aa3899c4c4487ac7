import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { SessionBackend } from "effect-session"
import * as RedisStore from "effect-session/SessionStore/Redis"
import * as SqlStore from "effect-session/SessionStore/Sql"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { data, freshId, ownerOf, session } from "../../src/internal/contract/records.js"
import { describeWith, mysql, postgres, redis } from "../services.js"
import { call, folder, start } from "./given.js"

const hour = 60 * 60 * 1000

/** Two sessions of ada, one of eve, one of nobody, and one that has expired. */
const fill = Effect.gen(function*() {
  const backend = yield* SessionBackend.SessionBackend
  const index = yield* SessionBackend.SubjectIndex
  const now = Date.now()
  const insert = (subject: string, at = now) => {
    const id = freshId()
    const { owner, ...rest } = session(at, { data: data({ cart: "secret-value" }) })
    void owner
    const about = { ...ownerOf(subject, at), userAgent: "Evil\u001b[2JAgent", address: "192.0.2.1" }
    return Effect.as(index.insert(id, { ...rest, owner: about }, at, undefined), id)
  }
  const ids = [yield* insert("ada", now - 1000), yield* insert("ada"), yield* insert("eve")]
  yield* backend.insert(freshId(), session(now), now)
  yield* backend.insert(freshId(), session(now - 2 * hour), now - 2 * hour)
  return ids
})

/** What every database answers. */
const expectAll = async (
  args: ReadonlyArray<string>,
  env: Record<string, string>,
  [older, newer]: ReadonlyArray<string>
) => {
  const run = (...words: ReadonlyArray<string>) => call(["sessions", ...words, ...args], { env })
  expect(await run("count")).toEqual({ code: 0, out: "4 sessions, 3 of them signed in", err: "" })
  const listed = await run("list", "--subject", "ada")
  expect([listed.code, listed.err]).toEqual([0, ""])
  const lines = listed.out.split("\n")
  expect(lines.filter((line) => line.startsWith(" "))).toEqual(Array(2).fill("  192.0.2.1  Evil\\u001b[2JAgent"))
  expect(lines.filter((line) => !line.startsWith(" ")).map((line) => line.split(" ", 1)[0])).toEqual([older, newer])
  expect(listed.out).not.toContain("secret-value")
  const json = JSON.parse((await run("list", "--json", "--subject", "ada")).out)
  expect(json.map(({ id }: { readonly id: string }) => id)).toEqual([older, newer])
  expect((await run("list", "--subject", "nobody")).out).toBe("no sessions")
  // One id in 64 begins with a dash, and one in 4,096 with two. An option that is left without a value is a mistake.
  for (const id of [`-${"A".repeat(42)}`, `--${"A".repeat(41)}`]) {
    expect((await run("revoke", "--subject", "ada", "--id", id)).code).toBe(1)
    expect((await run("revoke", "--subject", "ada", `--id=${id}`)).code).toBe(1)
  }
  expect((await run("revoke", "--subject", "ada", "--id")).code).toBe(2)
  // A session of another subject is not ended by a mistake in either.
  expect((await run("revoke", "--subject", "eve", "--id", older)).code).toBe(1)
  expect(await run("revoke", "--subject", "ada", "--id", older)).toEqual({ code: 0, out: "revoked 1 session", err: "" })
  expect((await run("revoke", "--subject", "ada", "--id", older)).code).toBe(1)
  expect((await run("revoke", "--subject", "ada", "--all")).out).toBe("revoked 1 session")
  expect((await run("count")).out).toBe("2 sessions, 1 of them signed in")
  return run("purge")
}

const inSql = async (client: Layer.Layer<SqlClient.SqlClient, unknown>, url: string) => {
  const table = { table: `cli_${randomBytes(4).toString("hex")}` }
  const ids = await Effect.runPromise(
    Effect.zipRight(SqlStore.createTable(table), Effect.provide(fill, SqlStore.layerBackend(table))).pipe(
      Effect.provide(client)
    )
  )
  try {
    const purged = await expectAll(["--table", table.table], { SESSION_STORE_URL: url }, ids)
    expect(purged).toEqual({ code: 0, out: "removed 1 expired session", err: "" })
  } finally {
    const drop = Effect.flatMap(
      SqlClient.SqlClient,
      (sql) =>
        Effect.forEach([table.table, `${table.table}_locks`], (name) => sql.unsafe(`DROP TABLE IF EXISTS ${name}`))
    )
    await Effect.runPromise(Effect.provide(drop, client))
  }
}

describe("effect-session sessions", () => {
  it("W6: counts, lists, revokes and purges the sessions in SQLite", () => {
    const filename = join(folder, "sessions.db")
    return inSql(SqliteClient.layer({ filename }), `sqlite:${filename}`)
  })

  it("W6: a database that cannot be used ends with 1, and no URL is printed", async () => {
    const password = randomBytes(8).toString("hex")
    const urls = [
      `redis://:${password}@127.0.0.1:1`,
      `postgres://user:${password}@127.0.0.1:1/db`,
      `mysql://user:${password}@127.0.0.1:1/db`,
      `sqlite:/nowhere/${password}/sessions.db`
    ]
    for (const url of urls) {
      const { code, err, out } = await start(["sessions", "count"], { cwd: folder, env: { SESSION_STORE_URL: url } })
      expect([code, out], url.split(":", 1)[0]).toEqual([1, ""])
      expect(err).toContain("the database cannot be used")
      expect(err + out).not.toContain(password)
    }
    const unknown = await call(["sessions", "count"], {
      env: { SESSION_STORE_URL: `mongodb://:${password}@localhost` }
    })
    expect([unknown.code, unknown.err.includes(password)]).toEqual([2, false])
    const wrong = await call(["sessions", "count", "--table", "a;b"], { env: { SESSION_STORE_URL: "sqlite::memory:" } })
    expect([wrong.code, wrong.err.includes("must be the name of a table")]).toEqual([2, true])
  })
})

describeWith(postgres, "effect-session sessions in PostgreSQL", () => {
  it("W6: counts, lists, revokes and purges the sessions", () =>
    inSql(PgClient.layer({ url: Redacted.make(postgres.url) }), postgres.url))
})

describeWith(mysql, "effect-session sessions in MySQL or MariaDB", () => {
  it("W6: counts, lists, revokes and purges the sessions", () =>
    inSql(MysqlClient.layer({ url: Redacted.make(mysql.url) }), mysql.url))
})

describeWith(redis, "effect-session sessions in Redis", () => {
  it("W6: counts, lists and revokes the sessions, and leaves expired ones to Redis", async () => {
    const prefix = `cli[*]${randomBytes(4).toString("hex")}:`
    const ids = await Effect.runPromise(
      Effect.provide(fill, RedisStore.layerBackend({ redis: { url: redis.url }, prefix }))
    )
    const purged = await expectAll(["--prefix", prefix, "--url-from", "REDIS_AT"], { REDIS_AT: redis.url }, ids)
    expect([purged.code, purged.out.startsWith("Redis removes expired sessions by itself")]).toEqual([0, true])
  })
})
