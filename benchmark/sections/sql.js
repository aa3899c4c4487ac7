/**
 * The SQL store compared with the raw driver that runs the same SELECT + UPDATE, and the statements per request (P8).
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { findPostgres } from "../harness/databases.js"
import { withSqlite } from "../harness/sqlite.js"
import { ratio, summary } from "../harness/statistics.js"
import { inFlight } from "../harness/workers.js"

const compare = async ({ log, quick, rounds: wanted }, name, address, table) => {
  const rounds = quick ? 3 : wanted
  const [cycles, each] = quick ? [4, 20] : [12, 100]
  const measured = []
  for (let round = 0; round < rounds; round++) {
    measured.push(
      await askChild({ core: serverCore, script: "sql/child.js", args: [name, address, table, cycles, each] })
    )
    log(`sql: ${name}, round ${round + 1} of ${rounds}`)
  }
  const column = (id, key) => measured.map((round) => round[id][key])
  const rows = ["raw", "client", "ours"].map((id) => ({
    id,
    ours: id === "ours",
    cpuMicros: summary(column(id, "cpuMicros")),
    operationsPerSecond: summary(column(id, "wallMicros").map((micros) => 1e6 / micros))
  }))
  return {
    rounds,
    inFlight,
    rows,
    speedToRaw: ratio(column("raw", "wallMicros"), column("ours", "wallMicros")),
    speedToClient: ratio(column("client", "wallMicros"), column("ours", "wallMicros")),
    cpuToRaw: ratio(column("ours", "cpuMicros"), column("raw", "cpuMicros")),
    statements: await askChild({ core: serverCore, script: "sql/count.js", args: [name, address, table] })
  }
}

export const run = async (context) => {
  const sqlite = await withSqlite((file) => compare(context, "sqlite", file, "sessions"))
  const postgres = await findPostgres()
  if (postgres.reason !== undefined) {
    context.skipped.push({ what: "PostgreSQL", reason: postgres.reason })
    return { sqlite }
  }
  try {
    const measured = await compare(context, "postgres", postgres.url, postgres.table)
    return { sqlite, postgres: { ...measured, server: postgres.version } }
  } finally {
    await postgres.stop()
  }
}
