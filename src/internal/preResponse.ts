/**
 * Appends a pre-response handler to the current request, as `HttpApp.appendPreResponseHandler` does; what is done already
 * costs no step of the fiber.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import { andThen } from "./done.js"

export const append = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  handler: (request: HttpServerRequest, response: HttpServerResponse) => Effect.Effect<HttpServerResponse>
): Effect.Effect<void> => {
  const outer = fiber.getFiberRef(HttpApp.currentPreResponseHandlers)
  return FiberRef.set(
    HttpApp.currentPreResponseHandlers,
    Option.some<HttpApp.PreResponseHandler>(
      outer._tag === "None"
        ? handler
        : (request, response) => andThen(outer.value(request, response), (response) => handler(request, response))
    )
  )
}
