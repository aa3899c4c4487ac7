/**
 * The options of a session, with safe defaults.
 *
 * An app gives them to the layer of a store. The layer checks them once, and they travel as `SessionStore.config`, so
 * that the middleware and the store cannot disagree.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { decodeFile } from "./internal/config/block.js"
import * as environment from "./internal/config/environment.js"
import * as file from "./internal/config/file.js"
import { configError } from "./internal/config/mistakes.js"
import type { FileConfig } from "./internal/config/model.js"
import { resolveOptions } from "./internal/config/resolveOptions.js"
import { fromEither } from "./internal/edition/done.js"
import * as prefetch from "./internal/request/prefetch.js"
import type { ActivityRequest, SessionConfig, SessionConfigOptions } from "./internal/store/options.js"
import type { SessionConfigError } from "./SessionError.js"

export type { FileConfig } from "./internal/config/model.js"
export { warnings } from "./internal/config/warnings.js"
export type {
  ActivityRequest,
  CookieScope,
  CookieScopeOptions,
  SessionConfig,
  SessionConfigOptions
} from "./internal/store/options.js"

/**
 * Checks every option and fills in the defaults. The layer of a store does this once, when it is built.
 *
 * Returns `Left` with every mistake at once. Each mistake has the option's name as its path and says what is accepted.
 * Cookies that browsers would drop are mistakes: a name that starts with `__Host-`, `__Secure-`, `__Http-` or
 * `__Host-Http-` without what the prefix promises, and SameSite=None or Partitioned without Secure (RFC 6265bis, 4.1.3
 * and 5.7). So is a value that cannot be part of a Set-Cookie header.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { Either } from "effect"
 *
 * const config = Either.getOrThrow(SessionConfig.resolve({ expiry: "1 hour" }))
 * console.log(config.name) // __Host-session
 * ```
 *
 * @since 0.1.0
 * @category resolving
 */
export const resolve = (options: SessionConfigOptions): Either.Either<SessionConfig, SessionConfigError> => {
  const { config, mistakes } = resolveOptions(options)
  return mistakes.length === 0 ? Either.right(config) : Either.left(configError(mistakes))
}

/**
 * Decodes the block `request_context` from configuration that is data already. The block may stand at the top level or
 * under `server.middlewares`.
 *
 * The names and forms in the block are listed in docs/configuration.md. A time is a number of seconds, or a text with a
 * unit (`2 hours`). Keys beside the block are ignored.
 *
 * Fails with `SessionConfigError`, which lists every mistake with its path in the data and never repeats a value.
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
  Effect.suspend(() => fromEither(decodeFile(value)))

/**
 * Decodes the block `request_context` from a YAML text (version 1.2, one document). The messages of the mistakes name
 * `file`, when it is given.
 *
 * Fails as {@link fromUnknown} does. It also fails when the text is not YAML, is empty, is not a mapping, has a key twice,
 * has several documents, or has aliases that expand without end; such a mistake has the file as its path, and its message
 * names the line.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromYaml: (text: string, file?: string) => Effect.Effect<FileConfig, SessionConfigError> = file.fromYaml

/**
 * Reads `<directory>/<environment>.yaml` and decodes it as {@link fromYaml} does.
 *
 * - `directory`: `config` by default, relative to the working directory.
 * - `environment`: by default the environment variable `NODE_ENV`, or `development` when that is not set. It may have
 *   letters, digits, `_` and `-`, because it names a file and must never be a path.
 *
 * The file is UTF-8, with or without a byte order mark. A file that cannot be read is a `SessionConfigError` as well.
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
export const fromFile: (
  options?: { readonly directory?: string | undefined; readonly environment?: string | undefined }
) => Effect.Effect<FileConfig, SessionConfigError> = file.fromFile

/**
 * Reads the same configuration from Effect's `Config`: from environment variables by default, or from any
 * `ConfigProvider`.
 *
 * The names are flat and start with `SESSION_`: `SESSION_STORE` (`Cookie`, `Memory` or `Tower` in any case of letters;
 * it is required), `SESSION_PRIVATE_KEY` or `SESSION_SECRET`, `SESSION_NAME`, `SESSION_EXPIRY` (a number of seconds, or a
 * duration with its unit), and so on. docs/configuration.md lists all of them. An empty value counts as absent.
 *
 * Fails with `SessionConfigError`, which lists every mistake by its name and never repeats a value.
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
export const fromConfig: Effect.Effect<FileConfig, SessionConfigError> = environment.fromConfig

/**
 * Reads a duration from one variable, in the form that {@link fromConfig} reads: a number of seconds (`3600`), a duration
 * with its unit (`2 hours`), or `never`.
 *
 * It is for the `layerConfig` of Redis, Sql and KeyValueStore, because `Config.duration` refuses a number without a unit.
 * It fails with a `ConfigError` that does not repeat the value.
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
export const duration: (name: string) => Config.Config<Duration.Duration> = environment.duration

/**
 * Whether a browser asks for a page before anybody wants to see it, for the option `isActivity`: the request has
 * `Sec-Purpose: prefetch` (Fetch standard), or `Purpose: prefetch`, `X-Moz: prefetch` or `X-Purpose: preview`, which browsers
 * sent before it.
 *
 * @example
 * ```ts
 * import { SessionConfig, SessionStore } from "effect-session"
 *
 * const SessionsLive = SessionStore.layerMemory({
 *   idle: "30 minutes",
 *   isActivity: (request) => !SessionConfig.isPrefetch(request) && !request.url.startsWith("/notifications")
 * })
 * ```
 *
 * @since 1.0.0
 * @category predicates
 */
export const isPrefetch: (request: Pick<ActivityRequest, "headers">) => boolean = prefetch.isPrefetch
