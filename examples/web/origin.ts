/**
 * Where the app listens.
 */
import type { HttpServer } from "@effect/platform"

/** An address as a browser accepts it, with IPv6 in brackets. */
export const originOf = (address: HttpServer.Address): string => {
  if (address._tag === "UnixAddress") return `unix://${address.path}`
  const { hostname, port } = address
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`
}
