/**
 * `npm run example -- <name>` runs examples/<name>/server.ts, and `npm run example -- <name>/<file>` another file of that example.
 * `npm run example -- testing` runs the tests of that example.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join, resolve } from "node:path"

const folder = resolve(import.meta.dirname, "../examples")
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const [wanted = ""] = process.argv.slice(2)
const [name, file = "server"] = wanted.split("/")
const path = join(folder, name, `${file}.ts`)
if (names.includes(name) && /^\w+$/.test(file) && existsSync(path)) {
  await import(path)
} else if (wanted === "testing") {
  const vitest = resolve(import.meta.dirname, "../node_modules/vitest/vitest.mjs")
  process.exitCode = spawnSync(process.execPath, [vitest, "run", "examples/testing"], { stdio: "inherit" }).status ?? 1
} else {
  console.error(`There is no example "${wanted}". The examples are ${names.join(", ")}.`)
  process.exitCode = 1
}
