/**
 * The key of the cookie store, in config/<environment>.key. The repository contains no key: the first start that needs one
 * makes it.
 */
import { Effect } from "effect"
import { SessionError } from "effect-session"
import { randomBytes, randomUUID } from "node:crypto"
import * as Fs from "node:fs/promises"

/**
 * Reads the bytes of the key file, and makes the file if it is missing. The key is written to another file first and then
 * linked into place. If two processes start at once, one of them makes the key, both read it, and neither sees half of it.
 * The other file ends with `.key` too, so that Git ignores it even if the process stops before it is removed.
 */
const readOrMake = async (file: string): Promise<Uint8Array> => {
  const aside = file.replace(/\.key$/, `.${randomUUID()}.key`)
  try {
    await Fs.access(file)
  } catch {
    await Fs.writeFile(aside, randomBytes(64).toString("base64"), { flag: "wx", mode: 0o600 })
    await Fs.link(aside, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error
    })
    await Fs.unlink(aside)
  }
  return Buffer.from(await Fs.readFile(file, "utf8"), "base64")
}

/** The permission bits of everyone but the owner. Windows has none, and Node makes them up there. */
const othersMay = async (file: string): Promise<boolean> =>
  process.platform !== "win32" && ((await Fs.stat(file)).mode & 0o077) !== 0

const failed = (path: string, message: string) => new SessionError.SessionConfigError({ mistakes: [{ path, message }] })

export const unreadable = (path: string, wanted: string) => (error: unknown) =>
  failed(path, `cannot be ${wanted} (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`)

export const keyBytes = (file: string): Effect.Effect<Uint8Array, SessionError.SessionConfigError> =>
  Effect.gen(function*() {
    const attempt = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: unreadable(file, "read or made") })
    const key = yield* attempt(() => readOrMake(file))
    if (yield* attempt(() => othersMay(file))) {
      return yield* failed(
        file,
        "can be read or changed by other users of this machine. Run `chmod 600` on it, and if anyone may have "
          + "read it, delete it: the next start makes a new key"
      )
    }
    return key
  })
