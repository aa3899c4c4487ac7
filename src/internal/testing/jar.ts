/**
 * What a browser does with cookies (RFC 6265bis, 5.6 to 5.8), with plain values: the time and the URL are given. Without a
 * list of public suffixes: a domain of one label counts as one.
 */
import * as CookieDate from "./cookieDate.js"

export interface StoredCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: "strict" | "lax" | "none" | undefined
  readonly partitioned: boolean
  readonly expiresAt: number | undefined
}

interface Held extends StoredCookie {
  /** orders cookies of equally long paths: the older first */
  readonly createdIndex: number
}

interface Attributes {
  expires: number | undefined
  maxAge: number | undefined
  domain: string
  path: string | undefined
  secure: boolean
  httpOnly: boolean
  sameSite: StoredCookie["sameSite"]
  partitioned: boolean
}

const maxLifeMillis = 400 * 24 * 60 * 60 * 1000
const maxPairBytes = 4096
const maxAttributeBytes = 1024

const bytes = (text: string): number => Buffer.byteLength(text)

/** Only spaces and tabs count as white space here. */
const trim = (text: string): string => text.replace(/^[\t ]+|[\t ]+$/g, "")

const hasControl = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true
  }
  return false
}

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

const isAddress = (host: string): boolean => host.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)

const domainMatches = (host: string, domain: string): boolean =>
  host === domain || (host.endsWith(`.${domain}`) && !isAddress(host))

const pathMatches = (path: string, cookiePath: string): boolean =>
  path === cookiePath
  || (path.startsWith(cookiePath) && (cookiePath.endsWith("/") || path.charAt(cookiePath.length) === "/"))

const defaultPath = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/"

const isLoopback = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)

const startsWith = (text: string, prefix: string): boolean =>
  text.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase()

/** Whether a name keeps what its prefix promises (RFC 6265bis, 4.1.3); browsers compare it without regard to case. */
const keepsPrefix = (name: string, cookie: StoredCookie, pathGiven: boolean): boolean => {
  const isHost = startsWith(name, "__Host-")
  if (isHost && !(cookie.secure && cookie.hostOnly && cookie.path === "/" && pathGiven)) return false
  if ((startsWith(name, "__Http-") || startsWith(name, "__Host-Http-")) && !(cookie.secure && cookie.httpOnly)) {
    return false
  }
  return cookie.secure || !startsWith(name, "__Secure-")
}

const anyPrefix = /^__(?:Secure|Host|Http|Host-Http)-/i

const parseAttributes = (text: string, now: number): Attributes => {
  const attributes: Attributes = {
    expires: undefined,
    maxAge: undefined,
    domain: "",
    path: undefined,
    secure: false,
    httpOnly: false,
    sameSite: undefined,
    partitioned: false
  }
  for (const part of text === "" ? [] : text.split(";")) {
    const equals = part.indexOf("=")
    const name = trim(equals === -1 ? part : part.slice(0, equals)).toLowerCase()
    const value = equals === -1 ? "" : trim(part.slice(equals + 1))
    if (bytes(value) > maxAttributeBytes) continue
    switch (name) {
      case "expires": {
        const date = CookieDate.parse(value)
        if (date !== undefined) attributes.expires = Math.min(date, now + maxLifeMillis)
        break
      }
      case "max-age":
        if (/^-?\d+$/.test(value)) {
          const millis = Number(value) * 1000
          attributes.maxAge = millis <= 0 ? -Infinity : now + Math.min(millis, maxLifeMillis)
        }
        break
      case "domain":
        attributes.domain = (value.startsWith(".") ? value.slice(1) : value).toLowerCase()
        break
      case "path":
        attributes.path = value.startsWith("/") ? value : undefined
        break
      case "secure":
        attributes.secure = true
        break
      case "httponly":
        attributes.httpOnly = true
        break
      case "samesite": {
        const policy = value.toLowerCase()
        attributes.sameSite = policy === "none" || policy === "strict" || policy === "lax" ? policy : undefined
        break
      }
      case "partitioned":
        attributes.partitioned = true
    }
  }
  return attributes
}

