/**
 * The texts of all statements. They are built once, because compiling a template for each call costs more than the call.
 */
import { type Dialect, format, markFormat, type Table } from "./table.js"

/** All columns, in the order of an insert's parameters. */
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

/** Each comment lists the parameters in their order. */
export interface Statements {
  /** id */
  readonly find: string
  /** SQLite: ids, any of which may be null. Gives the columns of `find`, and the id. */
  readonly findMany: (count: number) => string
  /** The record, then now. On MySQL without now: there `replaceExpired` replaces an expired record of the id. */
  readonly insert: string
  /** MySQL: the record without its id, then id, now */
  readonly replaceExpired: string
  /** data, id, version, expires_at */
  readonly updateData: string
  /** data, times, id, version, expires_at */
  readonly updateAll: string
  /** times, id, version, expires_at */
  readonly updateTimes: string
  /** id, version, expires_at. Changes the version only. */
  readonly updateNothing: string
  /** id, now */
  readonly remove: string
  /** id, now, version */
  readonly removeVersion: string
  /** times, data, id, now. Leaves a mark in the place of a record. */
  readonly mark: string
  /** times, data, id, now, version */
  readonly markVersion: string
  /** now. The limit is in the text, because not every MySQL takes it as a parameter. */
  readonly removeExpired: (limit: number) => string
  /** now. Gives one row with `count`. */
  readonly count: string
  /** subject_hash, now. Gives records without their data, the oldest first. */
  readonly list: string
  /** subject_hash, now. Gives ids, the oldest first. */
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
  // A statement returns the rows that it changed, to be counted. MySQL, which cannot, gives their number in its result.
  const returning = dialect === "mysql" ? "" : " RETURNING 1 AS changed"
  const text = (sql: string): string => {
    if (dialect !== "pg") return sql
    let n = 0
    return sql.replaceAll("?", () => `$${++n}`)
  }
  const record = `(${columns.join(", ")}) VALUES (?, 1, ${format}, ${given.slice(1).map(() => "?").join(", ")})`
  const same = "WHERE id = ? AND version = ? AND expires_at = ?"
  const update = (set: string): string => text(`UPDATE ${sessions} SET ${set}version = version + 1 ${same}${returning}`)
  const unmarked = `WHERE id = ? AND expires_at > ? AND format <> ${markFormat}`
  const mark =
    `UPDATE ${sessions} SET version = version + 1, format = ${markFormat}, ${times}, data = ?, subject_hash = NULL, `
    + "subject = NULL, authenticated_at = NULL, user_agent = NULL, address = NULL"
  return {
    find: text(`SELECT ${selected} FROM ${sessions} WHERE id = ?`),
    // CROSS makes SQLite look each id up in the index. With `id IN (…)` it reads the whole table when ANALYZE saw that small.
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
    remove: text(`DELETE FROM ${sessions} ${unmarked}${returning}`),
    removeVersion: text(`DELETE FROM ${sessions} ${unmarked} AND version = ?${returning}`),
    mark: text(`${mark} ${unmarked}${returning}`),
    markVersion: text(`${mark} ${unmarked} AND version = ?${returning}`),
    removeExpired: (limit) => {
      switch (dialect) {
        // Rows that another instance is cleaning up are passed over. ARRAY makes it one scan of the index. The lock looks at
        // the row as it is by then, so that a session that is refreshed in between stays. By id and not by ctid, which names a
        // row only within its partition.
        case "pg":
          return `DELETE FROM ${sessions} WHERE id = ANY (ARRAY(SELECT id FROM ${sessions} WHERE expires_at <= $1 `
            + `ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))${returning}`
        case "mysql":
          return `DELETE FROM ${sessions} WHERE expires_at <= ? ORDER BY expires_at LIMIT ${limit}`
        case "sqlite":
          return `DELETE FROM ${sessions} WHERE rowid IN (SELECT rowid FROM ${sessions} WHERE expires_at <= ? `
            + `ORDER BY expires_at LIMIT ${limit})${returning}`
      }
    },
    count: text(`SELECT COUNT(*) AS count FROM ${sessions} WHERE expires_at > ? AND format <> ${markFormat}`),
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
