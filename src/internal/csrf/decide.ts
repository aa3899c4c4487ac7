/**
 * Whether a request may have been caused by another site, decided with what its headers say (rows X1 to X4). No HTTP, no
 * session: what only a token can decide is left to `token.ts`.
 */
import type { Origins } from "./origins.js"

/**
 * What the decision rests on.
 *
 * - `handshake`: of a WebSocket. It is a GET, and the socket that it opens carries whatever the page sends.
 * - `site`: `Sec-Fetch-Site`. `origin`: `Origin`. `host`: `Host`. Each undefined where the request has no such header.
 */
export interface Facts {
  readonly method: string
  readonly handshake: boolean
  readonly site: string | undefined
  readonly origin: string | undefined
  readonly host: string | undefined
}

/** Why a request passes, or does not. `Unknown`: its headers say nothing of where it comes from, and a token has to. */
export type Decision =
  | { readonly _tag: "Allowed"; readonly because: "Safe" | "Site" | "SameHost" | "TrustedOrigin" | "NoBrowser" }
  | { readonly _tag: "Refused"; readonly reason: "CrossSite" | "SameSite" | "OtherOrigin" }
  | { readonly _tag: "Unknown" }

const allowed = (because: Extract<Decision, { _tag: "Allowed" }>["because"]): Decision => ({ _tag: "Allowed", because })

const refused = (reason: Extract<Decision, { _tag: "Refused" }>["reason"]): Decision => ({ _tag: "Refused", reason })

const safe = allowed("Safe")
const unknown: Decision = { _tag: "Unknown" }

/** The methods that ask for nothing to be changed (RFC 9110, 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

export const decide = (origins: Origins, { handshake, host, method, origin, site }: Facts): Decision => {
  if (safeMethods.has(method) && !handshake) return safe
  const isTrusted = origin !== undefined && origins.trusts(origin)
  switch (site) {
    case "same-origin":
    case "none": // the user's own doing: an address that was typed, a bookmark
      return allowed("Site")
    case "same-site":
      return isTrusted ? allowed("TrustedOrigin") : refused("SameSite")
    case "cross-site":
      return isTrusted ? allowed("TrustedOrigin") : refused("CrossSite")
  }
  // No such header, or a value that has yet to be invented: the specification asks servers to pass over it.
  if (isTrusted) return allowed("TrustedOrigin")
  if (origin !== undefined && origins.isOfHost(origin, host)) return allowed("SameHost")
  if (origin !== undefined && origin !== "null") return refused("OtherOrigin")
  // A page that sends no Referer has the origin `null` in its own forms too, so that it says nothing. A browser names the
  // origin of every WebSocket (RFC 6455, 4.1), and has no way to add a token to it.
  if (!handshake) return unknown
  return origin === undefined ? allowed("NoBrowser") : refused("OtherOrigin")
}
