/**
 * The floors. They run the statements of the library's own backend on rows of the same table: with the raw driver, and as an
 * Effect app does by hand, with its `SqlClient`.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, ManagedRuntime } from "effect"
import { createRequire } from "node:module"
import pg from "pg"
import * as servers from "../effect/servers.js"

const require = createRequire(import.meta.url)

const columns = "version, format, created_at, refreshed_at, expires_at, idle_millis, persistent, own, data, subject, "
  + "authenticated_at, user_agent, address"

const statements = (table, parameter) => ({
  select: `SELECT ${columns} FROM ${table} WHERE id = ${parameter(1)}`,
  update: `UPDATE ${table} SET data = ${parameter(1)}, version = version + 1 WHERE id = ${parameter(2)} `
    + `AND version = ${parameter(3)} AND expires_at = ${parameter(4)} RETURNING 1 AS changed`
})

/** The library packs `count` as `5:<length>:count<number>`. */
const countIn = (data) => Number(data.slice(data.indexOf("count") + 5))
const dataOf = (count) => `5:${String(count).length}:count${count}`

/** By hand with the app's client. */
const byClient = async (layer, { select, update }) => {
  const runtime = ManagedRuntime.make(layer)
  const sql = await runtime.runPromise(SqlClient)
  return {
    increment: (id) =>
      Effect.flatMap(sql.unsafe(select, [id]), ([row]) => {
        const next = dataOf(countIn(row.data) + 1)
        return Effect.map(sql.unsafe(update, [next, id, row.version, row.expires_at]), (changed) => {
          if (changed.length !== 1) throw new Error("an UPDATE of the client changed no row")
        })
      }),
    count: (id) => runtime.runPromise(Effect.map(sql.unsafe(select, [id]), ([row]) => countIn(row.data))),
    stop: () => runtime.dispose()
  }
}

const sqlite = {
  layer: (filename, table) => servers.sqlite(filename, table),
  client: async (filename, table) => await byClient(await servers.sqliteClient(filename), statements(table, () => "?")),
  raw: (filename, table) => {
    const database = new (require("better-sqlite3"))(filename)
    database.pragma("journal_mode = WAL")
    const { select, update } = statements(table, () => "?")
    const read = database.prepare(select)
    const write = database.prepare(update)
    return {
      increment: (id) => {
        const row = read.get(id)
        if (write.all(dataOf(countIn(row.data) + 1), id, row.version, row.expires_at).length !== 1) {
          throw new Error("an UPDATE of the raw driver changed no row")
        }
      },
      count: (id) => countIn(read.get(id).data),
      stop: () => database.close()
    }
  },
  /** Calls `onStatement` for every statement from now on. */
  watch: (onStatement) => {
    const Database = require("better-sqlite3")
    const { prototype } = new Database(":memory:").prepare("SELECT 1").constructor
    for (const name of ["run", "all", "get", "iterate"]) {
      const original = prototype[name]
      prototype[name] = function(...args) {
        onStatement(this.source)
        return original.apply(this, args)
      }
    }
  }
}

const postgres = {
  layer: (url, table) => servers.postgres(url, table),
  client: async (url, table) => await byClient(await servers.postgresClient(url), statements(table, (n) => `$${n}`)),
  raw: (url, table) => {
    const pool = new pg.Pool({ connectionString: url })
    const { select, update } = statements(table, (n) => `$${n}`)
    return {
      increment: async (id) => {
        const row = (await pool.query(select, [id])).rows[0]
        const next = dataOf(countIn(row.data) + 1)
        const { rowCount } = await pool.query(update, [next, id, row.version, row.expires_at])
        if (rowCount !== 1) throw new Error("an UPDATE of the raw driver changed no row")
      },
      count: async (id) => countIn((await pool.query(select, [id])).rows[0].data),
      stop: () => pool.end()
    }
  },
  watch: (onStatement) => {
    const original = pg.Client.prototype.query
    pg.Client.prototype.query = function(query, ...rest) {
      onStatement(typeof query === "string" ? query : query.text)
      return original.call(this, query, ...rest)
    }
  }
}

export const databases = { sqlite, postgres }
