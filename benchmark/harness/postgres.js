/**
 * A PostgreSQL that answers, at `BENCHMARK_POSTGRES_URL` or on loopback, and a table of the benchmark's own in it.
 */
import pg from "pg"

const url = process.env.BENCHMARK_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres"

const within = async (work) => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** undefined, or why there is none, where no server answers. */
export const findPostgres = async () => {
  const table = `effect_session_benchmark_${process.pid}`
  try {
    const version = await within(async (client) => (await client.query("SHOW server_version")).rows[0].server_version)
    const stop = () =>
      within(async (client) => {
        await client.query(`DROP TABLE IF EXISTS ${table}`)
        await client.query(`DROP TABLE IF EXISTS ${table}_locks`)
      })
    return { url, table, version, stop }
  } catch (error) {
    return { reason: `no PostgreSQL answers (${error.code ?? error.message})` }
  }
}
