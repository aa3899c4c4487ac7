/**
 * Fills a server with many copies of sessions that the library has stored, each with a token of its own. The server makes them
 * by itself: through the store, ten million sessions would take an hour on Redis, and several on PostgreSQL.
 */
import { createHash } from "node:crypto"

const batch = 500_000

/** How many rows are copied in turn; every second one is anonymous. */
const templates = 64

/** The token of a copy. The server makes the same one in SQL. */
export const tokenOf = (at) => createHash("sha256").update(`copy-${at}`).digest("base64url")

const hashed = (text) => `rtrim(translate(encode(sha256(convert_to(${text}, 'UTF8')), 'base64'), '+/', '-_'), '=')`

/**
 * Fills a table of PostgreSQL, whose indexes are made at the end. Every second session belongs to somebody, and `perSubject` of
 * them to one subject. Each ends at a time of its own.
 */
export const fillPostgres = async ({ client, from, log, perSubject, table, to }) => {
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

/** How many commands are on their way to Redis at once. */
const pipelined = 2000

/**
 * Fills Redis with copies of the sessions that the library has stored for one subject and for nobody: `COPY` for each of them,
 * and for the index of each subject. The new keys are as long as the old ones. The sessions in the index are not the copies, so
 * that lists are to be read of subjects that went through the store.
 */
export const fillRedis = async ({ client, from, log, perSubject, prefix, to }) => {
  const { anonymous, index, owned } = await templatesIn(client, prefix)
  const nameOf = (at) => createHash("sha256").update(tokenOf(at)).digest("base64url")
  const step = Math.floor((to - from) / 20)
  let commands = client.pipeline()
  for (let at = from; at < to; at++) {
    commands.copy(at % 2 === 0 ? anonymous : owned, prefix + nameOf(at))
    if (at % (2 * perSubject) === 0) commands.copy(index, index.slice(0, -43) + nameOf(-at))
    if (commands.length >= pipelined || at === to - 1) {
      const replies = await commands.exec()
      if (replies.some(([error, copied]) => error !== null || copied !== 1)) throw new Error("a COPY copied nothing")
      commands = client.pipeline()
    }
    if ((at - from) % step === 0) log(`${at.toLocaleString("en-US")} sessions`)
  }
}

/** One session that belongs to nobody, one that belongs to somebody, and the index of a subject with all its sessions. */
const templatesIn = async (client, prefix) => {
  const found = {}
  let cursor = "0"
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", `${prefix}*`, "COUNT", "1000")
    cursor = next
    for (const key of keys) {
      if (key.length !== prefix.length + 43) found.index ??= key
      else if (await client.hexists(key, "o") === 1) found.owned ??= key
      else found.anonymous ??= key
    }
  } while (cursor !== "0" && (found.index === undefined || found.owned === undefined || found.anonymous === undefined))
  return found
}
