/**
 * What browsers demand of a cookie (row F4). A browser drops a cookie that breaks one of these rules without a word, and
 * the session with it; so each is checked at start-up.
 */
import type { CookieScope, SessionConfig } from "../store/options.js"
import type { Mistake } from "./mistakes.js"

/** Name and value share 4096 bytes: what is left for the session is worth more than a long name. */
const maxNameBytes = 256

/** Browsers ignore an attribute whose value is longer (RFC 6265bis, 5.6). */
const maxAttributeBytes = 1024

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Printable ASCII without the semicolon ("av-octet" in RFC 6265bis). */
const attributeValue = /^[\x20-\x3a\x3c-\x7e]*$/
const hostLabel = /^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$/
const ipv4Label = /^(?:0|[1-9]\d{0,2})$/

export const nameProblem = (name: string): string | undefined => {
  if (!token.test(name)) return "must be a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 6265, section 4.1.1)"
  if (name.length > maxNameBytes) {
    return `must have at most ${maxNameBytes} bytes, because name and value share the 4096 bytes of a cookie`
  }
  // The platform keeps cookies in a record by name, which would lose this one.
  if (name === "__proto__") return "must not be __proto__"
  return undefined
}

const tooLong = `must have at most ${maxAttributeBytes} bytes, because browsers ignore a longer attribute`

export const pathProblem = (path: string): string | undefined => {
  if (!path.startsWith("/")) return "must start with /"
  if (!attributeValue.test(path)) {
    return "must be ASCII without control characters and semicolons (RFC 6265, section 4.1.1)"
  }
  if (path.length > maxAttributeBytes) return tooLong
  if (path.endsWith(" ")) return "must not end with a space, because browsers cut it off"
  return undefined
}

export const domainProblem = (domain: string): string | undefined => {
  if (!attributeValue.test(domain)) {
    return "must be ASCII without control characters and semicolons (an international name in its xn-- form)"
  }
  if (domain.length > maxAttributeBytes) return tooLong
  const labels = domain.split(".")
  const plausible = domain.length <= 253 && labels.every((label) => hostLabel.test(label))
    // A host that ends in a number is read as an IPv4 address.
    && (!/^\d+$/.test(labels[labels.length - 1])
      || (labels.length === 4 && labels.every((label) => ipv4Label.test(label) && Number(label) <= 255)))
  return plausible
    ? undefined
    : "must be a host name such as example.com, without a scheme, a port, or a dot at either end"
}

/**
 * What the prefix of a name promises. Browsers match it in any case of letters (RFC 6265bis, 4.1.3; `__Http-` and
 * `__Host-Http-`: draft-ietf-httpbis-layered-cookies). The longest prefix comes first.
 */
const prefixes = [
  { prefix: "__Host-Http-", http: true, host: true },
  { prefix: "__Host-", http: false, host: true },
  { prefix: "__Http-", http: true, host: false },
  { prefix: "__Secure-", http: false, host: false }
]

/** The rules that concern several attributes; a name that is undefined is the default one, which follows them. */
export const cookieMistakes = (
  cookie: Pick<SessionConfig, "secure" | "httpOnly" | "sameSite" | "partitioned" | "path" | "domain"> & {
    readonly name: string | undefined
  }
): ReadonlyArray<Mistake> => {
  const { domain, httpOnly, name, partitioned, path, sameSite, secure } = cookie
  const mistakes: Array<Mistake> = []
  const check = (holds: boolean, path: string, message: string): void => {
    if (!holds) mistakes.push({ path, message })
  }
  const needsSecure = "needs Secure, because browsers refuse the cookie without it"
  check(secure || sameSite !== "none", "sameSite", `SameSite=None ${needsSecure}`)
  check(secure || !partitioned, "partitioned", `Partitioned ${needsSecure}`)
  const lower = name?.toLowerCase()
  const rule = prefixes.find(({ prefix }) => lower?.startsWith(prefix.toLowerCase()))
  if (rule !== undefined) {
    const needs = (holds: boolean, what: string) =>
      check(
        holds,
        "name",
        `a name that starts with ${rule.prefix} needs a cookie ${what}, because browsers refuse any other`
      )
    needs(secure, "with Secure")
    needs(!rule.http || httpOnly, "with HttpOnly")
    needs(!rule.host || path === "/", "with Path=/")
    needs(!rule.host || domain === undefined, "without Domain")
  }
  return mistakes
}

/** The rules of former scopes: each could have had a cookie of this name, and is not the present one. */
export const formerMistakes = (
  name: string,
  present: CookieScope,
  formerly: ReadonlyArray<CookieScope>
): ReadonlyArray<Mistake> => {
  const mistakes: Array<Mistake> = []
  formerly.forEach(({ domain, path }, index) => {
    if (path === present.path && domain?.toLowerCase() === present.domain?.toLowerCase()) {
      mistakes.push({
        path: `formerly[${index}]`,
        message: "must differ from the cookie's present path and domain, because its cookie would be removed at once"
      })
    }
  })
  if (formerly.length > 0 && /^__Host-/i.test(name)) {
    mistakes.push({
      path: "formerly",
      message: "must be left out, because a cookie whose name starts with __Host- never had another path or domain"
    })
  }
  return mistakes
}

/** The name that promises what the attributes keep (row F6). */
export const defaultName = (secure: boolean, path: string, domain: string | undefined): string => {
  if (!secure) return "session"
  return path === "/" && domain === undefined ? "__Host-session" : "__Secure-session"
}
