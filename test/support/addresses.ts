import type { HttpServer } from "@effect/platform"

/** Where a server may listen. */
export const tcpAddress = (hostname: string, port: number): HttpServer.Address => ({
  _tag: "TcpAddress",
  hostname,
  port
})
export const unixAddress = (path: string): HttpServer.Address => ({ _tag: "UnixAddress", path })
