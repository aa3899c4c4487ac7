/**
 * What the tests of configuration share: keys, declared blocks, and what a refusal says.
 */
import * as KeyRing from "effect-session/KeyRing"
import * as PrivateCookie from "effect-session/PrivateCookie"
import * as SessionConfig from "effect-session/SessionConfig"
import type { SessionConfigError } from "effect-session/SessionError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"

export const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8")

export const placeholder = "<YOUR_PRIVATE_KEY_AT_LEAST_64_BYTES>"
export const cookieFile = fixture("cookie.yaml")
export const towerFile = fixture("tower.yaml")

/** A new key for every run. Without the letter in front, a key that starts with a slash would be a valid path. */
export const key = `k${randomBytes(64).toString("base64")}`
export const olderKey = `o${randomBytes(64).toString("base64")}`

export const day = 24 * 60 * 60 * 1000

export const pathsOf = (error: SessionConfigError) => error.mistakes.map(({ path }) => path)

export const resolved = (options: SessionConfig.SessionConfigOptions) =>
  Either.getOrThrowWith(SessionConfig.resolve(options), (error) => error)

/** Options as plain JavaScript or a file may hold them; their types are not checked. */
export const unchecked = (options: Record<string, unknown>) => options as SessionConfig.SessionConfigOptions

export const refused = (options: SessionConfig.SessionConfigOptions) =>
  Either.getOrThrow(Either.flip(SessionConfig.resolve(options)))

export const refusedPaths = (options: Record<string, unknown>) => pathsOf(refused(unchecked(options)))

/** A block with a store that works and with these session options. */
export const withConfig = (session_config: Record<string, unknown>) => ({
  request_context: { session_config, session_store: { type: "Memory" } }
})

export const withStore = (session_store: unknown) => ({ request_context: { enable: true, session_store } })

export const withCookie = (value: unknown) => withStore({ type: "Cookie", value })

export const refusal = (decoded: Effect.Effect<SessionConfig.FileConfig, SessionConfigError>) => Effect.flip(decoded)

/** Whether a value sealed by `by` is opened by the ring that was configured. */
export const opensWhat = (file: SessionConfig.FileConfig, by: KeyRing.KeyRing) =>
  Effect.map(
    PrivateCookie.seal(by, "name", "value"),
    (sealed) => file.store.type === "Cookie" && Option.isSome(PrivateCookie.open(file.store.keys, "name", sealed))
  )

export const sealsLike = (file: SessionConfig.FileConfig, by: KeyRing.KeyRing) =>
  file.store.type === "Cookie"
    ? Effect.map(
      PrivateCookie.seal(file.store.keys, "name", "value"),
      (sealed) => Option.isSome(PrivateCookie.open(by, "name", sealed))
    )
    : Effect.succeed(false)

export const ring = (text: string) => KeyRing.fromUtf8(text)

/** Everything that a process may print of a value. */
export const printed = (value: unknown) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const logger = Logger.make((options) => {
      for (const format of [Logger.stringLogger, Logger.jsonLogger, Logger.logfmtLogger]) {
        lines.push(format.log(options))
      }
    })
    yield* Effect.logError(value).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    return [
      ...lines,
      inspect(value, { depth: null, showHidden: true }),
      JSON.stringify(value),
      String(value),
      value instanceof Error ? `${value.message} ${value.stack}` : ""
    ].join("\n")
  })

export const inDirectory = <A, E>(
  files: Record<string, string | Uint8Array>,
  use: (directory: string) => Effect.Effect<A, E>
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "session-config-"))
      for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
      return directory
    }),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

export const withEnvironment = (environment: Record<string, string>) =>
  SessionConfig.fromConfig.pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
  )
