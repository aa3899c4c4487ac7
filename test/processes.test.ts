/**
 * Several processes with one store: whole requests, from the cookie to the response.
 */
import { describe, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { serve } from "./processes/app.js"
import { type Name, storeAt } from "./processes/stores.js"
import type { Job } from "./processes/worker.js"
import { describeWith, mysql, postgres, redis } from "./services.js"
import { cookieOf } from "./support/counting.js"

const worker = Path.resolve(import.meta.dirname, "processes/worker.ts")

/** One process a job, all set off together; waits for their end. */
const together = async (jobs: ReadonlyArray<Job>): Promise<void> => {
  const children = jobs.map((job) => {
    const child = spawn(process.execPath, ["--import", "tsx", worker, JSON.stringify(job)])
    let errors = ""
    child.stderr.on("data", (data) => errors += String(data))
    const end = once(child, "exit").then(([code]) => {
      if (code !== 0) throw new Error(`a process ended with ${code}\n${errors}`)
    })
    return { child, end, ready: Promise.race([once(child.stdout, "data"), end]) }
  })
  try {
    await Promise.all(children.map(({ ready }) => ready))
    for (const { child } of children) child.stdin.write("go\n")
    await Promise.all(children.map(({ end }) => end))
  } finally {
    for (const { child } of children) child.kill()
  }
}

const rows = (store: Name, url: string, makePlace: () => Promise<string>) => () => {
  const start = async () => {
    const place = await makePlace()
    const server = serve(storeAt(store, place, url))
    const cookie = cookieOf(await server.request("POST", "/sign-in"))
    expect(cookie).not.toBe("")
    return { ...server, cookie, place }
  }

  it("C9: 2 × 1,000 concurrent modify increments on one session are exactly 2,000", async () => {
    const { cookie, dispose, place, request } = await start()
    const job: Job = { store, place, url, cookie, paths: Array(1_000).fill("/count") }
    await together([job, job])
    expect(await (await request("GET", "/count", cookie)).text()).toBe("2000")
    expect(await (await request("GET", "/user", cookie)).text()).toBe("ada")
    await dispose()
  }, 180_000)

  it("S3: 2 × 250 requests that insert different keys keep all 500", async () => {
    const { cookie, dispose, place, request } = await start()
    const job = (side: string): Job => ({
      store,
      place,
      url,
      cookie,
      paths: Array.from({ length: 250 }, (_, i) => `/keys/${side}${i}`)
    })
    await together([job("a"), job("b")])
    expect(await (await request("GET", "/keys", cookie)).text()).toBe("501")
    await dispose()
  }, 180_000)
}

const unique = async () => `effect_session_test_${randomUUID().replaceAll("-", "").slice(0, 12)}`

describeWith(redis, "two processes on Redis", rows("redis", redis.url, unique))
describeWith(postgres, "two processes on PostgreSQL", rows("postgres", postgres.url, unique))
describeWith(mysql, "two processes on MariaDB", rows("mysql", mysql.url, unique))
describe(
  "two processes on a SQLite file",
  rows(
    "sqlite",
    "",
    async () => Path.join(await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-session-")), "sessions.sqlite")
  )
)
