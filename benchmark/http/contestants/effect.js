/**
 * Effect's Node server: bare, with effect-session over each kind of store, and with the least that can be written by hand.
 */
import { HttpServer } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { createServer } from "node:http"
import * as apps from "../../effect/apps.js"
import * as floors from "../../effect/floors.js"
import { redisUrl } from "../settings.js"

const launch = (app, store) => {
  const server = createServer()
  // The store is provided outermost, so that it exists before the server listens.
  const serving = HttpServer.serve(app).pipe(
    Layer.provide(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" })),
    Layer.provide(store)
  )
  Effect.runFork(Layer.launch(serving))
  return server
}

const bare = () => launch(apps.plain(), Layer.empty)

const requestId = () => launch(apps.withRequestId(apps.plain()), Layer.empty)

const cookie = () => launch(apps.withSession(apps.counting()), apps.layerCookie)

const memory = () => launch(apps.withSession(apps.counting()), apps.layerMemory)

const memoryModify = () => launch(apps.withSession(apps.modifying()), apps.layerMemory)

const floorMemory = () => launch(floors.withMemory(floors.counting()), Layer.empty)

const floorCookie = () => launch(floors.withCookie(floors.counting()), Layer.empty)

const leastMemory = () => launch(floors.leastMemory(), Layer.empty)

const leastCookie = () => launch(floors.leastCookie(), Layer.empty)

const leastRedis = () => launch(floors.leastRedis(), Layer.empty)

const redis = async () => {
  const servers = await import("../../effect/servers.js")
  return launch(apps.withSession(apps.counting()), await servers.redis(redisUrl))
}

const nodeRedis = async () => {
  const servers = await import("../../effect/servers.js")
  return launch(apps.withSession(apps.counting()), await servers.nodeRedis(redisUrl))
}

export const variants = {
  bare,
  requestId,
  cookie,
  memory,
  memoryModify,
  redis,
  nodeRedis,
  floorMemory,
  floorCookie,
  leastMemory,
  leastCookie,
  leastRedis
}
