/**
 * Reads config/<environment>.yaml and puts the key in. The repository contains no key: the first start makes one.
 */
import { Effect } from "effect"
import { SessionConfig, SessionError } from "effect-session"
import { randomBytes, randomUUID } from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"

const directory = Path.resolve(import.meta.dirname, "../config")
const environment = process.env.NODE_ENV ?? "development"

/**
 * Reads the bytes of the key file, and makes the file if it is missing. The key is written to another file first and then
 * linked into place. If two processes start at once, one of them makes the key, both read it, and neither sees half of it.
 * The other file ends with `.key` too, so that Git ignores it even if the process stops before it is removed.
 */
const readOrMakeKey = async (file: string): Promise<Uint8Array> => {
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

const unreadable = (path: string, wanted: string) => (error: unknown) =>
  new SessionError.SessionConfigError({
    mistakes: [{
      path,
      message: `cannot be ${wanted} (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`
    }]
  })

export const configuration: Effect.Effect<SessionConfig.FileConfig, SessionError.SessionConfigError> = Effect.gen(
  function*() {
    const file = Path.join(directory, `${environment}.yaml`)
    const keyFile = Path.join(directory, `${environment}.key`)
    // Read the file first: if it is missing, the start fails and must not leave a key behind.
    const text = yield* Effect.tryPromise({ try: () => Fs.readFile(file, "utf8"), catch: unreadable(file, "read") })
    const key = yield* Effect.tryPromise({
      try: () => readOrMakeKey(keyFile),
      catch: unreadable(keyFile, "read or made")
    })
    if (yield* Effect.tryPromise({ try: () => othersMay(keyFile), catch: unreadable(keyFile, "read") })) {
      return yield* new SessionError.SessionConfigError({
        mistakes: [{
          path: keyFile,
          message:
            "can be read or changed by other users of this machine. Run `chmod 600` on it, and if anyone may have "
            + "read it, delete it: the next start makes a new key"
        }]
      })
    }
    return yield* SessionConfig.fromYaml(text.replace("${SESSION_PRIVATE_KEY}", JSON.stringify([...key])), file)
  }
)
