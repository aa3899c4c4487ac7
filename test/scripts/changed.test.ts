import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { root } from "../support/example.js"

// each test starts vitest up to three times
vi.setConfig({ testTimeout: 120_000 })

/** A repository with two modules and a test of each. */
const folder = realpathSync(mkdtempSync(join(tmpdir(), "effect-session-changed-")))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (file: string, text: string) => writeFileSync(join(folder, file), `${text}\n`)
const git = (...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], { cwd: folder })

/** `npm test -- --changed …`, with its exit code and its last line. */
const runChanged = (...args: ReadonlyArray<string>) => {
  const { TEST_REPORT: _, TEST_REPORTS: __, VITEST: ___, ...env } = process.env
  const run = spawnSync(process.execPath, ["--import", "tsx", "scripts/test.ts", "--changed", ...args], {
    cwd: folder,
    encoding: "utf8",
    env
  })
  return { code: run.status, last: run.stdout.trim().split("\n").at(-1), output: run.stdout + run.stderr }
}

beforeAll(() => {
  mkdirSync(join(folder, "test"))
  for (const shared of ["scripts", "node_modules"]) symlinkSync(join(root, shared), join(folder, shared))
  write("package.json", "{ \"type\": \"module\" }")
  write(".gitignore", "node_modules\nscripts")
  write("vitest.config.ts", "export default { test: { include: [\"test/*.test.ts\"] } }")
  for (const name of ["one", "two"]) {
    write(`${name}.ts`, "export const value = 1")
    write(
      `test/${name}.test.ts`,
      `import { expect, test } from "vitest"
import { value } from "../${name}.js"
test("${name}", () => expect(value).toBe(1))`
    )
  }
  git("init", "--quiet")
  git("add", ".")
  git("commit", "--quiet", "--message", "one and two")
})

describe("npm test -- --changed", () => {
  test("runs nothing where nothing has changed, and nothing has failed then", () => {
    expect(runChanged()).toMatchObject({ code: 0, last: "0 passed, 0 failed" })
  })

  test("runs the tests that import what has changed, and no others", () => {
    write("one.ts", "export const value = 1 // changed")
    expect(runChanged()).toMatchObject({ code: 0, last: "1 passed, 0 failed" })
    write("one.ts", "export const value = 2")
    expect(runChanged()).toMatchObject({ code: 1, last: "0 passed, 1 failed" })
  })

  test("compares with another commit, and fails where git does not know it", () => {
    git("commit", "--quiet", "--all", "--message", "one")
    expect(runChanged()).toMatchObject({ code: 0, last: "0 passed, 0 failed" })
    expect(runChanged("HEAD~1")).toMatchObject({ code: 1, last: "0 passed, 1 failed" })
    expect(runChanged("nowhere")).toMatchObject({ code: 1, last: "0 passed, 1 failed" })
  })
})
