/**
 * The options that a file or the environment may set, and how they are written there. Their names follow from the
 * option's: `httpOnly` is `http_only` in a file and `SESSION_HTTP_ONLY` in the environment.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromUnknown } from "../edition/duration.js"
import type { SessionConfigOptions } from "../store/options.js"
import { type AnySchema, expects, expectsOrDefault, readable } from "./mistakes.js"
import type { FileConfig } from "./model.js"
import { flag, text } from "./resolveOptions.js"

/**
 * A file and the environment cannot hold a function, which `commitWhen` and `isActivity` are. `formerly` belongs to a change of the code, and
 * is removed again with it.
 */
export type DeclaredOption = Exclude<keyof SessionConfigOptions, "commitWhen" | "formerly" | "isActivity">

/** `resolveOptions` says which numbers an option accepts. */
export const number = Schema.Unknown

const sameSites = new Map([["Lax", "lax"], ["Strict", "strict"], ["None", "none"]] as const)

export const sameSite = readable((value) => sameSites.get(value as "Lax"))
  .annotations(expects("Lax, Strict or None"))

const readSeconds = (value: unknown): Duration.Duration | undefined => {
  if (typeof value === "number") return value >= 0 && value < Infinity ? Duration.seconds(value) : undefined
  const withUnit = typeof value === "string" && /^\d/.test(value) ? fromUnknown(value) : Option.none()
  return Option.getOrUndefined(Option.filter(withUnit, Duration.isFinite))
}

const acceptedSeconds = "a number of seconds, or a duration with its unit (2 hours)"

const seconds = readable(readSeconds).annotations(expectsOrDefault(acceptedSeconds))

/** Infinity is spelled `never`: a number that overflowed must not switch a limit off. */
export const secondsOrNever = readable((value) => value === "never" ? Duration.infinity : readSeconds(value))
  .annotations(expectsOrDefault(`${acceptedSeconds}, or the word never`))

/** What stands under `session_config`; `enable` stands beside it. */
export const fields: Readonly<Record<Exclude<DeclaredOption, "enable">, AnySchema>> = {
  name: text,
  httpOnly: flag,
  secure: flag,
  sameSite,
  path: text,
  domain: text,
  partitioned: flag,
  expiry: seconds,
  idle: seconds,
  absoluteExpiry: secondsOrNever,
  refreshAfter: number,
  renewEvery: seconds,
  storeTimeout: seconds,
  renewGrace: seconds,
  maxDuplicates: number,
  maxSessionBytes: number,
  cleanupInterval: secondsOrNever
}

export const fileName = (option: string): string => option.replace(/[A-Z]/g, (upper) => `_${upper.toLowerCase()}`)

export const environmentName = (option: string): string => `SESSION_${fileName(option).toUpperCase()}`

const storeTypes: ReadonlyMap<unknown, FileConfig["store"]["type"]> = new Map([
  ["cookie", "Cookie"],
  ["memory", "Memory"],
  ["tower", "Tower"],
  ["server", "Tower"]
])

/** In any case of letters. */
export const storeTypeOf = (value: unknown): FileConfig["store"]["type"] | undefined =>
  storeTypes.get(typeof value === "string" ? value.trim().toLowerCase() : undefined)

export const storeType = readable(storeTypeOf)
  .annotations(expects("Cookie, Memory or Tower (Server is another word for Tower)"))
