/**
 * Where a command finds its configuration: in a YAML file, in the environment, or in a file of variables.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import type { SessionConfigError } from "../../SessionError.js"
import { fromConfig } from "../config/environment.js"
import { fromYaml } from "../config/file.js"
import type { FileConfig } from "../config/model.js"
import { failed, type Io, misused, Stop } from "./command.js"

/** The options of a command that reads a configuration. */
export const options = {
  file: { type: "string" },
  env: { type: "boolean" },
  "env-file": { type: "string" }
} as const

export interface Given {
  readonly file?: string | undefined
  readonly env?: boolean | undefined
  readonly "env-file"?: string | undefined
}

/** A place of a configuration, with its name for the reader. `config` may throw a `Stop`. */
export interface Source {
  readonly name: string
  readonly config: () => Effect.Effect<FileConfig, SessionConfigError>
}

/** The file that an app reads by default (row F1). */
export const defaultFile = ({ env }: Io): string => {
  const environment = env["NODE_ENV"] ?? "development"
  if (!/^[A-Za-z0-9_-]+$/.test(environment)) {
    throw failed(
      "NODE_ENV: must have letters, digits, _ and - only, because it names the file config/<environment>.yaml"
    )
  }
  return join("config", `${environment}.yaml`)
}

export const readText = (file: string): string => {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason"
    throw failed(`${file}: cannot be read (${code})`)
  }
  try {
    // A byte order mark stays: what is written back must differ in nothing else.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw failed(`${file}: is not UTF-8 text`)
  }
}

const isOurs = (name: string): boolean => name.startsWith("SESSION_")

/** Whether the environment declares anything that `SessionConfig.fromConfig` reads. */
export const declares = (env: Record<string, string | undefined>): boolean =>
  ["SESSION_STORE", "SESSION_SECRET", "SESSION_PRIVATE_KEY"].some((name) => (env[name] ?? "") !== "")

/** The variables of a file take the place of those of the process, which belongs to this command alone. */
const useVariables = (io: Io, variables: Record<string, string | undefined>): void => {
  for (const name of Object.keys(io.env)) if (isOurs(name)) delete io.env[name]
  for (const [name, value] of Object.entries(variables)) if (isOurs(name)) io.env[name] = value
}

/** What the options name; `undefined` where they name nothing. */
export const named = (io: Io, given: Given): Source | undefined => {
  const places = [given.file, given.env, given["env-file"]].filter((place) => place !== undefined && place !== false)
  if (places.length > 1) throw misused("give one of --file, --env and --env-file")
  if (given.file !== undefined) return ofFile(given.file)
  const variables = given["env-file"]
  if (variables !== undefined) {
    useVariables(io, parseEnv(readText(variables)))
    return { name: variables, config: () => fromConfig }
  }
  return given.env === true ? ofEnvironment : undefined
}

export const ofFile = (file: string): Source => ({
  name: file,
  config: () => fromYaml(readText(file).replace(/^\ufeff/, ""))
})

export const ofEnvironment: Source = { name: "the environment", config: () => fromConfig }

/** The configuration of a source, or every mistake in it on a line each. They never repeat a value (row F3). */
export const load = async (
  { config, name }: Source
): Promise<{ readonly config: FileConfig } | { readonly mistakes: ReadonlyArray<string> }> => {
  try {
    const loaded = Effect.match(config(), {
      onSuccess: (config) => ({ config }),
      onFailure: ({ mistakes }) => ({ mistakes: mistakes.map(({ message, path }) => `${name}: ${path}: ${message}`) })
    })
    // The environment as it is now: a file of variables may have changed it.
    return await Effect.runPromise(Effect.withConfigProvider(loaded, ConfigProvider.fromEnv()))
  } catch (error) {
    // A file that cannot be read must not hide the mistakes of another place.
    if (error instanceof Stop) return { mistakes: [error.message] }
    throw error
  }
}
