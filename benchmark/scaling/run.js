/**
 * What many sessions cost a server: `node benchmark/scaling/run.js redis|postgres <sessions> [<sessions per subject>]`.
 *
 * Fills an empty server, half of the sessions anonymous and half signed in, and prints as JSON what one session takes, what
 * new sessions, reads and writes take when the server is full, what a page of a subject's sessions takes, and what the
 * clean-up takes. The first 50,000 sessions go through the library's own store; the others are copies, see `copies.js`.
 * `docs/scaling.md` computes from these numbers.
 */
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { Redis } from "ioredis"
import { readFileSync } from "node:fs"
import pg from "pg"
import { options } from "../effect/apps.js"
import { setting } from "../effect/servers.js"
import { findPostgres } from "../harness/databases.js"
import * as library from "../harness/library.js"
import { startRedis } from "../harness/redis.js"
import * as copies from "./copies.js"

const [kind, wanted, perSubject = "4"] = process.argv.slice(2)
const sessions = Number(wanted)
const inFlight = 64

const mostThroughStore = 50_000

/** As many as the clean-up removes in one step. */
const cleanUpStep = 50

const log = (text) => process.stderr.write(`${text}\n`)

/** About 200 bytes, as a sign-in, a cart and preferences take. */
const values = (at) => ({
  cart: Array.from({ length: 3 }, (_, line) => ({ item: 1000 + ((at + line) % 9000), quantity: line + 1 })),
  preferences: { language: "en", theme: "dark" },
  visits: at % 100,
  returnTo: "/account/orders?page=2"
})

const subjectOf = (at) => `user-${String(Math.floor(at / (2 * Number(perSubject)))).padStart(9, "0")}`

/** Every second session belongs to somebody. */
const create = (store, at) =>
  Effect.map(
    store.save(
      {
        base: undefined,
        patch: setting(store, values(at)),
        renew: false,
        ifVersion: undefined,
        owner: at % 2 === 0 ? undefined : {
          subject: subjectOf(at),
          authenticatedAt: Date.now(),
          userAgent:
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Safari/537.36",
          address: undefined
        }
      },
      Date.now()
    ),
    ({ token }) => token
  )

const quantiles = (list) => {
  const sorted = Float64Array.from(list).sort()
  const at = (part) => Number(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(3))
  return { median: at(0.5), p99: at(0.99), longest: at(1) }
}

/** The CPU time of the server in seconds, where it tells. */
let serverSeconds = async () => undefined

/**
 * Runs `count` operations, some at once; returns how long each took, how many came a second, and the CPU time of this process
 * and of the server for each.
 */
