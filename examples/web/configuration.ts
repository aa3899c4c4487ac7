/**
 * The options of the session and its cookie, from config/<environment>.yaml.
 */
import { Effect } from "effect"
import { KeyRing, SessionConfig, type SessionError } from "effect-session"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import { keyBytes, unreadable } from "./keyFile.js"

const directory = Path.resolve(import.meta.dirname, "../../config")
const environment = process.env.NODE_ENV ?? "development"
const file = Path.join(directory, `${environment}.yaml`)
const keyFile = Path.join(directory, `${environment}.key`)

export const configuration: Effect.Effect<SessionConfig.FileConfig, SessionError.SessionConfigError> = Effect.gen(
  function*() {
    const text = yield* Effect.tryPromise({ try: () => Fs.readFile(file, "utf8"), catch: unreadable(file, "read") })
    const template = "${SESSION_PRIVATE_KEY}"
    if (!text.includes(template)) return yield* SessionConfig.fromYaml(text, file)
    return yield* SessionConfig.fromYaml(text.replace(template, JSON.stringify([...(yield* keyBytes(keyFile))])), file)
  }
)

/** The keys of the cookie store: those of the configuration, or else the one in the key file. */
export const keysOf = (
  config: SessionConfig.FileConfig
): Effect.Effect<KeyRing.KeyRing, SessionError.SessionConfigError> =>
  config.store.type === "Cookie"
    ? Effect.succeed(config.store.keys)
    : Effect.flatMap(keyBytes(keyFile), KeyRing.fromBytes)
