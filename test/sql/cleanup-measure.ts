/**
 * What the clean-up of a million expired sessions does to the requests that go on meanwhile:
 *
 *     npx tsx test/sql/cleanup-measure.ts [pg] [mysql] [sqlite] [--rows=1000000] [--steps=500]
 *
 * Method: a fresh database with so many expired records, which expire roughly in the order in which they were made, and
 * 10,000 live ones (100 bytes of data each). For ten seconds, and
 * then for as long as the clean-up takes, one process finds a random live session every 2 ms and updates one every 20 ms,
 * whether or not the one before has answered; measured is the time from the instant at which a call was due to its answer,
 * so that what waits for a blocked event loop counts too. The clean-up is the library's: `removeExpired` with `steps` rows,
 * then a timer of 0 ms, until fewer rows were removed. Where the server is on the same machine, it shares its cores.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { SessionBackend } from "effect-session/SessionBackend"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import { cpus } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { inFile, type Maker, onMysql, onPostgres } from "./create.js"
import { client } from "./place.js"
import { now, patch, session } from "./records.js"

const option = (name: string, otherwise: number): number =>
  Number(process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise)

const rows = option("rows", 1_000_000)
const step = option("steps", 500)
const live = 10_000

const makers: { readonly [name: string]: Maker } = {
  pg: onPostgres(process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres"),
  mysql: onMysql(process.env.MYSQL_URL ?? "mysql://root@127.0.0.1:3306/test"),
  sqlite: inFile
}

/** Ids that are as random as real ones: an index that is filled in order would flatter the clean-up. */
const fill: { readonly [name: string]: (from: number, to: number) => string } = {
  pg: (from, to) =>
    `INSERT INTO effect_sessions (id, version, format, created_at, refreshed_at, expires_at, idle_millis, persistent, own, data)
SELECT translate(encode(sha256(convert_to(i::text, 'UTF8')), 'base64'), '+/=', '-_'), 1, 1, ${now - 1e9}, ${now - 1e9},
  ${now - 1e9} + i + (i::bigint * 7919 % 10000), 1000000, 1, 0, '4:94:user"' || repeat('x', 92) || '"'
FROM generate_series(${from}, ${to}) AS i`,
  mysql: (from, to) =>
    `INSERT INTO effect_sessions (id, version, format, created_at, refreshed_at, expires_at, idle_millis, persistent, own, data)
SELECT replace(replace(left(to_base64(unhex(sha2(seq, 256))), 43), '+', '-'), '/', '_'), 1, 1, ${now - 1e9}, ${
      now - 1e9
    },
  ${now - 1e9} + seq + (seq * 7919 % 10000), 1000000, 1, 0, concat('4:94:user"', repeat('x', 92), '"')
FROM seq_${from}_to_${to}`,
  sqlite: (from, to) =>
    `INSERT INTO effect_sessions (id, version, format, created_at, refreshed_at, expires_at, idle_millis, persistent, own, data)
WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
SELECT substr(hex(randomblob(22)), 1, 43), 1, 1, ${now - 1e9}, ${now - 1e9}, ${
      now - 1e9
    } + i + (i * 7919 % 10000), 1000000, 1, 0,
  '4:94:user"' || hex(zeroblob(46)) || '"'
FROM n`
}

interface Latencies {
  readonly find: Array<number>
  readonly update: Array<number>
  failed: number
}

const describe = (name: string, millis: ReadonlyArray<number>): string => {
  const sorted = [...millis].sort((a, b) => a - b)
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN).toFixed(1)
  return `${name}: n ${sorted.length}, median ${at(0.5)} ms, 99 % ${at(0.99)} ms, 99.9 % ${at(0.999)} ms, longest ${
    at(1)
  } ms`
}

const measure = (name: string, maker: Maker) =>
  Effect.gen(function*() {
    const place = yield* Effect.acquireRelease(maker.create, maker.drop)
    const context = yield* Layer.build(Layer.provideMerge(Sql.layerBackend(), client(place)))
    yield* Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const backend = yield* SessionBackend
      yield* Sql.createTable()
      for (let from = 1; from <= rows; from += 50_000) {
        yield* sql.unsafe(fill[name](from, Math.min(from + 49_999, rows))).unprepared
      }
      const ids = Array.from({ length: live }, () => randomBytes(32).toString("base64url"))
      yield* Effect.forEach(ids, (id) => backend.insert(id, session(), now), { concurrency: 32, discard: true })
      if (name === "pg") yield* sql`VACUUM ANALYZE effect_sessions`
      if (name === "mysql") yield* sql`ANALYZE TABLE effect_sessions`

      /** Calls at their due times until it is stopped, however long an answer takes. */
      const load = () => {
        const latencies: Latencies = { find: [], update: [], failed: 0 }
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        const from = performance.now()
        let due = 0
        const id = () => ids[Math.floor(Math.random() * live)]
        const call = (effect: Effect.Effect<unknown, unknown>, to: Array<number>, at: number) =>
          void Effect.runPromise(effect).then(
            () => to.push(performance.now() - at),
            () => latencies.failed++
          )
        const timer = setInterval(() => {
          for (; from + due * 2 <= performance.now(); due++) {
            call(backend.find(id(), now), latencies.find, from + due * 2)
            if (due % 10 === 0) {
              call(backend.update(id(), patch({ n: String(due) }), now), latencies.update, from + due * 2)
            }
          }
        }, 1)
        return () => {
          clearInterval(timer)
          delay.disable()
          return { ...latencies, loop: delay.max / 1e6 }
        }
      }
      const report = (title: string, { failed, find, loop, update }: ReturnType<ReturnType<typeof load>>) => {
        console.log(`  ${title}`)
        console.log(`    ${describe("find", find)}`)
        console.log(`    ${describe("update", update)}`)
        console.log(`    event loop blocked at most ${loop.toFixed(1)} ms; failed ${failed}`)
      }

      console.log(`${name}: ${rows} expired rows, ${live} live, steps of ${step}`)
      const before = load()
      yield* Effect.sleep("10 seconds")
      report("without clean-up", before())

      const during = load()
      const steps: Array<number> = []
      const start = performance.now()
      let removed = 0
      for (let n = step; n === step;) {
        const from = performance.now()
        n = yield* backend.removeExpired(now - 1, step)
        steps.push(performance.now() - from)
        removed += n
        yield* Effect.sleep(0)
      }
      const seconds = (performance.now() - start) / 1000
      report("during clean-up", during())
      console.log(`    ${describe("step", steps)}`)
      console.log(`    removed ${removed} rows in ${seconds.toFixed(1)} s: ${Math.round(removed / seconds)} a second`)
    }).pipe(Effect.provide(context))
  }).pipe(Effect.scoped)

const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith("--"))
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
for (const [name, maker] of Object.entries(makers)) {
  if (wanted.length === 0 || wanted.includes(name)) await Effect.runPromise(measure(name, maker))
}
