import { HttpApp, HttpServer } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { RequestContext, RequestId, type SessionStore } from "effect-session"
import type { SessionList, Sessions } from "effect-session/Sessions"
import * as Http from "node:http"

export interface Log {
  readonly level: string
  readonly text: string
}

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
  app: HttpApp.Default<E, R>,
  store: Layer.Layer<SessionStore.SessionStore | Extract<R, Sessions | SessionList>, unknown>
) => {
  const logs: Array<Log> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ annotations, cause, logLevel, message }) => {
      logs.push({ level: logLevel.label, text: JSON.stringify([message, [...annotations], cause]) })
    })
  )
  const wrapped = app.pipe(RequestContext.middleware, RequestId.middleware) as HttpApp.Default<
    E,
    SessionStore.SessionStore | Scope.Scope
  >
  const { dispose, handler } = HttpApp.toWebHandlerLayer(
    wrapped,
    Layer.mergeAll(store, logger, Logger.minimumLogLevel(LogLevel.All)) as Layer.Layer<SessionStore.SessionStore>
  )
  const request = (path: string, init: RequestInit & { cookie?: string } = {}) => {
    const headers = new Headers(init.headers)
    if (init.cookie !== undefined && init.cookie !== "") headers.set("cookie", init.cookie)
    return handler(new Request(`http://localhost${path}`, { ...init, headers }))
  }
  return { dispose, handler, logs, request }
}

/** The same on a socket of this machine. */
export const listen = async <E, R>(
  app: HttpApp.Default<E, R>,
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
    HttpServer.serveEffect(wrapped as HttpApp.Default<E, SessionStore.SessionStore>).pipe(
      Effect.provide(context),
      Scope.extend(scope)
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  return {
    port: address._tag === "TcpAddress" ? address.port : 0,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
