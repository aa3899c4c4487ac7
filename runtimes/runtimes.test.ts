/**
 * The app of apps/ on every runtime of docs/where-it-runs.md, driven over HTTP. `npm ci --prefix runtimes --ignore-scripts` installs
 * the runtimes. One that is not there is skipped with that reason; under `REQUIRE_RUNTIMES=1` (CI) it fails.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Redacted } from "effect"
import { Redis } from "ioredis"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Agent, fetch } from "undici"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { describeWith, postgres, redis } from "../test/services.js"

const here = fileURLToPath(new URL(".", import.meta.url))
const binary = (path: string) => `${here}node_modules/${path}`

interface Runtime {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
}

const newest = binary("node-newest/bin/node")

const runtimes: ReadonlyArray<Runtime> = [
  { name: `Node.js ${process.versions.node.split(".")[0]}`, command: process.execPath, args: [] },
  { name: "Node.js 22", command: binary("node-22/bin/node"), args: [] },
  { name: "Node.js 24", command: binary("node-24/bin/node"), args: [] },
  { name: "Node.js 26", command: newest, args: [] },
  { name: "Bun", command: binary("@oven/bun-linux-x64/bin/bun"), args: [] },
  {
    name: "Deno",
    command: binary("@deno/linux-x64-glibc/deno"),
    args: ["run", "--allow-net", "--allow-env", "--allow-read", "--allow-sys", "--node-modules-dir=manual"]
  }
]

const isInstalled = existsSync(binary("esbuild"))

const describeRuntime = (name: string, command: string, body: () => void): void => {
  if (isInstalled && existsSync(command)) {
    describe(name, body)
    return
  }
  const reason = "it is not installed here; on Linux with x64: npm ci --prefix runtimes --ignore-scripts"
  if (process.env["REQUIRE_RUNTIMES"] === "1") {
    it(`${name}: REQUIRE_RUNTIMES=1 and the runtime is needed`, () => {
      throw new Error(reason)
    })
  } else describe.skip(`${name} (skipped: ${reason})`, body)
}

/** The sources of the library and of the app in one file; Effect and the drivers stay packages, which the runtime resolves. */
const bundle = async (entry: string, more: Record<string, unknown> = {}): Promise<string> => {
  const { build } = await import(binary("esbuild/lib/main.js"))
  const outfile = `${here}.out/${entry}.mjs`
  await build({
    entryPoints: [`${here}apps/${entry}`],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    alias: { "effect-session": `${here}../src` },
    packages: "external",
    platform: "node",
    logLevel: "error",
    ...more
  })
  return outfile
}

interface Served {
  /** in the order in which the program has printed them */
  readonly origins: ReadonlyArray<string>
  readonly stop: () => void
}

const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill()
})

