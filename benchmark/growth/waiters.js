/**
 * Growth (P9): what a request costs while 10, 100 or 1,000 requests of one session run at once. It must not grow with their
 * number.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { findMariadb, findPostgres } from "../harness/databases.js"
import { ratio, summary } from "../harness/statistics.js"

const inFile = () => {
  const folder = mkdtempSync(join(tmpdir(), "effect-session-benchmark-"))
  const stop = async () => rmSync(folder, { recursive: true, force: true })
  return { url: join(folder, "sessions.db"), table: "effect_sessions", stop }
}

/** The stores that take part. `stop` removes what the measurement left behind. */
const findStores = async (skipped) => {
  const stores = [
    { id: "memory", label: "memory", url: "-", table: "-", stop: async () => {} },
    { id: "sqlite", label: "SQLite", ...inFile() }
  ]
  for (const [id, label, find] of [["postgres", "PostgreSQL", findPostgres], ["mariadb", "MariaDB", findMariadb]]) {
    const found = await find()
    if (found.reason === undefined) stores.push({ id, label, ...found })
    else skipped.push({ what: `requests of one session at once, ${label}`, reason: found.reason })
  }
  return stores
}

/** One row for each number of requests, over all rounds. */
const rowsOf = (measured, kind) =>
  measured[0][kind].map(({ size }, at) => {
    const samples = measured.map((round) => round[kind][at])
    return {
      size,
      requests: samples.reduce((sum, { requests }) => sum + requests, 0),
      failed: samples.reduce((sum, { failed }) => sum + failed, 0),
      wallMicros: summary(samples.map(({ wallMicros }) => wallMicros)),
      cpuMicros: summary(samples.map(({ cpuMicros }) => cpuMicros))
    }
  })

/** The time of a request in the largest batch, divided by the time of one in the smallest. */
const growthOf = (measured, kind) =>
  ratio(
    measured.map((round) => round[kind].at(-1).wallMicros),
    measured.map((round) => round[kind][0].wallMicros)
  )

export const measureWaiters = async ({ log, quick, rounds: wanted, skipped }) => {
  const rounds = quick ? 1 : wanted
  const least = quick ? 200 : 1000
  const stores = await findStores(skipped)
  const measured = new Map(stores.map(({ id }) => [id, []]))
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { id, table, url } of stores) {
        measured.get(id).push(
          await askChild({ core: serverCore, script: "growth/waitersChild.js", args: [id, url, table, least, round] })
        )
      }
      log(`growth: requests of one session at once, round ${round + 1} of ${rounds}`)
    }
  } finally {
    for (const { stop } of stores) await stop()
  }
  return {
    rounds,
    stores: stores.map(({ id, label, version }) => ({
      id,
      label,
      version,
      ...Object.fromEntries(
        ["insert", "modify"].map((kind) => [
          kind,
          { rows: rowsOf(measured.get(id), kind), growth: growthOf(measured.get(id), kind) }
        ])
      )
    }))
  }
}
