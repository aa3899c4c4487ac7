/**
 * An app as a function from web requests to web responses.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"

/** The handler of an app under the given clock. It logs nothing: what a store warns of is not what a row looks at. */
export const webHandler = <E, R>(
  app: Effect.Effect<HttpServerResponse, E, R | HttpServerRequest | Scope.Scope>,
  context: Context.Context<R>,
  clock: Clock.Clock
): Effect.Effect<(request: Request) => Promise<Response>> =>
  Effect.context<never>().pipe(
    Effect.provideService(Clock.Clock, clock),
    Effect.provide(Logger.layer([])),
    Effect.map((services) =>
      HttpEffect.toWebHandlerWith(Context.merge(services, context))(app as Effect.Effect<HttpServerResponse, E>)
    )
  )
