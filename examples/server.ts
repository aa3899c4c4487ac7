/**
 * `npm start` runs this: it serves the app on http://127.0.0.1:3000. `PORT` and `HOST` change the address, and `STORE` changes
 * the store.
 */
import { HttpServer } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Layer } from "effect"
import { createServer } from "node:http"
import { app } from "./app.js"
import { originOf } from "./origin.js"
import { StoreLive, storeName } from "./stores.js"
import { welcome } from "./welcome.js"

const announce = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  yield* Console.log(welcome(originOf(address), yield* storeName))
})

const ServerLive = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      port: Config.withDefault(Config.integer("PORT"), 3000),
      host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
    }),
    (listen) => NodeHttpServer.layer(createServer, listen)
  )
)

// The store is provided last, so it is closed last: requests in flight can still save their session after Ctrl-C.
const AppLive = Layer.mergeAll(HttpServer.serve(app), Layer.effectDiscard(announce)).pipe(
  Layer.provide(ServerLive),
  Layer.provide(StoreLive)
)

// Only once: the second Ctrl-C finds no listener and ends the process at once.
process.once("SIGINT", () => console.log("waiting for requests in flight (Ctrl-C again to stop at once)"))

NodeRuntime.runMain(Layer.launch(AppLive), { disablePrettyLogger: true })
