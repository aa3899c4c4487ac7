/**
 * config/<environment>.yaml with its key put in. The key is no part of the repository: the first start makes it.
 */
import { Effect } from "effect"
import { SessionConfig, SessionError } from "effect-session"
import { randomBytes, randomUUID } from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"

const directory = Path.resolve(import.meta.dirname, "../config")
const environment = process.env.NODE_ENV ?? "development"

/**
 * The bytes of the key file, made where there is none. Written aside and linked into place: of two first starts at once one
 * wins, the other reads the winner's, and nobody ever sees half a key.
 */
const readOrMakeKey = async (file: string): Promise<Uint8Array> => {
  const aside = `${file}.${randomUUID()}.local`
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
    // The file first: a start that fails for want of it must not leave a key behind.
    const text = yield* Effect.tryPromise({ try: () => Fs.readFile(file, "utf8"), catch: unreadable(file, "read") })
    const key = yield* Effect.tryPromise({
      try: () => readOrMakeKey(keyFile),
      catch: unreadable(keyFile, "read or made")
    })
    return yield* SessionConfig.fromYaml(text.replace("${SESSION_PRIVATE_KEY}", JSON.stringify([...key])), file)
  }
)
