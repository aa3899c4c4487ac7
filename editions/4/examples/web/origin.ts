/**
 * Where the app listens.
 */
import { HttpServer } from "effect/http"

/** An address as a browser accepts it, with IPv6 in brackets. */
export const originOf: typeof HttpServer.formatAddress = HttpServer.formatAddress
