/**
 * Starts a Redis server for the benchmark alone, on a free port of loopback and without persistence, so that no other
 * program's commands are counted and no other program's data is touched.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadCore, spawnOn } from "./cores.js"
import { has } from "./machine.js"

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Returns undefined when `redis-server` is not installed. */
export const startRedis = async () => {
  if (!has("redis-server")) return undefined
  const folder = mkdtempSync(join(tmpdir(), "effect-session-benchmark-redis-"))
  const port = await freePort()
  const args = ["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"].map(String)
  const server = spawnOn(loadCore, "redis-server", args, { stdio: ["ignore", "pipe", "inherit"] })
  const remove = () => rmSync(folder, { recursive: true, force: true })
  await new Promise((resolve, reject) => {
    let out = ""
    server.stdout.on("data", (chunk) => {
      out += chunk
      if (out.includes("Ready to accept connections")) resolve()
    })
    server.once("exit", (code) => reject(new Error(`redis-server ended with code ${code}: ${out}`)))
    server.once("error", reject)
  }).catch((error) => {
    remove()
    throw error
  })
  const kill = () => server.kill("SIGKILL")
  process.once("exit", kill)
  const stop = () =>
    new Promise((resolve) => {
      server.once("exit", () => {
        process.off("exit", kill)
        remove()
        resolve()
      })
      server.kill("SIGTERM")
    })
  return { url: `redis://127.0.0.1:${port}`, stop }
}
