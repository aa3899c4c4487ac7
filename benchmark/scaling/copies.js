/**
 * Fills a PostgreSQL table with many copies of rows that the library has written, each with a token, a subject and an end of
 * its own. The server writes them by itself, without indexes in the meantime: through the store, ten million sessions would
 * take hours.
 */
import { createHash } from "node:crypto"

const batch = 500_000

/** Whose rows are copied; the first half of them anonymous. */
const templates = 64

/** The token of a copy. The server makes the same one in SQL. */
export const tokenOf = (at) => createHash("sha256").update(`copy-${at}`).digest("base64url")

const hashed = (text) => `rtrim(translate(encode(sha256(convert_to(${text}, 'UTF8')), 'base64'), '+/', '-_'), '=')`

/** Copies `from` to `to`; every second one belongs to somebody, and `perSubject` of them to one subject. */
export const fill = async ({ client, from, log, perSubject, table, to }) => {
  await client.query("SET synchronous_commit = off")
  await client.query("SET maintenance_work_mem = '1GB'")
  await client.query(
    `CREATE TEMP TABLE templates AS
     SELECT * FROM (
       SELECT 2 * (row_number() OVER (PARTITION BY subject IS NULL) - 1) + (subject IS NOT NULL)::int AS at, * FROM ${table}
     ) AS numbered WHERE at < ${templates}`
  )
  const { rows: indexes } = await client.query(
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1",
    [table]
  )
  await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_pkey`)
  for (const { indexname } of indexes) await client.query(`DROP INDEX IF EXISTS ${indexname}`)
  for (let start = from; start < to; start += batch) {
    await client.query(
      `INSERT INTO ${table}
       SELECT ${hashed(hashed("'copy-' || i"))}, version, format, created_at, refreshed_at,
              expires_at + (random() * 2592000000)::bigint, idle_millis, persistent, own, data,
              CASE WHEN subject IS NOT NULL THEN ${hashed("owner")} END, CASE WHEN subject IS NOT NULL THEN owner END,
              authenticated_at, user_agent, address
       FROM (
         SELECT i, 'user-' || lpad((i / ${2 * perSubject})::text, 9, '0') AS owner
         FROM generate_series(${start}, ${Math.min(start + batch, to) - 1}) AS i
       ) AS copies JOIN templates ON at = i % ${templates}`
    )
    log(`${Math.min(start + batch, to).toLocaleString("en-US")} sessions`)
  }
  await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`)
  log("the primary key")
  for (const { indexdef, indexname } of indexes) {
    if (indexname !== `${table}_pkey`) await client.query(indexdef)
  }
  log("all indexes")
}
