/**
 * A node process that answers questions over its IPC channel.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { spawnOn } from "./cores.js"

const here = fileURLToPath(new URL("..", import.meta.url))

/**
 * Every child exits when its channel closes, hence at the latest when the benchmark ends. The script is one of this folder, or
 * of the `folder` of another edition.
 */
export const startChild = (
  { args = [], core, env = {}, folder = here, node = process.execPath, nodeArgs = [], script }
) => {
  const child = spawnOn(core, node, [...nodeArgs, join(folder, script), ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, NODE_ENV: "benchmark", ...env }
  })
  const name = [script, ...args].join(" ")
  const queue = []
  const waiting = []
  let ended

  child.on("message", (message) => {
    const next = waiting.shift()
    if (next === undefined) queue.push(message)
    else next.resolve(message)
  })
  const end = (reason) => {
    ended = new Error(`${name}: ${reason}`)
    for (const next of waiting.splice(0)) next.reject(ended)
  }
  child.on("error", (error) => end(error.message))
  child.on("exit", (code, signal) => end(`the process ended with ${signal ?? `code ${code}`}`))

  const receive = () => {
    if (queue.length > 0) return Promise.resolve(queue.shift())
    if (ended !== undefined) return Promise.reject(ended)
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }
  const ask = (message) => {
    child.send(message)
    return receive()
  }
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once("exit", resolve)
      if (child.connected) child.disconnect()
      const force = setTimeout(() => child.kill("SIGKILL"), 3000)
      force.unref()
    })
  return { ask, receive, stop }
}

/** The one message of a child that measures something and ends. */
export const askChild = async ({ args = [], ...options }) => {
  const child = startChild({ ...options, args: args.map(String) })
  try {
    return await child.receive()
  } finally {
    await child.stop()
  }
}
