/**
 * Configuration from a YAML text and from `config/<environment>.yaml` (row F1).
 */
import * as Effect from "effect/Effect"
import type { SessionConfigError } from "../../SessionError.js"
import { fromEither } from "../edition/done.js"
import { decodeFile } from "./block.js"
import { configError } from "./mistakes.js"
import type { FileConfig } from "./model.js"

export const fromYaml = (text: string, file?: string): Effect.Effect<FileConfig, SessionConfigError> =>
  // The parser is loaded where it is needed, so that an app which is configured in code does not load it.
  Effect.promise(() => import("./yaml.js")).pipe(
    Effect.flatMap(({ parse }) => fromEither(parse(text))),
    Effect.mapError((problems) => configError(problems.map((message) => ({ path: file ?? "YAML", message })))),
    Effect.flatMap((root) =>
      Effect.mapError(fromEither(decodeFile(root)), (error) => file === undefined ? error : inFile(file, error))
    )
  )

const inFile = (file: string, { mistakes }: SessionConfigError): SessionConfigError =>
  configError(mistakes.map(({ message, path }) => ({ path, message: `${message} (in ${file})` })))

export const fromFile = (
  options?: { readonly directory?: string | undefined; readonly environment?: string | undefined }
): Effect.Effect<FileConfig, SessionConfigError> =>
  Effect.gen(function*() {
    const environment = options?.environment ?? globalThis.process?.env.NODE_ENV ?? "development"
    if (!/^[A-Za-z0-9_-]+$/.test(environment)) {
      return yield* configError([{
        path: options?.environment === undefined ? "NODE_ENV" : "environment",
        message: "must have letters, digits, _ and - only, because it names the file config/<environment>.yaml"
      }])
    }
    // Loaded here, so that the rest of the module runs where there is no file system.
    const { readFile } = yield* Effect.promise(() => import("node:fs/promises"))
    const { join, resolve } = yield* Effect.promise(() => import("node:path"))
    const file = join(options?.directory ?? "config", `${environment}.yaml`)
    const bytes = yield* Effect.tryPromise({
      try: (signal) => readFile(file, { signal }),
      catch: (error) =>
        configError([{ path: file, message: `cannot be read (${codeOf(error)}); looked for ${resolve(file)}` }])
    })
    const text = yield* Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () => configError([{ path: file, message: "is not UTF-8 text" }])
    })
    return yield* fromYaml(text, file)
  })

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown reason"
