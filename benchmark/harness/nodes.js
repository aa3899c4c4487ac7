/**
 * Other versions of Node.js than the one that runs the benchmark, each installed from npm into a folder of its own.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../node_modules/.cache/nodes/", import.meta.url))

/** Which are measured beside the current one: the long-term one, and the newest. */
const wanted = ["24", "latest"]

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

/** The versions that can be had here, each once; what cannot is added to `skipped`. */
export const otherNodes = (skipped) => {
  const nodes = []
  for (const version of wanted) {
    const node = binaryOf(version)
    if (node === undefined) skipped.push({ what: `Node ${version}`, reason: "npm could not install it" })
    else if (node.version !== process.version && nodes.every((other) => other.version !== node.version)) {
      nodes.push(node)
    }
  }
  return nodes
}
