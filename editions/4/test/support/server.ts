import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Exit, Layer, Logger, References, Scope } from "effect"
import { RequestContext, RequestId, type SessionStore } from "effect-session"
import type { SessionList, Sessions } from "effect-session/Sessions"
import { HttpEffect, HttpServer, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import * as Http from "node:http"

export interface Log {
  readonly level: string
  readonly text: string
}

type App<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest>

/** An app behind both middlewares, as a web handler; its logs are kept. */
export const serve = <
  E,
  R extends
    | RequestContext.RequestContext
    | RequestId.RequestId
    | SessionStore.SessionStore
    | Sessions
    | SessionList
    | Scope.Scope
>(
  app: App<E, R>,
  store: Layer.Layer<SessionStore.SessionStore | Extract<R, Sessions | SessionList>, unknown>
) => {
  const logs: Array<Log> = []
  const logger = Logger.layer([
    Logger.make(({ cause, fiber, logLevel, message }) => {
      const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
      logs.push({ level: logLevel.toUpperCase(), text: JSON.stringify([message, annotations, cause]) })
    })
  ])
  const wrapped = app.pipe(RequestContext.middleware, RequestId.middleware) as App<E, SessionStore.SessionStore>
  const { dispose, handler } = HttpEffect.toWebHandlerLayer(
    wrapped,
    Layer.mergeAll(store, logger, Layer.succeed(References.MinimumLogLevel, "All")) as Layer.Layer<
      SessionStore.SessionStore
    >
  )
  const request = (path: string, init: RequestInit & { cookie?: string } = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    if (init.cookie !== undefined && init.cookie !== "") headers.set("cookie", init.cookie)
    return handler(new Request(`http://localhost${path}`, { ...init, headers }), Context.empty() as never)
  }
  return { dispose, handler: (request: Request) => handler(request, Context.empty() as never), logs, request }
}

/** The same on a socket of this machine. */
export const listen = async <E, R>(
  app: App<E, R>,
  store: Layer.Layer<SessionStore.SessionStore, unknown>
) => {
  const scope = Effect.runSync(Scope.make())
  const context = await Effect.runPromise(
    Layer.buildWithScope(
      Layer.mergeAll(
        store as Layer.Layer<SessionStore.SessionStore>,
        NodeHttpServer.layer(Http.createServer, { port: 0, host: "127.0.0.1" })
      ),
      scope
    )
  )
  const wrapped = app.pipe(RequestContext.middleware, RequestId.middleware)
  await Effect.runPromise(
    HttpServer.serveEffect(wrapped as App<E, SessionStore.SessionStore>).pipe(
      Effect.provide(context),
      Scope.provide(scope)
    ) as Effect.Effect<void>
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  return {
    port: "port" in address ? address.port as number : 0,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
