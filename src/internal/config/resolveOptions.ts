/**
 * Options to a resolved configuration, or every mistake in them (rows F3, F4, F6). Every value is checked at run time:
 * the options may come from a file, from the environment, or from plain JavaScript.
 *
 * No mistake repeats a text that was given: an operator may have pasted the key into the wrong place.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { maxLifeMillis } from "../store/expiry.js"
import type { SessionConfig, SessionConfigOptions } from "./model.js"

export interface Mistake {
  readonly path: string
  readonly message: string
}

const day = 24 * 60 * 60 * 1000

/** E1: a stolen seal must not renew itself for ever. */
const clientAbsoluteMillis = 30 * day

/** Name and value share 4096 octets: what is left for the session is worth more than a long name. */
const maxNameOctets = 256

/** Browsers ignore an attribute whose value is longer (RFC 6265bis, 5.6). */
const maxAttributeOctets = 1024

/** The packed form writes lengths with at most seven digits, and an escaped key has up to six times its length. */
const maxSessionBytesLimit = 1024 * 1024

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** av-octet of RFC 6265bis: printable ASCII without the semicolon. */
const attributeValue = /^[\x20-\x3a\x3c-\x7e]*$/
const hostLabel = /^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$/
const ipv4Label = /^(?:0|[1-9]\d{0,2})$/

/**
 * What browsers ask of a name's prefix, which they match in any case (RFC 6265bis, 4.1.3; `__Http-` and `__Host-Http-`:
 * draft-ietf-httpbis-layered-cookies). The longest comes first.
 */
const prefixes = [
  { prefix: "__Host-Http-", http: true, host: true },
  { prefix: "__Host-", http: false, host: true },
  { prefix: "__Http-", http: true, host: false },
  { prefix: "__Secure-", http: false, host: false }
]

const commitsBelow500: SessionConfig["commitWhen"] = (status) => status < 500 && status !== 499

