import { HttpApp, HttpServerRequest } from "@effect/platform"
import { Context, Effect } from "effect"

/** Calls an app as a web handler of its own, with the services of the handler that calls it. */
export const callWith = <E, R>(app: HttpApp.Default<E, R>, context: Context.Context<R>, request: Request) =>
  HttpApp.toWebHandler(
    Effect.provide(
      app,
      Context.omit(HttpServerRequest.HttpServerRequest)(context as Context.Context<never>)
    ) as HttpApp.Default
  )(request)
