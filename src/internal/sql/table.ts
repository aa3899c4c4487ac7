/**
 * The table of the sessions: its name, checked and quoted, and its definition for each dialect.
 *
 * In every dialect, ids are compared byte by byte. Instants and lengths are milliseconds in 64-bit integers, and flags are
 * small integers. What a person or a client may have written (data, subject, user agent, address) has a type that no
 * character set and no collation touches, and is escaped (see `record.ts`) where it is not JSON.
 */
import type { SessionConfigError } from "../../SessionError.js"

export type Dialect = "pg" | "mysql" | "sqlite"

/** The layout of a record: so far, there is one. A row with a higher number was written by a later version. */
export const format = 1

/** Of a mark that a renewal has left. A version that does not know it takes it for a newer format, and leaves it alone. */
export const markFormat = 2

export const defaultName = "effect_sessions"

/**
 * The sign-ins of one subject take turns on one of these rows of the second table (PostgreSQL and MySQL). The rows are fixed
 * instead of one for each subject, so that there is nothing to clean up, and no insert into a gap that another transaction
 * has locked.
 */
export const lockSlots = 64

/** PostgreSQL cuts names off at 63 bytes, and the longest suffix that is added to the name has 8 characters. */
const maxLength = 55
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

export interface Table {
  /** the names of both tables, quoted and with their schema */
  readonly sessions: string
  readonly locks: string
  /** what has to exist, in the order in which it is created */
  readonly parts: ReadonlyArray<Part>
}

/**
 * - `isThere`: a query that gives a row when the part exists; undefined where `create` costs nothing and needs no right when
 *   it does.
 */
export interface Part {
  readonly isThere: string | undefined
  readonly create: string
}

/** `CREATE … IF NOT EXISTS` fails for a role that may only read and write rows, even when it has nothing to do. */
export const pgHas = (schema: string | undefined, name: string): string =>
  `SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = '${name}' `
  + `AND n.nspname = ${schema === undefined ? "current_schema()" : `'${schema}'`}`

export const mysqlHas = (schema: string | undefined, name: string): string =>
  // Names are compared as bytes: in the column's own collation, `Sessions` and `sessions` may be the same.
  `SELECT 1 FROM information_schema.tables WHERE CAST(table_name AS BINARY) = CAST('${name}' AS BINARY) `
  + `AND table_schema = ${schema === undefined ? "DATABASE()" : `'${schema}'`}`

/** Whether all rows are there: somebody may have emptied the table, or restored it without them. */
const hasSlots = (locks: string): string => `SELECT 1 FROM ${locks} HAVING COUNT(*) >= ${lockSlots}`

type Mistake = SessionConfigError["mistakes"][number]

const accepted = "a letter or _, then letters, digits and _, "
  + `at most ${maxLength} characters, and before them at most one schema and a dot, as in app.sessions`

/** The schema and the name, or what is wrong with them. */
export const parseName = (
  name: unknown
): { readonly schema: string | undefined; readonly name: string } | Mistake => {
  const mistake: Mistake = { path: "table", message: `must be the name of a table: ${accepted}` }
  if (typeof name !== "string") return mistake
  const parts = name.split(".")
  if (parts.length > 2 || parts.some((part) => !identifier.test(part) || part.length > maxLength)) return mistake
  return parts.length === 1 ? { schema: undefined, name: parts[0] } : { schema: parts[0], name: parts[1] }
}

export const make = (dialect: Dialect, schema: string | undefined, name: string): Table => {
  const quote = (part: string): string => dialect === "mysql" ? `\`${part}\`` : `"${part}"`
  const qualify = (part: string): string => schema === undefined ? quote(part) : `${quote(schema)}.${quote(part)}`
  const sessions = qualify(name)
  const locks = qualify(`${name}_locks`)
  const expires = `${name}_expires`
  const subject = `${name}_subject`
  const slots = Array.from({ length: lockSlots }, (_, slot) => `(${slot}, 0)`).join(", ")
  switch (dialect) {
    case "pg":
      return {
        sessions,
        locks,
        parts: [
          {
            isThere: pgHas(schema, name),
            create: `CREATE TABLE IF NOT EXISTS ${sessions} (
  id VARCHAR(43) COLLATE "C" NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  format INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  refreshed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  idle_millis BIGINT NOT NULL,
  persistent SMALLINT NOT NULL,
  own SMALLINT NOT NULL,
  data TEXT NOT NULL,
  subject_hash VARCHAR(43) COLLATE "C",
  subject TEXT,
  authenticated_at BIGINT,
  user_agent TEXT,
  address TEXT
)`
          },
          {
            isThere: pgHas(schema, expires),
            create: `CREATE INDEX IF NOT EXISTS ${quote(expires)} ON ${sessions} (expires_at)`
          },
          {
            isThere: pgHas(schema, subject),
            // Most sessions of a site are anonymous, and cost this index nothing.
            create: `CREATE INDEX IF NOT EXISTS ${
              quote(subject)
            } ON ${sessions} (subject_hash) WHERE subject_hash IS NOT NULL`
          },
          {
            isThere: pgHas(schema, `${name}_locks`),
            create: `CREATE TABLE IF NOT EXISTS ${locks} (slot SMALLINT NOT NULL PRIMARY KEY, turn BIGINT NOT NULL)`
          },
          {
            isThere: hasSlots(locks),
            create: `INSERT INTO ${locks} (slot, turn) VALUES ${slots} ON CONFLICT DO NOTHING`
          }
        ]
      }
    case "mysql":
      return {
        sessions,
        locks,
        parts: [
          {
            isThere: mysqlHas(schema, name),
            create: `CREATE TABLE IF NOT EXISTS ${sessions} (
  id VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  format INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  refreshed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  idle_millis BIGINT NOT NULL,
  persistent SMALLINT NOT NULL,
  own SMALLINT NOT NULL,
  data LONGBLOB NOT NULL,
  subject_hash VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin,
  subject LONGBLOB,
  authenticated_at BIGINT,
  user_agent LONGBLOB,
  address LONGBLOB,
  INDEX ${quote(expires)} (expires_at),
  INDEX ${quote(subject)} (subject_hash)
) ENGINE=InnoDB`
          },
          {
            isThere: mysqlHas(schema, `${name}_locks`),
            create: `CREATE TABLE IF NOT EXISTS ${locks} (
  slot SMALLINT NOT NULL PRIMARY KEY,
  turn BIGINT NOT NULL
) ENGINE=InnoDB`
          },
          { isThere: hasSlots(locks), create: `INSERT IGNORE INTO ${locks} (slot, turn) VALUES ${slots}` }
        ]
      }
    case "sqlite":
      return {
        sessions,
        locks,
        parts: [
          `CREATE TABLE IF NOT EXISTS ${sessions} (
  id TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  format INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  refreshed_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  idle_millis INTEGER NOT NULL,
  persistent INTEGER NOT NULL,
  own INTEGER NOT NULL,
  data TEXT NOT NULL,
  subject_hash TEXT,
  subject TEXT,
  authenticated_at INTEGER,
  user_agent TEXT,
  address TEXT
)`,
          // SQLite takes the schema before the name of the index, and not before that of the table.
          `CREATE INDEX IF NOT EXISTS ${qualify(expires)} ON ${quote(name)} (expires_at)`,
          `CREATE INDEX IF NOT EXISTS ${qualify(subject)} ON ${
            quote(name)
          } (subject_hash) WHERE subject_hash IS NOT NULL`
        ].map((create) => ({ isThere: undefined, create }))
      }
  }
}
