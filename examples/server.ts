/**
 * `npm start`: the app on http://127.0.0.1:3000. `PORT`, `HOST` and `STORE` change where, and nothing else.
 */
import { HttpServer } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Layer } from "effect"
import { createServer } from "node:http"
import { app } from "./app.js"
import { StoreLive, storeName } from "./stores.js"

const welcome = (origin: string, store: string) =>
  `Sessions in ${store}. Open ${origin}/ in a browser, or try:

  curl -i -c jar -b jar -X POST ${origin}/session           # stores alan = turing
  curl -i -c jar -b jar ${origin}/session                   # turing
  curl -s -c jar -b jar ${origin}/session/count             # 1, 2, 3 …
  curl -s -c jar -b jar -X PUT -d 'green tea' ${origin}/session/values/drink
  curl -i -c jar -b jar -X POST ${origin}/session/flush     # signs out

STORE=memory npm start swaps the store (cookie, memory, redis, postgres, mysql, sqlite, files). Ctrl-C stops.`

const announce = Effect.gen(function*() {
  const origin = yield* HttpServer.addressFormattedWith((address) => Effect.succeed(address))
  yield* Console.log(welcome(origin, yield* storeName))
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

// The store is provided last, so that it is closed last: requests in flight still commit after Ctrl-C.
const AppLive = Layer.mergeAll(HttpServer.serve(app), Layer.effectDiscard(announce)).pipe(
  Layer.provide(ServerLive),
  Layer.provide(StoreLive)
)

NodeRuntime.runMain(Layer.launch(AppLive), { disablePrettyLogger: true })
