/**
 * Whose code takes the time: of whole requests over HTTP, of what a session adds in process (with the memory that it
 * allocates), and of a read + write in SQL. The page explains with it why a target was missed.
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { findPostgres } from "../harness/databases.js"
import { edition4 } from "../harness/edition4.js"
import { startLoad } from "../harness/load.js"
import { current, longTerm, nodeOf } from "../harness/nodes.js"
import { withSqlite } from "../harness/sqlite.js"
import { bare, contestants } from "../http/contestants.js"
import { named, prepare } from "../http/server.js"

/** Those that the targets compare. */
const compared = [
  "express",
  "express/memory",
  "effect3",
  "effect3/memory",
  "fastify",
  "fastify/sealedCookie",
  "effect4",
  "effect4/cookie",
  "express/redis",
  "effect3/leastRedis",
  "effect3/redis",
  "effect4/redis"
]

const overHttp = async ({ environment, log, node, place, quick }) => {
  const { load, stop: stopLoad } = startLoad()
  const settings = { warmSeconds: 1, warmRequests: quick ? 3000 : 15_000, environment, load, node, place }
  const profileOf = async (contestant) => {
    const { profile, stop } = await prepare(contestant, settings)
    return await profile(quick ? 1 : 8).finally(stop)
  }
  const all = [...bare, ...contestants].filter(({ effect, holds, id }) =>
    compared.includes(id)
    && (effect !== 4 || place !== undefined)
    && (holds !== "redis" || environment.BENCHMARK_REDIS_URL !== undefined)
  ).sort((a, b) => compared.indexOf(a.id) - compared.indexOf(b.id))
  const profiles = []
  try {
    for (const contestant of all) {
      profiles.push({
        id: contestant.id,
        label: contestant.label ?? `${contestant.id.replace(/^effect/, "Effect ")}, bare`,
        ours: contestant.ours === true,
        micros: await named(contestant, profileOf(contestant))
      })
      log(`profiles: ${contestant.id}`)
    }
  } finally {
    await stopLoad()
  }
  return profiles
}

const inProcess = async ({ node, place, quick }) => {
  const ask = (node, place = {}) =>
    askChild({
      core: serverCore,
      node: node.binary,
      script: "inprocess/profile.js",
      args: [quick ? 1000 : 6000, quick ? 1000 : 60_000],
      ...place
    })
  return [
    { effect: 3, node: current.version, profiles: await ask(current) },
    ...(place === undefined ? [] : [{ effect: 4, node: node.version, profiles: await ask(node, place) }])
  ]
}

const inSql = async ({ quick, skipped }) => {
  const ask = (...args) => askChild({ core: serverCore, script: "sql/profile.js", args: [...args, quick ? 50 : 1000] })
  const sqlite = await withSqlite((file) => ask("sqlite", file, "sessions"))
  const found = await findPostgres()
  if (found.reason !== undefined) {
    skipped.push({ what: "PostgreSQL", reason: found.reason })
    return { sqlite }
  }
  try {
    return { sqlite, postgres: await ask("postgres", found.url, found.table) }
  } finally {
    await found.stop()
  }
}

export const run = async ({ log, quick, redis, skipped }) => {
  const node = quick ? current : nodeOf(longTerm, skipped) ?? current
  const place = quick ? undefined : edition4(skipped)
  const environment = redis === undefined ? {} : { BENCHMARK_REDIS_URL: redis.url }
  return {
    rounds: 1,
    node: node.version,
    http: await overHttp({ environment, log, node, place, quick }),
    inprocess: await inProcess({ node, place, quick }),
    sql: await inSql({ quick, skipped })
  }
}
