/**
 * Origins as browsers send them (RFC 6454, 6.2): `scheme://host`, and the port where it is not the scheme's own.
 */
import { SessionConfigError } from "../../SessionError.js"

/** Which origins count as the app's own. */
export interface Origins {
  /** The origin is in the list that the app gave. */
  readonly trusts: (origin: string) => boolean
  /** The origin has the host, and the port, that the request was sent to. Of the scheme a request says nothing. */
  readonly isOfHost: (origin: string, host: string | undefined) => boolean
}

const defaultPorts: Readonly<Record<string, string>> = { http: ":80", https: ":443" }

/** Browsers leave the scheme's own port out of an origin; other clients may write it in the Host. */
export const isOfHost = (origin: string, host: string | undefined): boolean => {
  if (host === undefined || host === "") return false
  const end = origin.indexOf("://")
  const scheme = origin.slice(0, end)
  if (end < 1 || !Object.hasOwn(defaultPorts, scheme)) return false
  const { [scheme]: port } = defaultPorts
  const sent = host.toLowerCase()
  return origin.slice(end + "://".length) === (sent.endsWith(port) ? sent.slice(0, -port.length) : sent)
}

/** An origin as browsers write it, or undefined when the text is not an origin. */
export const parse = (text: string): string | undefined => {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^\s/?#@*]+)\/?$/.exec(text) ?? []
  if (rest === undefined) return undefined
  if (!/^https?$/i.test(scheme)) return `${scheme}://${rest}`.toLowerCase() // an app of its own: capacitor://localhost
  try {
    return new URL(text).origin
  } catch {
    return undefined
  }
}

/** Throws the error of a wrong configuration, with every mistake. */
export const make = (trusted: ReadonlyArray<string>): Origins => {
  const origins = new Set<string>()
  const mistakes: Array<SessionConfigError["mistakes"][number]> = []
  for (const [index, text] of trusted.entries()) {
    const origin = parse(text)
    if (origin !== undefined) origins.add(origin)
    else {
      mistakes.push({
        path: `trustedOrigins[${index}]`,
        message: `expected an origin such as "https://shop.example", without a path and without a wildcard, but got ${
          JSON.stringify(text)
        }`
      })
    }
  }
  const [first, ...others] = mistakes
  if (first !== undefined) throw new SessionConfigError({ mistakes: [first, ...others] })
  return { trusts: (origin) => origins.has(origin), isOfHost }
}
