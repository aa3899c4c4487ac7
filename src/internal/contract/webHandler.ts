/**
 * An app as a function from web requests to web responses.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Runtime from "effect/Runtime"

/** The handler of an app under the given clock. It logs nothing: what a store warns of is not what a row looks at. */
export const webHandler = <E, R>(
  app: HttpApp.Default<E, R>,
  context: Context.Context<R>,
  clock: Clock.Clock
): Effect.Effect<(request: Request) => Promise<Response>> =>
  Effect.runtime<never>().pipe(
    Effect.withClock(clock),
    Effect.provide(Logger.remove(Logger.defaultLogger)),
    Effect.map((runtime) => HttpApp.toWebHandlerRuntime(Runtime.make({ ...runtime, context }))(app))
  )
