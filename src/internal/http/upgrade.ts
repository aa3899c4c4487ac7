/**
 * Learns that the app takes the socket of a request over (a WebSocket). The headers of a handshake say only that it may: they
 * are the client's, and an ordinary handler can answer them like any other request (row C11).
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { upgradesAfter } from "./upgrades.js"

/** A handshake that the app may answer by taking the socket over; servers pass over every other offer (RFC 6455, 4.2.1). */
export const isHandshake = ({ headers, method }: HttpServerRequest): boolean =>
  method === "GET" && headers["upgrade"]?.toLowerCase() === "websocket"
  && headers["connection"] !== undefined && /(^|[\s,])upgrade([\s,]|$)/i.test(headers["connection"])

/**
 * Runs `before` ahead of the request's own `upgrade`. What it fails with answers the request in place of the socket. The
 * request object itself is changed, because nothing else is the same for every middleware, router and handler; a router
 * that is mounted makes a request of its own from it.
 */
export const onUpgrade = (request: HttpServerRequest, before: Effect.Effect<void, unknown>): void => {
  const { modify } = request
  Object.defineProperties(request, {
    ...upgradesAfter(request, Effect.orDie(before)),
    modify: {
      value: (options: Parameters<HttpServerRequest["modify"]>[0]): HttpServerRequest => {
        const modified = modify.call(request, options)
        onUpgrade(modified, before)
        return modified
      }
    }
  })
}
