/** The drivers for MySQL and SQLite, in a process that has Effect 4.1 and nothing of these tests. */
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { expect, it } from "vitest"
import { folder } from "./given.js"

it("W6: a driver that cannot be loaded with this version of effect ends with 1, and is not called absent", () => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href
  for (const url of ["mysql://user:the-password@127.0.0.1:1/db", "sqlite:/nowhere/the-password.db"]) {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--import", tsx, resolve("src/cli.ts"), "sessions", "count"],
      { cwd: folder, encoding: "utf8", env: { ...process.env, SESSION_STORE_URL: url } }
    )
    expect([status, stdout]).toEqual([1, ""])
    expect(stderr).toContain("is installed, but it cannot be loaded (ERR_MODULE_NOT_FOUND)")
    expect(stderr).not.toContain("the-password")
  }
})
