/**
 * Installs the libraries that are measured when they are missing or older than the lock file, so that one command is enough.
 */
import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

const installed = path("node_modules/.package-lock.json")

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(path("package-lock.json")).mtimeMs) {
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: path("."), stdio: "inherit" })
  process.exit(status ?? 1)
}
