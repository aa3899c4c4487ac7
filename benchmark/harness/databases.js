/**
 * The database servers that answer, each with tables of the benchmark's own: `BENCHMARK_POSTGRES_URL` and
 * `BENCHMARK_MYSQL_URL`, or the standard ports on loopback.
 */
import { createConnection } from "mysql2/promise"
import pg from "pg"

const table = `effect_session_benchmark_${process.pid}`
const patienceMillis = 3000

const drops = [`DROP TABLE IF EXISTS ${table}`, `DROP TABLE IF EXISTS ${table}_locks`]

/** `run` answers with the rows of one statement. */
const find = async (name, url, versionOf, run) => {
  const stop = async () => {
    for (const drop of drops) await run(url, drop)
  }
  try {
    const [{ version }] = await run(url, versionOf)
    return { url, table, version, stop }
  } catch (error) {
    return { reason: `no ${name} answers: ${error.code ?? error.message}` }
  }
}

const onPostgres = async (url, statement) => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: patienceMillis })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

const onMysql = async (url, statement) => {
  const connection = await createConnection({ uri: url, connectTimeout: patienceMillis })
  try {
    return (await connection.query(statement))[0]
  } finally {
    await connection.end()
  }
}

/** `{ url, table, version, stop }`, or `{ reason }` where no server answers. */
export const findPostgres = () =>
  find(
    "PostgreSQL",
    process.env.BENCHMARK_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
    "SELECT current_setting('server_version') AS version",
    onPostgres
  )

/** MariaDB or MySQL, likewise. */
export const findMariadb = () =>
  find(
    "MariaDB or MySQL",
    process.env.BENCHMARK_MYSQL_URL ?? "mysql://root@127.0.0.1:3306/test",
    "SELECT version() AS version",
    onMysql
  )
