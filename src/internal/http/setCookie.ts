/**
 * The Set-Cookie of a session (rows M3, M9, M10, M12), and what goes with it in the response's head.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as Duration from "effect/Duration"
import type { SessionConfig } from "../store/options.js"
import { keyOf } from "./webResponse.js"

export interface SessionCookies {
  /** The cookie with a token; without Max-Age where it is undefined. */
  readonly set: (token: string, maxAge: number | undefined) => Cookies.Cookie
  /** The cookie that makes the browser forget: same attributes, or it would be another cookie. */
  readonly removal: Cookies.Cookie
  /** The removals of the cookies of former scopes, by the keys that they have in a response's record. */
  readonly former: Readonly<Record<string, Cookies.Cookie>>
}

const made = new WeakMap<SessionConfig, SessionCookies>()

/** Once for each configuration: its attributes never change. */
export const of = (config: SessionConfig): SessionCookies => {
  let cookies = made.get(config)
  if (cookies === undefined) made.set(config, cookies = make(config))
  return cookies
}

const make = (config: SessionConfig): SessionCookies => {
  const attributes: NonNullable<Cookies.Cookie["options"]> = {
    httpOnly: config.httpOnly,
    secure: config.secure,
    sameSite: config.sameSite,
    path: config.path,
    ...(config.domain === undefined ? {} : { domain: config.domain }),
    ...(config.partitioned ? { partitioned: true } : {})
  }
  const removed = { maxAge: Duration.zero, expires: new Date(0) }
  const template = Cookies.unsafeMakeCookie(config.name, "", attributes)
  const prototype = Object.getPrototypeOf(template) as object
  // The platform's constructor would percent-encode the value, and the length of a sealed one would depend on its text.
  const make = (value: string, options: Cookies.Cookie["options"]): Cookies.Cookie =>
    Object.assign(Object.create(prototype), { name: config.name, value, valueEncoded: value, options })
  return {
    set: (token, maxAge) =>
      make(token, maxAge === undefined ? attributes : { ...attributes, maxAge: Duration.seconds(maxAge) }),
    removal: make("", { ...attributes, ...removed }),
    former: Object.fromEntries(config.formerly.map(({ domain, path }) => {
      const { domain: _, ...others } = attributes
      const removal = make("", { ...others, path, ...(domain === undefined ? {} : { domain }), ...removed })
      return [keyOf(removal), removal]
    }))
  }
}

/** `Cookie` merged into a Vary header. */
export const varyOnCookie = (vary: string | undefined): string => {
  if (vary === undefined || vary.trim() === "") return "Cookie"
  const fields = vary.split(",").map((field) => field.trim().toLowerCase())
  return fields.includes("*") || fields.includes("cookie") ? vary : `${vary}, Cookie`
}

/** A response with the cookie must not be stored; a value that already says so stays. */
export const noStore = (cacheControl: string | undefined): string =>
  cacheControl !== undefined
    && cacheControl.split(",").some((directive) => directive.trim().toLowerCase() === "no-store")
    ? cacheControl
    : "no-store"

/**
 * Headers that outrank Cache-Control on the caches between us and the browser (RFC 9213, and what CDNs and nginx had before
 * it). Without them such a cache does as Cache-Control says.
 */
const cdnHeaders = [
  "cdn-cache-control",
  "surrogate-control",
  "cloudflare-cdn-cache-control",
  "vercel-cdn-cache-control",
  "netlify-cdn-cache-control",
  "edge-control",
  "x-accel-expires"
]

/** The headers without those by which a shared cache would store the response after all. */
export const withoutCdnCaching = (headers: Headers.Headers): Headers.Headers =>
  cdnHeaders.some((name) => name in headers) ? Headers.remove(headers, cdnHeaders) : headers
