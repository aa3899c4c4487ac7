/**
 * Describes the machine and the versions that the numbers were measured with.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { cpus, release, totalmem, type } from "node:os"

/** The output of a command, or undefined when it is not there or fails. */
export const output = (command, args) => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return undefined
  }
}

export const has = (command) => output("which", [command]) !== undefined

const installed = (name, folder) => {
  const file = new URL(`${folder}node_modules/${name}/package.json`, import.meta.url)
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined
}

const json = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"))

/** The versions of the packages that benchmark/ installs and of those from the project's own tree that take part. */
export const versions = () => {
  const found = {}
  for (const name of Object.keys(json("../package.json").dependencies)) found[name] = installed(name, "../")
  for (
    const name of [
      "effect",
      "@effect/platform",
      "@effect/platform-node",
      "@effect/sql",
      "@effect/sql-mysql2",
      "@effect/sql-pg",
      "@effect/sql-sqlite-node",
      "better-sqlite3",
      "ioredis",
      "mysql2",
      "pg"
    ]
  ) found[name] = installed(name, "../../")
  return found
}

export const machine = () => ({
  cpu: cpus()[0].model.trim(),
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: `${type()} ${/^[\d.]+/.exec(release())?.[0].replace(/\.$/, "") ?? ""}`,
  node: process.version,
  v8: process.versions.v8,
  openssl: process.versions.openssl,
  redisServer: /v=([\d.]+)/.exec(output("redis-server", ["--version"]) ?? "")?.[1]
})

/** The commit, and whether the sources differ from it. */
export const revision = () => {
  const cwd = new URL("../..", import.meta.url).pathname
  const commit = output("git", ["-C", cwd, "rev-parse", "--short", "HEAD"])
  const changed = output("git", ["-C", cwd, "status", "--porcelain", "--", "src"])
  return { commit, changed: changed !== undefined && changed !== "" }
}
