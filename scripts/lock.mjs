/**
 * Makes package-lock.json independent of the registry and the machine that wrote it. Run after every `npm install` that
 * changes the lock file and after `changeset version`: `node scripts/lock.mjs`; for the benchmarks' own lock file
 * `node scripts/lock.mjs benchmark`.
 *
 * - `resolved` goes: everyone installs from the registry that they have configured.
 * - npm leaves out the optional packages of other platforms when its registry (a mirror) does not have them; `npm ci` then
 *   refuses the lock file. Their entries are added: npm checks `os` and `cpu` before it fetches, and fetches none but its own.
 */
import { readFileSync, writeFileSync } from "node:fs"

const folder = process.argv[2] ?? "."
const file = `${folder}/package-lock.json`
const lock = JSON.parse(readFileSync(file, "utf8"))
const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64", "wasm32"]

const platform = (name) => {
  const words = name.split(/[/-]/)
  const os = words.find((word) => systems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  if (os === undefined || cpu === undefined) {
    throw new Error(`${name} is missing from the lock file, and its name does not say for which platform it is`)
  }
  const libc = words.includes("musl")
    ? ["musl"]
    : os === "linux" && words.some((w) => w.startsWith("gnu"))
    ? ["glibc"]
    : []
  return { cpu: [cpu], os: [os], ...(libc.length > 0 && { libc }) }
}

/** Node's own rule: from the package's folder upwards. */
const isLocked = (from, name) => {
  const folders = from.split("/node_modules/")
  return `node_modules/${name}` in lock.packages
    || folders.some((_, i) => `${folders.slice(0, i + 1).join("/node_modules/")}/node_modules/${name}` in lock.packages)
}

const added = []
for (const [path, entry] of Object.entries(lock.packages)) {
  delete entry.resolved
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue
    if (!/^\d/.test(version)) {
      throw new Error(`${name}@${version}, optional for ${path}, is a range: resolve it by hand`)
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platform(name),
      ...(entry.dev === true && { dev: true }),
      optional: true
    }
    added.push(name)
  }
}

// `changeset version` leaves the lock file behind
const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"))
if (version !== undefined) lock.version = lock.packages[""].version = version

const [root, ...rest] = Object.entries(lock.packages)
rest.sort(([a], [b]) => a.localeCompare(b, "en"))
lock.packages = Object.fromEntries([root, ...rest])
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(added.length === 0 ? "the lock file is complete" : `added ${added.length}: ${added.join(" ")}`)
