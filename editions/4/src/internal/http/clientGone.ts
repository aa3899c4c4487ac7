/**
 * A client that goes away while its session is being saved. The platform's Node server sends a body by waiting for the end
 * of the write, which may never come on a connection that is closed already. A response without a body is sent without
 * waiting.
 */
import type * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

const noBody = HttpServerResponse.empty().body

/** The request's fiber cannot be interrupted here, and has been asked to stop all the same. Effect 4.1 has no public way to ask. */
const isGone = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  (fiber as unknown as { readonly _interruptedCause: unknown })._interruptedCause !== undefined

/** The response as it is, or without its body where nobody receives it. A stream notices by itself. */
export const withoutBodyIfGone = (
  fiber: Fiber.Fiber<unknown, unknown>,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse =>
  response.body._tag === "Stream" || !isGone(fiber) ? response : HttpServerResponse.setBody(response, noBody)
