/**
 * Load over HTTP with keep-alive: wrk where it is installed, else autocannon. The time per request is the server's own CPU
 * time, so that a slower load generator does not show as a faster server.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { loadCore, spawnOn } from "./cores.js"
import { has } from "./machine.js"

export const connections = 32

export const generator = has("wrk") ? "wrk" : "autocannon"

/** `interruptAfter` seconds after the program has said on its error stream that it is ready. */
const run = (command, args, env, interruptAfter) =>
  new Promise((resolve, reject) => {
    const child = spawnOn(loadCore, command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env }
    })
    let out = ""
    let errors = ""
    child.stdout.on("data", (chunk) => (out += chunk))
    child.stderr.on("data", (chunk) => {
      if (errors === "" && interruptAfter !== undefined) setTimeout(() => child.kill("SIGINT"), interruptAfter * 1000)
      errors += chunk
    })
    child.on("error", reject)
    child.on("exit", (code, signal) =>
      code === 0 ? resolve(out) : reject(new Error(`${command} ended with ${signal ?? code}: ${errors}`)))
  })

const script = (name) => fileURLToPath(new URL(name, import.meta.url))

const command = (url, seconds, headers, atOnce) => {
  if (generator === "autocannon") {
    return [process.execPath, [script("autocannon.js"), url, seconds, atOnce, JSON.stringify(headers)].map(String)]
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`])
  // wrk counts in whole seconds; interrupted, it reports what it has measured
  return [
    "wrk",
    [
      "-t1",
      `-c${atOnce}`,
      `-d${Math.ceil(seconds) + 5}s`,
      "--timeout",
      "60s",
      "-s",
      script("wrk.lua"),
      ...lines,
      url
    ],
    seconds
  ]
}

/**
 * Loads for so many seconds, with each of the Cookie headers in turn. Throws when a single request failed: a server that
 * answers 500 is fast.
 */
export const load = async (url, seconds, { atOnce = connections, cookies = [], headers = {} } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-session-benchmark-"))
  const file = join(folder, "cookies")
  try {
    if (cookies.length > 0) writeFileSync(file, `${cookies.join("\n")}\n`, { mode: 0o600 })
    const [name, args, interruptAfter] = command(url, seconds, headers, atOnce)
    const out = await run(name, args, cookies.length > 0 ? { BENCHMARK_COOKIES: file } : {}, interruptAfter)
    const result = JSON.parse(/^REPORT (.*)$/m.exec(out)[1])
    if (result.failed > 0) throw new Error(`${result.failed} of ${result.requests} requests failed at ${url}`)
    return result
  } finally {
    rmSync(folder, { recursive: true })
  }
}
