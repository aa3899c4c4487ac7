/**
 * The options that a file or the environment may set, with the form they have there. Their names follow from the
 * option's: `httpOnly` is `http_only` in a file and `SESSION_HTTP_ONLY` in the environment.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { SessionConfigOptions } from "./model.js"

/** `seconds`: a number of seconds, or a duration with its unit; `secondsOrNever`: the same, or the word `never`. */
export type Kind = "text" | "flag" | "number" | "sameSite" | "seconds" | "secondsOrNever"

/** `commitWhen` is a function, which neither can hold. */
export type DeclaredOption = Exclude<keyof SessionConfigOptions, "commitWhen">

/** What stands under `session_config`; `enable` stands beside it. */
export const fields: Readonly<Record<Exclude<DeclaredOption, "enable">, Kind>> = {
  name: "text",
  httpOnly: "flag",
  secure: "flag",
  sameSite: "sameSite",
  path: "text",
  domain: "text",
  partitioned: "flag",
  expiry: "seconds",
  idle: "seconds",
  absoluteExpiry: "secondsOrNever",
  refreshAfter: "number",
  storeTimeout: "seconds",
  maxDuplicates: "number",
  maxSessionBytes: "number",
  cleanupInterval: "secondsOrNever"
}

/** `Object.entries` forgets that the keys are the record's. */
export const fieldEntries = Object.entries(fields) as ReadonlyArray<readonly [keyof typeof fields, Kind]>

export const fileName = (option: string): string => option.replace(/[A-Z]/g, (upper) => `_${upper.toLowerCase()}`)

export const environmentName = (option: string): string => `SESSION_${fileName(option).toUpperCase()}`

/** A value that may be used, or what was expected instead. */
export type Read<A> = { readonly value: A } | { readonly expected: string }

const sameSites: ReadonlyMap<unknown, string> = new Map([["Lax", "lax"], ["Strict", "strict"], ["None", "none"]])

/** The option's value from the JSON-like value of a file; ranges are `resolveOptions`' to judge. */
export const readField = (kind: Kind, value: unknown): Read<unknown> => {
  switch (kind) {
    case "text":
      return typeof value === "string" ? { value } : { expected: "must be text" }
    case "flag":
      return typeof value === "boolean" ? { value } : { expected: "must be true or false" }
    case "number":
      return typeof value === "number" ? { value } : { expected: "must be a number" }
    case "sameSite": {
      const sameSite = sameSites.get(value)
      return sameSite === undefined ? { expected: "must be Lax, Strict or None" } : { value: sameSite }
    }
    case "seconds":
      return readDuration(value)
    case "secondsOrNever":
      return readDurationOrNever(value)
  }
}

const readDuration = (value: unknown): Read<Duration.Duration> => {
  if (typeof value === "number" && Number.isFinite(value)) return { value: Duration.seconds(value) }
  const withUnit = typeof value === "string" && /^\d/.test(value) ? Duration.decodeUnknown(value) : Option.none()
  return Option.isSome(withUnit) && Duration.isFinite(withUnit.value)
    ? { value: withUnit.value }
    : { expected: "must be a number of seconds, or a duration with its unit (2 hours)" }
}

/** Infinity is spelled `never`: a number that overflowed must not switch a limit off. */
export const readDurationOrNever = (value: unknown): Read<Duration.Duration> => {
  const read: Read<Duration.Duration> = value === "never" ? { value: Duration.infinity } : readDuration(value)
  return "value" in read ? read : { expected: `${read.expected}, or the word never` }
}

/** A number as it stands in a variable; undefined for any other text. */
export const readNumber = (text: string): number | undefined =>
  /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : undefined
