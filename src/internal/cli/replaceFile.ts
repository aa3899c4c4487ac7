/**
 * Replaces the text of a file in one step: a reader sees the old text or the new one, and a crash leaves one of them.
 */
import { randomBytes } from "node:crypto"
import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { failed } from "./command.js"

export const replaceFile = (file: string, before: string, after: string): void => {
  // A link stays a link.
  const path = realpathSync(file)
  const { gid, mode, uid } = statSync(path)
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`)
  try {
    // It holds keys: nobody else may read it before it has the mode of the file.
    const handle = openSync(draft, "wx", 0o600)
    try {
      fchmodSync(handle, mode & 0o7777)
      writeSync(handle, after)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    try {
      chownSync(draft, uid, gid)
    } catch {
      // Only root may give a file away, and whoever may write the folder owns the draft.
    }
    if (readFileSync(path, "utf8") !== before) throw failed(`${file}: was changed by somebody else in the meantime`)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
