import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describeWith, redis } from "../services.js"
import { data, newId, now, own, session, stored, times } from "./kit.js"
import type { Job } from "./worker.js"

const worker = fileURLToPath(new URL("./worker.ts", import.meta.url))

/** Runs one process for each job, all from one moment on, and waits for their end. */
const together = async (jobs: ReadonlyArray<Job>): Promise<void> => {
  const children = jobs.map((job) => {
    const child = spawn(process.execPath, ["--import", "tsx", worker, JSON.stringify(job)], { stdio: "pipe" })
    const errors: Array<string> = []
    child.stderr.on("data", (chunk) => errors.push(String(chunk)))
    const end = once(child, "exit").then(([code]) => {
      if (code !== 0) throw new Error(`process ${job.name} ended with ${code}\n${errors.join("")}`)
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

const twoProcesses = (kind: Job["kind"], times_: number) =>
  Effect.gen(function*() {
    const { backend, prefix } = yield* own
    const token = newId()
    const id = createHash("sha256").update(token).digest("base64url")
    yield* backend.insert(
      id,
      session({ ...times({ createdAt: now, refreshedAt: now, expiresAt: 1e14 }), data: data({ count: "0" }) }),
      now
    )
    const job = { kind, times: times_, url: redis.url, prefix, id, token }
    yield* Effect.promise(() => together([{ ...job, name: "first" }, { ...job, name: "second" }]))
    return yield* stored(backend, id)
  })

describeWith(redis, "Redis: two processes", () => {
  for (const kind of ["compare-and-set", "modify"] as const) {
    it.scopedLive(
      `C9: two processes add one to a value 1,000 times each: it is exactly 2,000 (${kind})`,
      () =>
        Effect.gen(function*() {
          const record = yield* twoProcesses(kind, 1_000)
          expect(record.data).toEqual(data({ count: "2000" }))
          expect(record.version).toBe(2_001)
        }),
      120_000
    )
  }

  it.scopedLive("S3: two processes insert 250 different keys each: all 500 are there", () =>
    Effect.gen(function*() {
      const record = yield* twoProcesses("keys", 250)
      expect(record.data.size).toBe(501)
      expect(record.version).toBe(501)
      for (const name of ["first", "second"]) {
        for (let i = 1; i <= 250; i++) expect(record.data.get(`${name} ${i}`)).toBe(String(i))
      }
    }), 120_000)
})