export class CookieJar {
  private held: ReadonlyArray<Held> = []
  private created = 0

  constructor(private readonly trustLoopback: boolean) {}

  /** Takes in one Set-Cookie header of a response of the URL, or leaves it, as a browser would. */
  set(url: URL, header: string, now: number): void {
    if (hasControl(header)) return
    const semicolon = header.indexOf(";")
    const pair = semicolon === -1 ? header : header.slice(0, semicolon)
    const equals = pair.indexOf("=")
    const name = equals === -1 ? "" : trim(pair.slice(0, equals))
    const value = trim(pair.slice(equals + 1))
    if (name === "" && (value === "" || anyPrefix.test(value))) return
    if (bytes(name) + bytes(value) > maxPairBytes) return

    const attributes = parseAttributes(semicolon === -1 ? "" : header.slice(semicolon + 1), now)
    const host = url.hostname
    const isSecure = this.isSecure(url)
    let { domain } = attributes
    if (!isAscii(domain)) return
    if (!domain.includes(".") && domain !== "") {
      // a public suffix is the domain of its own host alone
      if (domain !== host) return
      domain = ""
    }
    if (domain !== "" && !domainMatches(host, domain)) return
    if (attributes.secure && !isSecure) return
    if (attributes.sameSite === "none" && !attributes.secure) return

    const cookie: StoredCookie = {
      name,
      value,
      domain: domain === "" ? host : domain,
      hostOnly: domain === "",
      path: attributes.path ?? defaultPath(url.pathname),
      secure: attributes.secure,
      httpOnly: attributes.httpOnly,
      sameSite: attributes.sameSite,
      partitioned: attributes.partitioned,
      expiresAt: attributes.maxAge ?? attributes.expires
    }
    if (!keepsPrefix(name, cookie, attributes.path !== undefined)) return
    if (!cookie.secure && !isSecure && this.hidesSecure(cookie)) return

    const old = this.held.find((other) =>
      other.name === name && other.domain === cookie.domain && other.hostOnly === cookie.hostOnly
      && other.path === cookie.path
    )
    const others = this.live(now).filter((other) => other !== old)
    this.held = cookie.expiresAt !== undefined && cookie.expiresAt <= now
      ? others
      : [...others, { ...cookie, createdIndex: old?.createdIndex ?? this.created++ }]
  }

  /** The Cookie header of a request to the URL; undefined when there is nothing to send. */
  header(url: URL, now: number): string | undefined {
    const isSecure = this.isSecure(url)
    const sent = this.live(now)
      .filter((cookie) =>
        (cookie.hostOnly ? url.hostname === cookie.domain : domainMatches(url.hostname, cookie.domain))
        && pathMatches(url.pathname, cookie.path)
        && (isSecure || !cookie.secure)
      )
      .sort((a, b) => b.path.length - a.path.length || a.createdIndex - b.createdIndex)
    return sent.length === 0
      ? undefined
      : sent.map(({ name, value }) => name === "" ? value : `${name}=${value}`).join("; ")
  }

  live(now: number): ReadonlyArray<Held> {
    return this.held = this.held.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
  }

  clear(): void {
    this.held = []
  }

  /** Ends the browser's session: what has no expiry of its own goes. */
  close(): void {
    this.held = this.held.filter(({ expiresAt }) => expiresAt !== undefined)
  }

  private isSecure(url: URL): boolean {
    return url.protocol === "https:" || url.protocol === "wss:" || (this.trustLoopback && isLoopback(url.hostname))
  }

  /** A cookie from an insecure origin must not hide or replace a Secure one. */
  private hidesSecure(cookie: StoredCookie): boolean {
    return this.held.some((other) =>
      other.secure && other.name === cookie.name
      && (domainMatches(other.domain, cookie.domain) || domainMatches(cookie.domain, other.domain))
      && pathMatches(cookie.path, other.path)
    )
  }
}
