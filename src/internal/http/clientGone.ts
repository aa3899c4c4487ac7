/**
 * A client that goes away while its session is being saved. The platform's Node server sends a body by waiting for the end
 * of the write, which never comes on a connection that is closed already: the fiber of such a request would never end, nor
 * would anything that it holds. A response without a body is sent without waiting.
 */
import { clientAbortFiberId } from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"

const noBody = HttpServerResponse.empty().body

/** The request's fiber cannot be interrupted here, and has been asked to stop all the same. */
const isGone = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  HashSet.has(Cause.interruptors(fiber.getFiberRef(FiberRef.interruptedCause)), clientAbortFiberId)

/** The response as it is, or without its body where nobody receives it. A stream notices by itself. */
export const withoutBodyIfGone = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse =>
  response.body._tag === "Stream" || !isGone(fiber) ? response : HttpServerResponse.setBody(response, noBody)