export const resolveOptions = (
  options: SessionConfigOptions,
  kind: "client" | "server"
): { readonly config: SessionConfig; readonly mistakes: ReadonlyArray<Mistake> } => {
  const mistakes: Array<Mistake> = []
  const mistake = (path: keyof SessionConfigOptions, message: string): void => {
    mistakes.push({ path, message })
  }

  const flag = (path: "enable" | "httpOnly" | "secure" | "partitioned", fallback: boolean): boolean => {
    const value: unknown = options[path]
    if (value === undefined || typeof value === "boolean") return value ?? fallback
    mistake(path, "must be true or false")
    return fallback
  }

  const text = (path: "name" | "path" | "domain", problem: (value: string) => string | undefined) => {
    const value: unknown = options[path]
    if (value === undefined) return undefined
    const found = typeof value === "string" ? problem(value) : "must be text"
    if (found !== undefined) mistake(path, found)
    return typeof value === "string" ? value : undefined
  }

  const duration = (
    path: "expiry" | "idle" | "absoluteExpiry" | "storeTimeout" | "cleanupInterval",
    least: number,
    most: number,
    accepted: string
  ): number | undefined => {
    const value: unknown = options[path]
    if (value === undefined) return undefined
    const millis = Option.match(Duration.decodeUnknown(value), { onNone: () => NaN, onSome: Duration.toMillis })
    // `Duration` reads NaN and negative numbers as zero, which every range here excludes.
    if (millis >= least && (millis <= most || (millis === Infinity && neverAllowed.has(path)))) {
      return Math.round(millis)
    }
    mistake(path, `must be a duration ${accepted}`)
    return undefined
  }

  const number = (
    path: "refreshAfter" | "maxDuplicates" | "maxSessionBytes",
    fallback: number,
    accepts: (value: number) => boolean,
    accepted: string
  ): number => {
    const value: unknown = options[path]
    if (value === undefined) return fallback
    if (typeof value === "number" && accepts(value)) return value
    mistake(path, `must be ${accepted}`)
    return fallback
  }

  const integer = (least: number, most: number) => (value: number) =>
    Number.isInteger(value) && value >= least && value <= most

  const enable = flag("enable", true)
  const httpOnly = flag("httpOnly", true)
  const secure = flag("secure", true)
  const partitioned = flag("partitioned", false)
  const path = text("path", pathProblem) ?? "/"
  const domain = text("domain", domainProblem)
  const givenName = text("name", nameProblem)

  let sameSite: SessionConfig["sameSite"] = "lax"
  switch (options.sameSite) {
    case undefined:
      break
    case "lax":
    case "strict":
    case "none":
      sameSite = options.sameSite
      break
    default:
      mistake("sameSite", "must be lax, strict or none")
  }

  if (!secure) {
    const needsSecure = "needs Secure: browsers refuse the cookie without"
    if (sameSite === "none") mistake("sameSite", `SameSite=None ${needsSecure}`)
    if (partitioned) mistake("partitioned", `Partitioned ${needsSecure}`)
  }

  if (givenName !== undefined) {
    const lower = givenName.toLowerCase()
    const rule = prefixes.find(({ prefix }) => lower.startsWith(prefix.toLowerCase()))
    if (rule !== undefined) {
      const needs = (what: string) =>
        mistake("name", `a name that starts with ${rule.prefix} needs ${what}: browsers refuse the cookie without`)
      if (!secure) needs("Secure")
      if (rule.http && !httpOnly) needs("HttpOnly")
      if (rule.host && path !== "/") needs("Path=/")
      if (rule.host && domain !== undefined) needs("no Domain")
    }
  }

  const expiry = duration("expiry", 1000, maxLifeMillis, "from 1 second to 400 days")
  const idle = duration("idle", 1000, maxLifeMillis, "from 1 second to 400 days")
  const absolute = duration(
    "absoluteExpiry",
    1000,
    Number.MAX_SAFE_INTEGER,
    "of at least 1 second, or infinite for no absolute expiry"
  ) ?? (kind === "client" ? clientAbsoluteMillis : Infinity)

  return {
    mistakes,
    config: {
      enable,
      name: givenName ?? defaultName(secure, path, domain),
      httpOnly,
      secure,
      sameSite,
      path,
      domain,
      partitioned,
      idleMillis: expiry ?? idle ?? 14 * day,
      persistent: expiry !== undefined,
      absoluteMillis: absolute === Infinity ? undefined : absolute,
      refreshAfter: number("refreshAfter", 0.1, (value) => value >= 0 && value <= 1, "a number from 0 to 1"),
      storeTimeoutMillis: duration("storeTimeout", 1, 60 * 60 * 1000, "from 1 millisecond to 1 hour") ?? 5000,
      commitWhen: options.commitWhen === undefined
        ? commitsBelow500
        : typeof options.commitWhen === "function"
        ? options.commitWhen
        : (mistake("commitWhen", "must be a function from the response's status to a boolean"), commitsBelow500),
      maxDuplicates: number("maxDuplicates", 4, integer(1, 64), "an integer from 1 to 64"),
      maxSessionBytes: number(
        "maxSessionBytes",
        256 * 1024,
        integer(1, maxSessionBytesLimit),
        `an integer from 1 to ${maxSessionBytesLimit}`
      ),
      cleanupIntervalMillis: duration(
        "cleanupInterval",
        100,
        7 * day,
        "from 100 milliseconds to 7 days, or infinite for no clean-up"
      ) ?? 60_000
    }
  }
}

const neverAllowed: ReadonlySet<string> = new Set(["absoluteExpiry", "cleanupInterval"])

const defaultName = (secure: boolean, path: string, domain: string | undefined): string => {
  if (!secure) return "session"
  return path === "/" && domain === undefined ? "__Host-session" : "__Secure-session"
}

const nameProblem = (name: string): string | undefined => {
  if (!token.test(name)) return "must be a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 6265, 4.1.1)"
  if (name.length > maxNameOctets) return `must have at most ${maxNameOctets} octets: name and value share 4096`
  // A record of cookies by name, which the platform keeps, loses this one.
  if (name === "__proto__") return "must not be __proto__"
  return undefined
}

const tooLong = `must have at most ${maxAttributeOctets} octets: browsers ignore the attribute beyond`

const pathProblem = (path: string): string | undefined => {
  if (!path.startsWith("/")) return "must start with /"
  if (!attributeValue.test(path)) return "must be ASCII without control characters and semicolons (RFC 6265, 4.1.1)"
  if (path.length > maxAttributeOctets) return tooLong
  if (path.endsWith(" ")) return "must not end with a space: browsers cut it off"
  return undefined
}

const domainProblem = (domain: string): string | undefined => {
  if (!attributeValue.test(domain)) {
    return "must be ASCII without control characters and semicolons (an international name in its xn-- form)"
  }
  if (domain.length > maxAttributeOctets) return tooLong
  const labels = domain.split(".")
  const plausible = domain.length <= 253 && labels.every((label) => hostLabel.test(label))
    // A host that ends in a number is read as an IPv4 address.
    && (!/^\d+$/.test(labels[labels.length - 1])
      || (labels.length === 4 && labels.every((label) => ipv4Label.test(label) && Number(label) <= 255)))
  return plausible ? undefined : "must be a host name such as example.com: no scheme, port, or dot at either end"
}
