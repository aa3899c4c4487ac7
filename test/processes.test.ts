/** Two processes that change one session at the same time: whole requests, and compare-and-set on the backend. */
import { describe, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import { onTestFinished } from "vitest"
import * as Token from "../src/internal/server/token.js"
import { serve } from "./processes/app.js"
import type { Job } from "./processes/worker.js"
import { cookieOf } from "./support/counting.js"
import { nodeOptions } from "./support/nodeOptions.js"
import { describeSharedStores } from "./support/sharedStores.js"
import { storeAt } from "./support/storeAt.js"

const worker = Path.resolve(import.meta.dirname, "processes/worker.ts")

/** Runs one process for each job, all from one moment on, and waits for their end. */
const together = async (...jobs: ReadonlyArray<Job>): Promise<void> => {
  const children = jobs.map((job) => {
    const child = spawn(process.execPath, [...nodeOptions, worker, JSON.stringify(job)])
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

describeSharedStores((newPlace) =>
  describe("two processes on one session", () => {
    const signIn = async () => {
      const place = newPlace()
      const { dispose, load, request } = await serve(storeAt(place))
      onTestFinished(dispose)
      const cookie = cookieOf(await request("POST", "/sign-in"))
      expect(cookie).not.toBe("")
      /** what the session holds at the end, and how many changes it has seen */
      const stored = async () => {
        const loaded = await load(cookie)
        if (loaded._tag !== "Found") throw new Error(loaded.reason)
        return { data: Object.fromEntries(loaded.session.data), changes: loaded.session.version - 1 }
      }
      return { cookie, place, request, stored }
    }

    it("C9: 1,000 requests of each process, all at once, increment a count by modify to exactly 2,000", async () => {
      const { cookie, place, stored } = await signIn()
      const job: Job = { place, cookie, paths: Array(1_000).fill("/count") }
      await together(job, job)
      expect(await stored()).toEqual({ data: { user: "\"ada\"", count: "2000" }, changes: 2_000 })
    }, 180_000)

    it("C9: 250 increments of each process by find and update at the found version make exactly 500", async () => {
      const { cookie, place, stored } = await signIn()
      const job: Job = { place, id: Token.idOf(cookie.split("=")[1]), increments: 250 }
      await together(job, job)
      expect(await stored()).toEqual({ data: { user: "\"ada\"", count: "500" }, changes: 500 })
    }, 180_000)

    it("S3: 250 requests of each process, all at once, insert another key each, and all 500 are kept", async () => {
      const { cookie, place, request, stored } = await signIn()
      const names = (side: string) => Array.from({ length: 250 }, (_, i) => `${side}${i}`)
      const paths = (side: string) => names(side).map((name) => `/keys/${name}`)
      await together({ place, cookie, paths: paths("a") }, { place, cookie, paths: paths("b") })
      const inserted = [...names("a"), ...names("b")].map((name) => [name, JSON.stringify(name)])
      expect(await stored()).toEqual({ data: { user: "\"ada\"", ...Object.fromEntries(inserted) }, changes: 500 })
      expect(await (await request("GET", "/user", cookie)).text()).toBe("ada")
    }, 180_000)
  })
)
