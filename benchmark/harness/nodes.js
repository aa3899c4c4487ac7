/**
 * Other versions of Node.js than the one that runs the benchmark, each installed from npm into a folder of its own.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../node_modules/.cache/nodes/", import.meta.url))

/** The version with long-term support, on which both editions of the library run. */
export const longTerm = "24"

const binaryOf = (version) => {
  const place = `${folder}${version}`
  const binary = `${place}/node_modules/node/bin/node`
  if (!existsSync(binary)) {
    mkdirSync(place, { recursive: true })
    const npm = ["install", "--prefix", place, "--no-audit", "--no-fund", "--silent", `node@${version}`]
    if (spawnSync("npm", npm, { stdio: "inherit" }).status !== 0) return undefined
  }
  const { status, stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" })
  return status === 0 ? { binary, version: stdout.trim() } : undefined
}

/** The Node.js that runs the benchmark. */
export const current = { binary: process.execPath, version: process.version }

/** A version of Node.js; what cannot be had here is added to `skipped`, and undefined. */
export const nodeOf = (version, skipped) => {
  if (process.version.startsWith(`v${version}.`)) return current
  const node = binaryOf(version)
  if (node === undefined) skipped.push({ what: `Node ${version}`, reason: "npm could not install it" })
  return node
}
