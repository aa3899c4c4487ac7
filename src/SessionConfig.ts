/**
 * The options of a session, with safe defaults.
 *
 * They are given to the layer of a store, resolved and checked there once, and travel as `SessionStore.config`: the
 * middleware and the store cannot disagree.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as configEnvironment from "./internal/config/environment.js"
import * as configBlock from "./internal/config/fileBlock.js"
import type { FileConfig, SessionConfig, SessionConfigOptions } from "./internal/config/model.js"
import { type Mistake, resolveOptions } from "./internal/config/resolveOptions.js"
import { SessionConfigError } from "./SessionError.js"

export type { FileConfig, SessionConfig, SessionConfigOptions } from "./internal/config/model.js"
export { warnings } from "./internal/config/warnings.js"

const failure = (mistakes: ReadonlyArray<Mistake>): SessionConfigError => {
  const [first, ...rest] = mistakes
  return new SessionConfigError({ mistakes: [first, ...rest] })
}

/**
 * Fills in the defaults and checks every option; a store's layer calls it once.
 *
 * - `kind`: of the store. `client` has an absolute expiry of 30 days by default, `server` has none.
 *
 * Left with every mistake at once, each with the option's name as its path and what is accepted as its message. Refused
 * are cookies that browsers would refuse: `__Host-` and `__Secure-` names and their `__Http-` kin without what they
 * promise, and SameSite=None or Partitioned without Secure (RFC 6265bis, 4.1.3 and 5.7); and what has no place in a
 * Set-Cookie header.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { Either } from "effect"
 *
 * const config = Either.getOrThrow(SessionConfig.resolve({ expiry: "1 hour" }, "server"))
 * console.log(config.name) // __Host-session
 * ```
 *
 * @since 0.1.0
 * @category resolving
 */
export const resolve = (
  options: SessionConfigOptions,
  kind: "client" | "server"
): Either.Either<SessionConfig, SessionConfigError> => {
  const { config, mistakes } = resolveOptions(options, kind)
  return mistakes.length === 0 ? Either.right(config) : Either.left(failure(mistakes))
}

/**
 * Decodes the block `request_context` of configuration that is data already, at its top level or under
 * `server.middlewares`.
 *
 * The block's names and forms are in docs/configuration.md; a time is a number of seconds, or a text with its unit
 * (`2 hours`). Keys beside the block are ignored.
 * Fails with every mistake at once, each with its path in the data; nothing of a key is in any of them.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 *
 * const program = SessionConfig.fromUnknown({
 *   request_context: {
 *     enable: true,
 *     session_config: { expiry: 3600, same_site: { type: "Strict" } },
 *     session_store: { type: "Memory" }
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromUnknown = (value: unknown): Effect.Effect<FileConfig, SessionConfigError> =>
  Effect.suspend(() => {
    try {
      return configBlock.decode(configBlock.locate(value))
    } catch {
      // A getter or a proxy that throws; what it throws may hold anything.
      return Effect.fail(failure([{ path: "", message: "the configuration cannot be read" }]))
    }
  })

/**
 * Decodes the block `request_context` of a YAML text (1.2, one document). `file` names the text in the mistakes.
 *
 * Fails as `fromUnknown` does; also for a text that is not YAML, is empty or no mapping, has a key twice, several
 * documents, or aliases that expand without end. Such a mistake has the file as its path and the line in its message.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromYaml = (text: string, file?: string): Effect.Effect<FileConfig, SessionConfigError> =>
  // The parser is loaded where it is needed: an app that is configured in code does not pay for it.
  Effect.promise(() => import("./internal/config/yaml.js")).pipe(
    Effect.flatMap(({ parse }) => parse(text)),
    Effect.mapError((problems) => failure(problems.map((message) => ({ path: file ?? "YAML", message })))),
    Effect.flatMap((blocks) =>
      file === undefined ? configBlock.decode(blocks) : Effect.mapError(configBlock.decode(blocks), inFile(file))
    )
  )

const inFile = (file: string) => ({ mistakes }: SessionConfigError): SessionConfigError =>
  failure(mistakes.map(({ message, path }) => ({ path, message: `${message} (in ${file})` })))

/**
 * Reads `<directory>/<environment>.yaml` and decodes it as `fromYaml` does.
 *
 * - `directory`: default `config`, from the working directory.
 * - `environment`: default the environment variable `NODE_ENV`, and `development` where there is none. Letters, digits,
 *   `_` and `-`: it names a file, never a path.
 *
 * The file is UTF-8, with or without a byte order mark.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { options, store } = yield* SessionConfig.fromFile()
 *   yield* Effect.log(`sessions in ${store.type}`, options)
 * })
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromFile = (
  options?: { readonly directory?: string | undefined; readonly environment?: string | undefined }
): Effect.Effect<FileConfig, SessionConfigError> =>
  Effect.gen(function*() {
    const environment = options?.environment ?? globalThis.process?.env.NODE_ENV ?? "development"
    if (!/^[A-Za-z0-9_-]+$/.test(environment)) {
      return yield* failure([{
        path: options?.environment === undefined ? "NODE_ENV" : "environment",
        message: "must have letters, digits, _ and - only: it names the file config/<environment>.yaml"
      }])
    }
    // Loaded here, so that the rest of the module runs where there is no file system.
    const { readFile } = yield* Effect.promise(() => import("node:fs/promises"))
    const { join, resolve } = yield* Effect.promise(() => import("node:path"))
    const file = join(options?.directory ?? "config", `${environment}.yaml`)
    const octets = yield* Effect.tryPromise({
      try: (signal) => readFile(file, { signal }),
      catch: (error) =>
        failure([{ path: file, message: `cannot be read (${codeOf(error)}); looked for ${resolve(file)}` }])
    })
    const text = yield* Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(octets),
      catch: () => failure([{ path: file, message: "is not UTF-8 text" }])
    })
    return yield* fromYaml(text, file)
  })

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown reason"

/**
 * The same declaration from Effect's `Config`: environment variables by default, or any `ConfigProvider`.
 *
 * Names are flat and start with `SESSION_`: `SESSION_STORE` (`Cookie`, `Memory` or `Tower`; needed),
 * `SESSION_PRIVATE_KEY` or `SESSION_SECRET`, `SESSION_NAME`, `SESSION_EXPIRY` (a number of seconds, or a duration with its
 * unit), …; all of them are in docs/configuration.md. An empty value counts as none. Fails with every mistake at once, each with the name as its
 * path; no value is in any of them.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { ConfigProvider, Effect } from "effect"
 *
 * const program = SessionConfig.fromConfig.pipe(
 *   Effect.withConfigProvider(ConfigProvider.fromMap(
 *     new Map([["SESSION_STORE", "Memory"], ["SESSION_EXPIRY", "3600"]])
 *   ))
 * )
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromConfig: Effect.Effect<FileConfig, SessionConfigError> = configEnvironment.fromConfig

/**
 * A duration from one variable, as {@link fromConfig} reads it: a number of seconds (`3600`), a duration with its unit
 * (`2 hours`), or `never`.
 *
 * For the `layerConfig` of Redis, Sql and KeyValueStore. `Config.duration` refuses a number without a unit.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { layerConfig } from "effect-session/SessionStore/Redis"
 *
 * const SessionsLive = layerConfig({ expiry: SessionConfig.duration("SESSION_EXPIRY") })
 * ```
 *
 * @since 0.2.0
 * @category decoding
 */
export const duration = (name: string): Config.Config<Duration.Duration> => configEnvironment.duration(name)
