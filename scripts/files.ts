/**
 * The files of a folder.
 */
import { existsSync, readdirSync } from "node:fs"
import { join, relative } from "node:path"

/** The names of all files below a folder, relative to it, in order; none where there is no such folder. */
export const filesIn = (folder: string, suffix = ""): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort()
    : []
