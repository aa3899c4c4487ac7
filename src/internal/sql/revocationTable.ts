/**
 * The table of the revocations, its definition and its statements for each dialect. Names are compared byte by byte, and
 * instants are milliseconds in 64-bit integers, as in the table of the sessions (`table.ts`).
 */
import { type Dialect, mysqlHas, type Part, pgHas } from "./table.js"

export const defaultName = "effect_session_revocations"

export interface Table {
  readonly parts: ReadonlyArray<Part>
  readonly statements: Statements
}

/** Each comment lists the parameters in their order. A denial is denied_at, survivor, expires_at. */
export interface Statements {
  /** ids */
  readonly find: (count: number) => string
  /** id, denial, now. On MySQL without now: there `replaceExpired` replaces an expired one. */
  readonly deny: string
  /** MySQL: denial, id, now */
  readonly replaceExpired: string
  /** id, denial */
  readonly denyOlder: string
  /** now */
  readonly removeExpired: (limit: number) => string
}

export const make = (dialect: Dialect, schema: string | undefined, name: string): Table => {
  const quote = (part: string): string => dialect === "mysql" ? `\`${part}\`` : `"${part}"`
  const qualify = (part: string): string => schema === undefined ? quote(part) : `${quote(schema)}.${quote(part)}`
  const table = qualify(name)
  return { parts: partsOf(dialect, schema, name, table, quote, qualify), statements: statementsOf(dialect, table) }
}

const partsOf = (
  dialect: Dialect,
  schema: string | undefined,
  name: string,
  table: string,
  quote: (part: string) => string,
  qualify: (part: string) => string
): ReadonlyArray<Part> => {
  const expires = `${name}_expires`
  switch (dialect) {
    case "pg":
      return [
        {
          isThere: pgHas(schema, name),
          create: `CREATE TABLE IF NOT EXISTS ${table} (
  id VARCHAR(43) COLLATE "C" NOT NULL PRIMARY KEY,
  denied_at BIGINT NOT NULL,
  survivor VARCHAR(43) COLLATE "C",
  expires_at BIGINT NOT NULL
)`
        },
        {
          isThere: pgHas(schema, expires),
          create: `CREATE INDEX IF NOT EXISTS ${quote(expires)} ON ${table} (expires_at)`
        }
      ]
    case "mysql":
      return [{
        isThere: mysqlHas(schema, name),
        create: `CREATE TABLE IF NOT EXISTS ${table} (
  id VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  denied_at BIGINT NOT NULL,
  survivor VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin,
  expires_at BIGINT NOT NULL,
  INDEX ${quote(expires)} (expires_at)
) ENGINE=InnoDB`
      }]
    case "sqlite":
      return [
        `CREATE TABLE IF NOT EXISTS ${table} (
  id TEXT NOT NULL PRIMARY KEY,
  denied_at INTEGER NOT NULL,
  survivor TEXT,
  expires_at INTEGER NOT NULL
)`,
        // SQLite takes the schema before the name of the index, and not before that of the table.
        `CREATE INDEX IF NOT EXISTS ${qualify(expires)} ON ${quote(name)} (expires_at)`
      ].map((create) => ({ isThere: undefined, create }))
  }
}

const columns = "(id, denied_at, survivor, expires_at) VALUES (?, ?, ?, ?)"

const statementsOf = (dialect: Dialect, table: string): Statements => {
  const returning = dialect === "mysql" ? "" : " RETURNING 1 AS changed"
  const text = (sql: string): string => {
    if (dialect !== "pg") return sql
    let n = 0
    return sql.replaceAll("?", () => `$${++n}`)
  }
  const greatest = dialect === "sqlite" ? "MAX" : "GREATEST"
  return {
    find: (count) =>
      text(`SELECT id, denied_at, survivor, expires_at FROM ${table} WHERE id IN (?${", ?".repeat(count - 1)})`),
    deny: dialect === "mysql"
      ? `INSERT IGNORE INTO ${table} ${columns}`
      : text(
        `INSERT INTO ${table} AS old ${columns} ON CONFLICT (id) DO UPDATE SET denied_at = excluded.denied_at, `
          + `survivor = excluded.survivor, expires_at = excluded.expires_at WHERE old.expires_at <= ?${returning}`
      ),
    replaceExpired: `UPDATE ${table} SET denied_at = ?, survivor = ?, expires_at = ? WHERE id = ? AND expires_at <= ?`,
    // One that has expired makes the new one later than it need be, and harms nobody.
    denyOlder: dialect === "mysql"
      ? `INSERT INTO ${table} ${columns} ON DUPLICATE KEY UPDATE denied_at = GREATEST(VALUES(denied_at), denied_at + 1), `
        + "survivor = VALUES(survivor), expires_at = GREATEST(VALUES(expires_at), expires_at)"
      : text(
        `INSERT INTO ${table} AS old ${columns} ON CONFLICT (id) DO UPDATE SET `
          + `denied_at = ${greatest}(excluded.denied_at, old.denied_at + 1), survivor = excluded.survivor, `
          + `expires_at = ${greatest}(excluded.expires_at, old.expires_at)${returning}`
      ),
    removeExpired: (limit) => {
      switch (dialect) {
        // As for sessions (`statements.ts`): what another instance is cleaning up is passed over.
        case "pg":
          return `DELETE FROM ${table} WHERE id = ANY (ARRAY(SELECT id FROM ${table} WHERE expires_at <= $1 `
            + `ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))${returning}`
        case "mysql":
          return `DELETE FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ${limit}`
        case "sqlite":
          return `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE expires_at <= ? `
            + `ORDER BY expires_at LIMIT ${limit})${returning}`
      }
    }
  }
}
