import { expect, layer } from "@effect/vitest"
import { SessionStore } from "effect-session"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { databases } from "./databases.js"
import { own, Where } from "./harness.js"
import { patch, times } from "./records.js"
import type { Job } from "./worker.js"

const worker = fileURLToPath(new URL("./worker.ts", import.meta.url))

/** Runs one process for each job, all from one moment on, and waits for their end. */
const together = async (jobs: ReadonlyArray<Job>): Promise<void> => {
  const children = jobs.map((job) => {
    const child = spawn(process.execPath, ["--import", "tsx", worker, JSON.stringify(job)], {
      stdio: ["pipe", "pipe", "pipe"]
    })
    const errors: Array<string> = []
    child.stderr.on("data", (chunk) => errors.push(String(chunk)))
    const end = once(child, "exit").then(([code]) => {
      if (code !== 0) throw new Error(`process of ${job.name} ended with ${code}\n${errors.join("")}`)
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

for (const database of databases) {
  database.describe(() =>
    layer(own(database), { excludeTestServices: true, timeout: 30_000 })((it) => {
      const started = Effect.gen(function*() {
        const context = yield* Layer.build(Sql.layer({ secure: false }))
        const store = Context.get(context, SessionStore.SessionStore)
        const place = yield* Where
        const now = Date.now()
        const saved = yield* store.save({
          base: undefined,
          patch: patch({ user: "\"ada\"" }, {
            expiry: times({ createdAt: now, refreshedAt: now, expiresAt: now + 9e11 })
          }),
          renew: false,
          ifVersion: undefined,
          owner: undefined
        }, now)
        if (saved._tag !== "Saved") throw new Error(saved._tag)
        return { store, place, token: saved.token }
      })

      it.effect("C9: after two processes have each added one to a value 1,000 times, it is exactly 2,000", () =>
        Effect.gen(function*() {
          const { place, store, token } = yield* started
          const job = { place, token, increments: 1_000, keys: 0 }
          yield* Effect.promise(() =>
            together([{ ...job, name: "first" }, { ...job, name: "second" }])
          )
          const loaded = yield* store.load([token], Date.now())
          expect(loaded).toMatchObject({ _tag: "Found", session: { version: 2_001 } })
          if (loaded._tag === "Found") expect(loaded.session.data.get("count")).toBe("2000")
        }).pipe(Effect.scoped), 120_000)

      it.effect("S3: after two processes have each inserted 250 different keys, all 500 are stored", () =>
        Effect.gen(function*() {
          const { place, store, token } = yield* started
          const job = { place, token, increments: 0, keys: 250 }
          yield* Effect.promise(() =>
            together([{ ...job, name: "first" }, { ...job, name: "second" }])
          )
          const loaded = yield* store.load([token], Date.now())
          expect(loaded).toMatchObject({ _tag: "Found", session: { version: 501 } })
          if (loaded._tag === "Found") {
            expect(loaded.session.data.size).toBe(501)
          }
        }).pipe(Effect.scoped), 120_000)
    })
  )
}
