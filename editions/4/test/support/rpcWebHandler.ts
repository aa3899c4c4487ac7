import { Context, Effect, Layer } from "effect"
import { HttpEffect, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { type Rpc, type RpcGroup, type RpcSerialization, RpcServer } from "effect/rpc"

type App = Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>

class Served extends Context.Service<Served, App>()("test/Served") {}

/** Serves RPCs as an app of its own, behind a middleware. */
export const rpcWebHandler = <Rpcs extends Rpc.Any, E>(
  group: RpcGroup.RpcGroup<Rpcs>,
  services: Layer.Layer<Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | RpcSerialization.RpcSerialization, E>,
  middleware: (app: App) => App = (app) => app
) => {
  const served = Layer.effect(Served, Effect.map(RpcServer.toHttpEffect(group), (app) => middleware(app as App)))
  const { dispose, handler } = HttpEffect.toWebHandlerLayerWith(
    Layer.provideMerge(served, services) as unknown as Layer.Layer<Served>,
    { toHandler: (context) => Effect.succeed(Context.get(context, Served)) }
  )
  return { dispose, handler: (request: Request) => handler(request, Context.empty() as never) }
}
