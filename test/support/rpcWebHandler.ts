import { type HttpApp, HttpServer } from "@effect/platform"
import { type Rpc, type RpcGroup, type RpcSerialization, RpcServer } from "@effect/rpc"
import { Layer } from "effect"

/** Serves RPCs as an app of its own, behind a middleware. */
export const rpcWebHandler = <Rpcs extends Rpc.Any, E>(
  group: RpcGroup.RpcGroup<Rpcs>,
  services: Layer.Layer<Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | RpcSerialization.RpcSerialization, E>,
  middleware: (app: HttpApp.Default) => HttpApp.Default = (app) => app
) =>
  RpcServer.toWebHandler(group, {
    layer: Layer.merge(services, HttpServer.layerContext),
    middleware: (app) => middleware(app as HttpApp.Default) as typeof app
  })
