/**
 * `npm run example -- two-processes`: two servers, one Redis.
 */
import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import { randomUUID } from "node:crypto"
import { describeWith, redis } from "../services.js"
import { type Running, startExample } from "../support/exampleProcess.js"

const patience = 180_000

describeWith(redis, "the example two-processes", () => {
  let servers: Running
  beforeAll(async () => {
    servers = await startExample("two-processes", { REDIS_PREFIX: `test-${randomUUID()}:` }, 2)
  }, patience)
  afterAll(async () => {
    expect(await servers?.stop()).not.toBe(undefined)
  }, patience)

  const request = async (server: 0 | 1, path: string, options: { method?: string; cookie?: string } = {}) => {
    const { cookie = "", method = "GET" } = options
    const response = await fetch(servers.origins[server] + path, { method, headers: { cookie } })
    return {
      status: response.status,
      text: await response.text(),
      cookie: response.headers.getSetCookie()[0]?.split(";")[0]
    }
  }

  it("C9: requests that reach both processes at once lose no count", async () => {
    expect(servers.origins[0]).not.toBe(servers.origins[1])
    const { cookie } = await request(0, "/count")
    const counts = await Promise.all(
      Array.from({ length: 40 }, (_, i) => request(i % 2 === 0 ? 0 : 1, "/count", { cookie }))
    )
    expect(counts.map(({ text }) => Number(text)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 2)
    )
  }, patience)

  it("S1: who signs in at one process is known at the other, and signs out everywhere at either", async () => {
    const one = await request(0, "/sign-in", { method: "POST" })
    const two = await request(1, "/sign-in", { method: "POST" })
    expect(await request(1, "/me", { cookie: one.cookie })).toMatchObject({ status: 200, text: "ada" })
    expect((await request(0, "/devices")).text).toBe("2")
    expect((await request(1, "/sign-out-everywhere", { method: "POST" })).text).toBe("2")
    for (const cookie of [one.cookie, two.cookie]) {
      for (const server of [0, 1] as const) expect((await request(server, "/me", { cookie })).status).toBe(401)
    }
  }, patience)
})
