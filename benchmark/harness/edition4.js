/**
 * The edition for Effect 4, generated and built from the same sources, and the part of the benchmark that measures it.
 */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

let prepared

/** Where its children are started; undefined where it cannot be built, which is added to `skipped`. */
export const edition4 = (skipped) => {
  prepared ??= prepare()
  if (prepared.reason !== undefined) {
    skipped.push({ what: "the edition for Effect 4", reason: prepared.reason })
    return undefined
  }
  return prepared
}

const prepare = () => {
  const { status } = spawnSync("npm", ["run", "edition:4"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
  const dist = join(root, "effect4/dist")
  if (status !== 0 || !existsSync(dist)) return { reason: "`npm run edition:4` failed" }
  const copy = join(root, "effect4/node_modules/.cache/effect-session-benchmark")
  rmSync(copy, { recursive: true, force: true })
  cpSync(dist, copy, { recursive: true })
  return { folder: join(root, "effect4/benchmark"), env: { BENCHMARK_LIBRARY: copy } }
}
