import type { Context, Effect } from "effect"
import { HttpEffect, type HttpServerRequest, type HttpServerResponse } from "effect/http"

/** Calls an app as a web handler of its own, with the services of the handler that calls it. */
export const callWith = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest>,
  context: Context.Context<R>,
  request: Request
) => HttpEffect.toWebHandler(app as never)(request, context as never)
