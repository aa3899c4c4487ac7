/**
 * Other versions of Node.js than the one that runs this, each installed from npm into a folder of its own below `.nodes`.
 *
 * `node --import tsx scripts/nodes.ts latest` prints where that version is.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { join, resolve } from "node:path"

const folder = resolve(import.meta.dirname, "../.nodes")

/**
 * @param version what npm calls it: a number such as `24`, or `latest`, which is looked up each time
 * @throws Error if it is not here, and npm cannot install it
 */
export const nodeAt = (version: string): string => {
  const place = join(folder, version)
  const binary = join(place, "node_modules/node/bin/node")
  if (existsSync(binary) && version !== "latest") return binary
  mkdirSync(place, { recursive: true })
  const npm = ["install", "--prefix", place, "--no-save", "--no-audit", "--no-fund", "--loglevel=error"]
  spawnSync("npm", [...npm, `node@${version}`], { stdio: ["ignore", "ignore", "inherit"] })
  if (!existsSync(binary)) throw new Error(`npm could not install node@${version}`)
  return binary
}

if (process.argv[1] === import.meta.filename) console.log(nodeAt(process.argv[2] ?? "latest"))
