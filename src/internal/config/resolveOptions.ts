/**
 * Options to a resolved configuration, or every mistake in them (rows F3, F4, F6). Every value is checked at run time,
 * because the options may come from a file, from the environment, or from plain JavaScript.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromUnknown } from "../edition/duration.js"
import { maxLifeMillis } from "../store/expiry.js"
import type { SessionConfig, SessionConfigOptions } from "../store/options.js"
import { cookieMistakes, defaultName, domainProblem, formerMistakes, nameProblem, pathProblem } from "./cookieRules.js"
import {
  decode,
  exact,
  expects,
  expectsOrDefault,
  mapping,
  type Mistake,
  partial,
  readable,
  without
} from "./mistakes.js"

const day = 24 * 60 * 60 * 1000

/** E1: a stolen session that is in use must end at some time (ASVS 7.3.2). */
const defaultAbsoluteMillis = 30 * day

/** The packed form writes lengths with at most seven digits, and an escaped key has up to six times its length. */
const maxSessionBytesLimit = 1024 * 1024

// ── what each option accepts ──

export const flag = Schema.Boolean.annotations(expectsOrDefault("true or false"))

export const text = Schema.String.annotations(expectsOrDefault("text"))

const number = (accepts: (value: number) => boolean, accepted: string) =>
  readable((value) => typeof value === "number" && accepts(value) ? value : undefined)
    .annotations(expectsOrDefault(accepted))

export const integer = (least: number, most: number, accepted = `an integer from ${least} to ${most}`) =>
  number((value) => Number.isInteger(value) && value >= least && value <= most, accepted)

/** `Duration` reads NaN and negative values as zero, which would switch off what they were meant to bound. */
const isNegative = (value: unknown): boolean => {
  const first: unknown = Array.isArray(value) ? value[0] : value // seconds and nanoseconds
  return ["number", "bigint", "string"].includes(typeof first) && /^(?:-|NaN)/.test(String(first))
}

/** In milliseconds. */
const duration = (accepts: (millis: number) => boolean, accepted: string) =>
  readable((value) => {
    const millis = Option.match(fromUnknown(value), { onNone: () => NaN, onSome: Duration.toMillis })
    return accepts(millis) && !isNegative(value) ? Math.round(millis) : undefined
  }).annotations(expectsOrDefault(`a duration ${accepted}`))

const between = (least: number, most: number) => (millis: number) => millis >= least && millis <= most

const lifetime = duration(between(1000, maxLifeMillis), "from 1 second to 400 days")

const path = text.pipe(without(pathProblem))
const domain = text.pipe(without(domainProblem))

/** A misspelt key here would remove a cookie of another scope, so that it is a mistake. */
const Scope = mapping(exact(partial({ path, domain })))

/** Each is one more Set-Cookie in the head of a response. */
const maxFormerScopes = 8

const formerly = Schema.Array(Scope)
  .annotations(expectsOrDefault("a list of scopes, each with a path, a domain or both"))
  .pipe(
    without((scopes) => scopes.length > maxFormerScopes ? `must have at most ${maxFormerScopes} entries` : undefined)
  )

const Options = mapping(partial({
  enable: flag,
  name: text.pipe(without(nameProblem)),
  httpOnly: flag,
  secure: flag,
  sameSite: Schema.Literal("lax", "strict", "none").annotations(expectsOrDefault("lax, strict or none")),
  path,
  domain,
  partitioned: flag,
  formerly,
  expiry: lifetime,
  idle: lifetime,
  absoluteExpiry: duration(
    (millis) => between(1000, Number.MAX_SAFE_INTEGER)(millis) || millis === Infinity,
    "of at least 1 second, or infinite for no absolute expiry"
  ),
  refreshAfter: number((value) => value >= 0 && value <= 1, "a number from 0 to 1"),
  renewEvery: duration(between(60_000, maxLifeMillis), "from 1 minute to 400 days"),
  isActivity: readable((value) => typeof value === "function" ? value as SessionConfig["isActivity"] : undefined)
    .annotations(expects("a function from the request to a boolean")),
  storeTimeout: duration(between(1, 60 * 60 * 1000), "from 1 millisecond to 1 hour"),
  commitWhen: readable((value) => typeof value === "function" ? value as SessionConfig["commitWhen"] : undefined)
    .annotations(expects("a function from the response's status to a boolean")),
  renewGrace: duration(between(0, 60 * 60 * 1000), "from 0 to 1 hour"),
  maxDuplicates: integer(1, 64),
  maxSessionBytes: integer(1, maxSessionBytesLimit),
  cleanupInterval: duration(
    (millis) => between(100, 7 * day)(millis) || millis === Infinity,
    "from 100 milliseconds to 7 days, or infinite for no clean-up"
  )
}))

const commitsBelow500: SessionConfig["commitWhen"] = (status) => status < 500 && status !== 499

/** Where there are mistakes, the configuration has defaults in their place, so that other checks can go on. */
export const resolveOptions = (
  options: SessionConfigOptions
): { readonly config: SessionConfig; readonly mistakes: ReadonlyArray<Mistake> } => {
  const mistakes: Array<Mistake> = []
  // A layer's options hold more than these, such as `keys`.
  const given = decode(Options, options, "", mistakes, "ignore") ?? {}
  const { domain, httpOnly = true, partitioned = false, path = "/", sameSite = "lax", secure = true } = given
  const cookie = { httpOnly, secure, sameSite, path, domain, partitioned }
  const name = given.name ?? defaultName(secure, path, domain)
  const formerly = (given.formerly ?? []).map(({ domain, path = "/" }) => ({ path, domain }))
  const { absoluteExpiry = defaultAbsoluteMillis, expiry, idle } = given
  return {
    mistakes: [
      ...mistakes,
      ...cookieMistakes({ ...cookie, name: given.name }),
      ...formerMistakes(name, cookie, formerly)
    ],
    config: {
      ...cookie,
      enable: given.enable ?? true,
      name,
      formerly,
      idleMillis: expiry ?? idle ?? 14 * day,
      persistent: expiry !== undefined,
      absoluteMillis: absoluteExpiry === Infinity ? undefined : absoluteExpiry,
      refreshAfter: given.refreshAfter ?? 0.1,
      renewEveryMillis: given.renewEvery,
      isActivity: given.isActivity,
      storeTimeoutMillis: given.storeTimeout ?? 5000,
      commitWhen: given.commitWhen ?? commitsBelow500,
      renewGraceMillis: given.renewGrace ?? 60_000,
      maxDuplicates: given.maxDuplicates ?? 4,
      maxSessionBytes: given.maxSessionBytes ?? 256 * 1024,
      cleanupIntervalMillis: given.cleanupInterval ?? 60_000
    }
  }
}
