/** Runs something with the name of a SQLite file that is not there yet, in a folder that is removed afterwards. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const withSqlite = async (use) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-session-benchmark-sqlite-"))
  try {
    return await use(join(folder, "sessions.db"))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