const drive = async (count, operation, concurrency = inFlight) => {
  const serverBefore = await serverSeconds()
  const millis = new Float64Array(count)
  let next = 0
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  const worker = async () => {
    for (let at = next++; at < count; at = next++) {
      const began = performance.now()
      await Effect.runPromise(operation(at))
      millis[at] = performance.now() - began
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const { system, user } = process.cpuUsage(cpu)
  const serverAfter = await serverSeconds()
  return {
    perSecond: Math.round(count / seconds),
    clientMicros: Math.round((user + system) / count),
    serverMicros: serverAfter === undefined
      ? undefined
      : Number((((serverAfter - serverBefore) * 1e6) / count).toFixed(1)),
    millis: quantiles(millis)
  }
}

const onRedis = async () => {
  const server = await startRedis()
  if (server === undefined) throw new Error("redis-server is not installed")
  const module = await library.module("SessionStore/Redis")
  const client = new Redis(server.url)
  const info = async (name) => Number(new RegExp(`^${name}:(.*)\r?$`, "m").exec(await client.info())[1])
  return {
    layer: module.layer({ ...options, redis: { url: server.url }, prefix: "s:" }),
    bytes: () => info("used_memory"),
    copy: (from) => copies.fillRedis({ client, from, log, perSubject: Number(perSubject), prefix: "s:", to: sessions }),
    serverSeconds: async () => (await info("used_cpu_user")) + (await info("used_cpu_sys")),
    stop: async () => {
      client.disconnect()
      await server.stop()
    }
  }
}

/** The backend by itself, for the clean-up. */
const backendOf = async ({ table, url }) => {
  const { PgClient } = await import("@effect/sql-pg")
  const Sql = await library.module("SessionStore/Sql")
  return Sql.layerBackend({ table }).pipe(Layer.provide(PgClient.layer({ url: Redacted.make(url) })))
}

/** What Linux counts of a process: user and system time, in hundredths of a second. A process that has ended counts no more. */
const secondsOf = (pid) => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

const onPostgres = async () => {
  const found = await findPostgres()
  if (found.reason !== undefined) throw new Error(found.reason)
  const { postgres } = await import("../effect/servers.js")
  const client = new pg.Client({ connectionString: found.url })
  await client.connect()
  const bytes = async () => {
    const { rows } = await client.query(`SELECT pg_total_relation_size('${found.table}') AS size`)
    return Number(rows[0].size)
  }
  return {
    layer: await postgres(found.url, found.table),
    backend: await backendOf(found),
    bytes,
    copy: (from) =>
      copies.fillPostgres({ client, from, log, perSubject: Number(perSubject), table: found.table, to: sessions }),
    /** Of all its processes, where it runs on this machine. */
    serverSeconds: async () => {
      const { rows } = await client.query("SELECT pid FROM pg_stat_activity")
      return rows.reduce((sum, { pid }) => sum + secondsOf(pid), 0)
    },
    /** Makes one session in a hundred expire, as the next hour does on a site whose sessions live for some days. */
    expire: () =>
      client.query(
        `UPDATE ${found.table} SET expires_at = 1 WHERE ctid IN (SELECT ctid FROM ${found.table} LIMIT ${
          Math.ceil(sessions / 100)
        })`
      ),
    vacuum: () => client.query(`VACUUM ANALYZE ${found.table}`),
    stop: async () => {
      await client.end()
      await found.stop()
    }
  }
}

const server = await (kind === "redis" ? onRedis() : onPostgres())
serverSeconds = server.serverSeconds
const { SessionBackend, SessionStore, Sessions } = await library.main()
const runtime = ManagedRuntime.make(server.layer)
const store = await runtime.runPromise(SessionStore.SessionStore)
const subjects = await runtime.runPromise(Sessions.Sessions)
const before = await server.bytes()

const throughStore = Math.min(sessions, mostThroughStore)
const kept = []
const every = Math.max(1, Math.floor(sessions / 20_000))
const step = Math.max(1, Math.floor(throughStore / 20))
const filled = await drive(throughStore, (at) =>
  Effect.map(create(store, at), (token) => {
    if (at % every === 0) kept.push(token)
    if (at % step === 0) log(`${at.toLocaleString("en-US")} sessions`)
  }))
if (sessions > throughStore) {
  await server.copy(throughStore)
  for (let at = throughStore; at < sessions; at += every) kept.push(copies.tokenOf(at))
}
await server.vacuum?.()
const bytesPerSession = (await server.bytes() - before) / sessions

const random = () => kept[Math.floor(Math.random() * kept.length)]
const count = 20_000
const load = () =>
  Effect.map(store.load([random()], Date.now()), (loaded) => {
    if (loaded._tag !== "Found") throw new Error(`expected the session to be Found, but it is ${loaded._tag}`)
    return loaded
  })
const created = await drive(count, (at) => create(store, sessions + at))
const read = await drive(count, load)
const write = await drive(
  count,
  () =>
    Effect.flatMap(load(), (loaded) =>
      store.save({
        base: loaded,
        patch: setting(store, { visits: 7 }),
        renew: false,
        ifVersion: undefined,
        owner: undefined
      }, Date.now()))
)
const readAlone = await drive(2000, load, 1)

const result = {
  kind,
  sessions,
  perSubject: Number(perSubject),
  bytesPerSession: Math.round(bytesPerSession),
  throughStore,
  filled,
  created,
  read,
  write,
  readAlone
}

const listed = Math.floor(throughStore / (2 * Number(perSubject)))
const list = await drive(
  2000,
  () => subjects.list(subjectOf(Math.floor(Math.random() * listed) * 2 * Number(perSubject)))
)
result.list = list

if (server.expire !== undefined) {
  const { rowCount } = await server.expire()
  const cleaning = ManagedRuntime.make(server.backend)
  const backend = await cleaning.runPromise(SessionBackend.SessionBackend)
  const steps = Math.ceil(rowCount / cleanUpStep)
  const cleaned = await drive(steps, () => backend.removeExpired(Date.now(), cleanUpStep), 1)
  result.cleanUp = {
    expired: rowCount,
    step: cleanUpStep,
    perSecond: cleaned.perSecond * cleanUpStep,
    millis: cleaned.millis
  }
  await cleaning.dispose()
}

process.stdout.write(`${JSON.stringify(result, undefined, 1)}\n`)
await runtime.dispose()
await server.stop()
process.exit(0)
