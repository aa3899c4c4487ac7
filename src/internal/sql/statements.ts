/**
 * The texts of all statements, built once: a template compiled anew for each call costs more than the call.
 */
import { type Dialect, format, type Table } from "./table.js"

/** The order of the parameters of an insert. */
const columns = [
  "id",
  "version",
  "format",
  "created_at",
  "refreshed_at",
  "expires_at",
  "idle_millis",
  "persistent",
  "own",
  "data",
  "subject_hash",
  "subject",
  "authenticated_at",
  "user_agent",
  "address"
]

const given = columns.filter((column) => column !== "version" && column !== "format")

const selected = columns.filter((column) => column !== "id" && column !== "subject_hash").join(", ")

const listed = `id, ${selected.replace(", data,", ",")}`

const times = "created_at = ?, refreshed_at = ?, expires_at = ?, idle_millis = ?, persistent = ?, own = ?"

export interface Statements {
  /** id */
  readonly find: string
  /** SQLite: so many ids, where null is nobody's; the same columns, and the id */
  readonly findMany: (count: number) => string
  /** the record, and now except on MySQL, which needs `replaceExpired` for an expired record of the id */
  readonly insert: string
  /** MySQL: the record without its id, id, now */
  readonly replaceExpired: string
  /** data, id, version, expires_at */
  readonly updateData: string
  /** data, times, id, version, expires_at */
  readonly updateAll: string
  /** times, id, version, expires_at */
  readonly updateTimes: string
  /** id, version, expires_at: nothing but the version changes */
  readonly updateNothing: string
  /** id, now */
  readonly remove: string
  /** id, version, now */
  readonly removeVersion: string
  /** now; the limit is in the text, because not every MySQL takes it as a parameter */
  readonly removeExpired: (limit: number) => string
  /** subject_hash, now: records without their data, oldest first */
  readonly list: string
  /** subject_hash, now: ids, oldest first */
  readonly living: string
  /** slot */
  readonly lock: string
  /** slot */
  readonly makeLock: string
}

const memoized = (make: (n: number) => string): (n: number) => string => {
  const made = new Map<number, string>()
  return (n) => {
    let text = made.get(n)
    if (text === undefined) made.set(n, text = make(n))
    return text
  }
}

export const make = (dialect: Dialect, table: Table): Statements => {
  const { locks, sessions } = table
  // How a statement tells how many rows it changed: by giving them back, or (MySQL cannot) in its result.
  const returning = dialect === "mysql" ? "" : " RETURNING 1 AS changed"
  const text = (sql: string): string => {
    if (dialect !== "pg") return sql
    let n = 0
    return sql.replaceAll("?", () => `$${++n}`)
  }
  const record = `(${columns.join(", ")}) VALUES (?, 1, ${format}, ${given.slice(1).map(() => "?").join(", ")})`
  const same = "WHERE id = ? AND version = ? AND expires_at = ?"
  const update = (set: string): string => text(`UPDATE ${sessions} SET ${set}version = version + 1 ${same}${returning}`)
  return {
    find: text(`SELECT ${selected} FROM ${sessions} WHERE id = ?`),
    // CROSS: SQLite is to look each id up in the index. In a table that ANALYZE saw when it was small, `id IN (…)` reads all.
    findMany: memoized((count) =>
      `SELECT id, ${selected} FROM (VALUES (?)${
        ", (?)".repeat(count - 1)
      }) AS ids CROSS JOIN ${sessions} ON id = ids.column1`
    ),
    insert: dialect === "mysql"
      ? `INSERT IGNORE INTO ${sessions} ${record}`
      : text(
        `INSERT INTO ${sessions} AS old ${record} ON CONFLICT (id) DO UPDATE SET `
          + columns.slice(1).map((column) => `${column} = excluded.${column}`).join(", ")
          + ` WHERE old.expires_at <= ?${returning}`
      ),
    replaceExpired: `UPDATE ${sessions} SET version = 1, format = ${format}, `
      + given.slice(1).map((column) => `${column} = ?`).join(", ")
      + " WHERE id = ? AND expires_at <= ?",
    updateData: update("data = ?, "),
    updateAll: update(`data = ?, ${times}, `),
    updateTimes: update(`${times}, `),
    updateNothing: update(""),
    remove: text(`DELETE FROM ${sessions} WHERE id = ? AND expires_at > ?${returning}`),
    removeVersion: text(`DELETE FROM ${sessions} WHERE id = ? AND version = ? AND expires_at > ?${returning}`),
    removeExpired: (limit) => {
      switch (dialect) {
        // Rows that another instance is cleaning up are passed over; ARRAY makes it one scan of the index, and the lock
        // looks at the row as it is by then, so that a session refreshed in between stays.
        case "pg":
          return `DELETE FROM ${sessions} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${sessions} WHERE expires_at <= $1 `
            + `ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))${returning}`
        case "mysql":
          return `DELETE FROM ${sessions} WHERE expires_at <= ? ORDER BY expires_at LIMIT ${limit}`
        case "sqlite":
          return `DELETE FROM ${sessions} WHERE rowid IN (SELECT rowid FROM ${sessions} WHERE expires_at <= ? `
            + `ORDER BY expires_at LIMIT ${limit})${returning}`
      }
    },
    list: text(
      `SELECT ${listed} FROM ${sessions} WHERE subject_hash = ? AND expires_at > ? ORDER BY created_at, id`
    ),
    living: text(`SELECT id FROM ${sessions} WHERE subject_hash = ? AND expires_at > ? ORDER BY created_at, id`),
    lock: text(`UPDATE ${locks} SET turn = turn + 1 WHERE slot = ?${returning}`),
    makeLock: dialect === "mysql"
      ? `INSERT IGNORE INTO ${locks} (slot, turn) VALUES (?, 0)`
      : text(`INSERT INTO ${locks} (slot, turn) VALUES (?, 0) ON CONFLICT DO NOTHING`)
  }
}
