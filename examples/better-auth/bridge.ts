/**
 * From better-auth's hooks, which are plain functions, to the request's fiber and its session.
 */
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Runtime } from "effect"
import type { RequestContext, Sessions } from "effect-session"
import { AsyncLocalStorage } from "node:async_hooks"

type Needed = RequestContext.RequestContext | Sessions.Sessions

const current = new AsyncLocalStorage<Runtime.Runtime<Needed>>()

/** Answers the request with a web handler, in whose hooks {@link withRequest} works. */
export const serve = (handler: (request: Request) => Promise<Response>) =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<Needed>()
    const request = yield* Effect.flatMap(HttpServerRequest.HttpServerRequest, HttpServerRequest.toWeb)
    const response = yield* Effect.promise(() => current.run(runtime, () => handler(request)))
    return HttpServerResponse.fromWeb(response)
  })

/** Runs an effect with the session of the request in which a hook was called. It rejects where the effect fails. */
export const withRequest = <E>(effect: Effect.Effect<void, E, Needed>): Promise<void> => {
  const runtime = current.getStore()
  if (runtime === undefined) throw new Error("this hook was called outside of a request")
  return Runtime.runPromise(runtime)(effect)
}
