/**
 * better-auth signs users in, and this library keeps the app's data: a cart that is there before the sign-in and after it.
 *
 * Start it with `npm run example -- better-auth`. better-auth answers below /api/auth, for example:
 *
 *   curl -c jar -b jar -H 'content-type: application/json' -d '{"name":"Ada","email":"ada@example.com","password":"first programmer"}' \
 *     http://127.0.0.1:3000/api/auth/sign-up/email
 *   curl -c jar -b jar http://127.0.0.1:3000/me
 */
import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer, Schema } from "effect"
import { RequestContext, Session, SessionKey, SessionStore } from "effect-session"
import { createServer } from "node:http"
import { auth } from "./auth.js"
import { serve } from "./bridge.js"

const Cart = SessionKey.make("cart", Schema.Array(Schema.String)).withDefault(() => [])

const text = (body: string) => HttpServerResponse.text(body)

const AppLive = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/api/auth/*", serve(auth.handler)),
  HttpLayerRouter.route("POST", "/api/auth/*", serve(auth.handler)),
  HttpLayerRouter.route("GET", "/me", Effect.map(RequestContext.requireSignedIn, ({ subject }) => text(subject))),
  HttpLayerRouter.route("GET", "/cart", Effect.map(RequestContext.get(Cart), (cart) => text(cart.join()))),
  HttpLayerRouter.route(
    "POST",
    "/cart",
    Effect.map(RequestContext.update(Cart, (cart) => [...cart, "tea"].slice(-9)), (cart) => text(cart.join()))
  )
]).pipe(Layer.provide(Session.layerRouter))

HttpLayerRouter.serve(AppLive, { disableLogger: true }).pipe(
  Layer.provide(SessionStore.layerDevelopment()),
  Layer.provide(NodeHttpServer.layerConfig(createServer, {
    port: Config.withDefault(Config.integer("PORT"), 3000),
    host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
  })),
  Layer.launch,
  NodeRuntime.runMain
)
