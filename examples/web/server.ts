/**
 * `npm start` runs this: it serves the app on http://127.0.0.1:3000. `PORT` and `HOST` change the address, and `STORE` changes
 * the store.
 */
import { HttpLayerRouter, HttpServer } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Layer } from "effect"
import { createServer } from "node:http"
import { AppLive } from "./app.js"
import { originOf } from "./origin.js"
import { SignInLive } from "./signIn.js"
import { StoreLive, StoreName, StoreNameLive } from "./stores.js"
import { welcome } from "./welcome.js"

const announce = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  yield* Console.log(welcome(originOf(address), yield* StoreName))
})

const HttpLive = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      port: Config.withDefault(Config.integer("PORT"), 3000),
      host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
    }),
    (listen) => NodeHttpServer.layer(createServer, listen)
  )
)

// The address is printed when the routes are there. The store is provided last, so it is closed last: requests in flight can
// still save their session after Ctrl-C.
const ServerLive = Layer.effectDiscard(announce).pipe(
  Layer.provide(HttpLayerRouter.serve(AppLive, { disableLogger: true, disableListenLog: true })),
  Layer.provide(HttpLive),
  Layer.provide(StoreNameLive),
  Layer.provide(Layer.provideMerge(SignInLive, StoreLive))
)

process.once("SIGINT", () => {
  console.log("waiting for requests in flight (Ctrl-C again to stop at once)")
  process.once("SIGINT", () => process.exit(130))
})

NodeRuntime.runMain(Layer.launch(ServerLive), { disablePrettyLogger: true })