/** Starts a program that prints its addresses. */
const start = (
  command: string,
  args: ReadonlyArray<string>,
  env: Record<string, string> = {},
  addresses = 1
): Promise<Served> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: here, env: { ...process.env, ...env } })
    running.add(child)
    child.once("exit", () => running.delete(child))
    let output = ""
    const look = (data: Buffer) => {
      output += String(data)
      const origins = output.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []
      if (origins.length === addresses) resolve({ origins, stop: () => child.kill() })
    }
    child.stdout.on("data", look)
    child.stderr.on("data", look)
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code}: ${output}`)))
  })

/** Each request has a connection of its own: a server may close one that is kept just when the next request is on its way. */
const dispatcher = new Agent({ pipelining: 0 })

/** A browser with the one cookie of a session. */
const browser = (origin: string, cookie = "") => {
  const ask = async (path: string, method = "GET") => {
    const response = await fetch(`${origin}${path}`, {
      dispatcher,
      method,
      headers: cookie === "" ? {} : { cookie }
    })
    for (const header of response.headers.getSetCookie()) {
      cookie = /;\s*Max-Age=0/i.test(header) ? "" : header.split(";")[0]
    }
    return { status: response.status, text: await response.text() }
  }
  return {
    cookie: () => cookie,
    get: (path: string) => ask(path),
    post: (path: string) => ask(path, "POST")
  }
}

const ok = (text: unknown) => ({ status: 200, text: String(text) })

/** What every runtime has to do; `isShared`: parallel requests change one record, which a cookie store does not have. */
const visit = async (origin: string, isShared: boolean) => {
  const { cookie, get, post } = browser(origin)
  await get("/events")
  for (const count of [1, 2, 3]) expect(await post("/count")).toEqual(ok(count))

  const anonymous = cookie()
  expect((await get("/user")).status).toBe(401)
  expect(await post("/sign-in?user=ada")).toEqual(ok("in"))
  expect(cookie()).not.toBe(anonymous)
  expect(await get("/user")).toEqual(ok("ada"))
  expect(await get("/count")).toEqual(ok(3))
  expect(await browser(origin, anonymous).get("/count")).toEqual(ok(0))

  if (isShared) {
    const own = cookie()
    const counts = await Promise.all(Array.from({ length: 20 }, () => browser(origin, own).post("/modify")))
    expect(counts.map(({ text }) => Number(text)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 4)
    )
  }

  const before = cookie()
  expect(await post("/renew")).toEqual(ok("renewed"))
  expect(cookie()).not.toBe(before)
  expect((await browser(origin, before).get("/user")).status).toBe(401)
  expect(await get("/user")).toEqual(ok("ada"))

  const last = cookie()
  expect(await post("/flush")).toEqual(ok("out"))
  expect(cookie()).toBe("")
  expect((await browser(origin, last).get("/user")).status).toBe(401)
  expect(await post("/count")).toEqual(ok(1))

  expect((await get("/events")).text.split(" ")).toEqual(["Created", "SignedIn", "Renewed", "SignedOut", "Created"])
}

// ── servers ──

const table = `runtimes_${randomBytes(4).toString("hex")}`

afterAll(async () => {
  if (postgres.available) {
    const drop = Effect.flatMap(
      PgClient.PgClient,
      (sql) => Effect.forEach([table, `${table}_locks`], (name) => sql.unsafe(`DROP TABLE IF EXISTS ${name}`))
    )
    await Effect.runPromise(Effect.provide(drop, PgClient.layer({ url: Redacted.make(postgres.url) })))
  }
  if (redis.available) {
    const client = new Redis(redis.url)
    for (const key of await client.keys(`${table}:*`)) await client.del(key)
    await client.quit()
  }
})

const stores = ["memory", "cookie", ...redis.available ? ["redis"] : [], ...postgres.available ? ["postgres"] : []]

/** A busy machine may need a while to load everything. */
const patience = 120_000
vi.setConfig({ testTimeout: patience })

for (const { args, command, name } of runtimes) {
  describeRuntime(name, command, () => {
    let served: Served
    beforeAll(async () => {
      const env = { STORES: stores.join(" "), TABLE: table, REDIS_URL: redis.url, POSTGRES_URL: postgres.url }
      served = await start(command, [...args, await bundle("server.ts")], env, stores.length)
    }, patience)
    afterAll(() => served?.stop())

    const visitOver = (store: string) => visit(served.origins[stores.indexOf(store)], store !== "cookie")

    it("keeps sessions in memory", () => visitOver("memory"))

    it("keeps sessions in the cookie", () => visitOver("cookie"))

    describeWith(redis, "Redis", () => {
      it("keeps sessions", () => visitOver("redis"))
    })

    describeWith(postgres, "PostgreSQL", () => {
      it("keeps sessions", () => visitOver("postgres"))
    })
  })
}

// ── workerd ──

describeRuntime("workerd", binary("miniflare"), () => {
  let worker = ""
  let origin = ""
  beforeAll(async () => {
    worker = await bundle("worker.js", {
      packages: "bundle",
      platform: "browser",
      conditions: ["workerd", "worker"],
      external: ["node:*", "cloudflare:*"]
    })
    origin = (await serve()).origin
  }, patience)

  const serve = async () => {
    const { origins: [origin], stop } = await start(newest, ["workerd.js", worker])
    expect((await fetch(`${origin}/create`, { dispatcher })).status).toBe(200)
    return { origin, stop }
  }

  it("keeps sessions in the cookie", () => visit(`${origin}/cookie`, false))

  it("keeps sessions in the cookie, and what has ended in D1", () => visit(`${origin}/revocable`, false))

  it("keeps sessions in D1, with one layer for all requests", () => visit(`${origin}/shared`, true))

  it("keeps sessions in D1, with a layer for each request", () => visit(`${origin}/each`, true))

  it("reads a session in many requests at once, the first ones of a worker among them", async () => {
    const { origin, stop } = await serve()
    const { cookie, post } = browser(`${origin}/each`)
    expect(await post("/count")).toEqual(ok(1))
    for (let round = 0; round < 3; round++) {
      const reads = Array.from({ length: 20 }, () => browser(`${origin}/shared`, cookie()).get("/count"))
      expect(await Promise.all(reads)).toEqual(reads.map(() => ok(1)))
    }
    stop()
  })

  it("removes expired sessions from D1 when it is asked to", async () => {
    const { get, post } = browser(`${origin}/shared`)
    expect(await post("/count")).toEqual(ok(1))
    const removed = await browser(origin).get("/expire")
    expect(removed.status).toBe(200)
    expect(Number(removed.text)).toBeGreaterThan(0)
    expect(await browser(origin).get("/expire")).toEqual(ok(0))
    expect(await get("/count")).toEqual(ok(0))
  })

  it("changes a session in many requests at once, while others are aborted", async () => {
    const { cookie, get, post } = browser(`${origin}/shared`)
    expect(await post("/count")).toEqual(ok(1))
    for (const path of ["/modify", "/set"]) {
      const changes = Array.from({ length: 20 }, (_, i) =>
        fetch(`${origin}/shared${path}`, {
          dispatcher,
          method: "POST",
          headers: { cookie: cookie() },
          signal: i % 2 === 0 ? null : AbortSignal.timeout(5 + 5 * i)
        }).then(({ status }) => status, () => "aborted"))
      const statuses = await Promise.all(changes)
      expect(statuses.filter((_, i) => i % 2 === 0)).toEqual(Array(10).fill(200))
      expect(statuses.filter((status) => status !== 200 && status !== "aborted")).toEqual([])
    }
    expect((await get("/count")).status).toBe(200)
  })
})
