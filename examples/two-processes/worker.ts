/**
 * One of the servers. Nothing in it knows of the other: the store keeps the promises across processes.
 */
import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer, Schema } from "effect"
import { RequestContext, Session, SessionKey, Sessions } from "effect-session"
import * as RedisStore from "effect-session/SessionStore/Redis"
import { createServer } from "node:http"

const Count = SessionKey.make("count", Schema.Int).withDefault(() => 0)

const text = (body: unknown) => HttpServerResponse.text(String(body))

const AppLive = HttpLayerRouter.addAll([
  // No count is lost, whichever process the requests reach.
  HttpLayerRouter.route("GET", "/count", Effect.map(RequestContext.update(Count, (count) => count + 1), text)),
  // Whoever asks is signed in: this example is about what the other process knows of it.
  HttpLayerRouter.route("POST", "/sign-in", Effect.as(RequestContext.bind("ada"), text("signed in"))),
  HttpLayerRouter.route("GET", "/me", Effect.map(RequestContext.requireSignedIn, ({ subject }) => text(subject))),
  HttpLayerRouter.route("GET", "/devices", Effect.map(Sessions.list("ada"), (sessions) => text(sessions.length))),
  HttpLayerRouter.route("POST", "/sign-out-everywhere", Effect.map(Sessions.revokeAll("ada"), text))
]).pipe(Layer.provide(Session.layerRouter))

const SessionsLive = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      url: Config.withDefault(Config.string("REDIS_URL"), "redis://127.0.0.1:6379"),
      prefix: Config.withDefault(Config.string("REDIS_PREFIX"), "two-processes:")
    }),
    // Not Secure, because the example speaks plain HTTP on this machine.
    ({ prefix, url }) => RedisStore.layer({ redis: { url }, prefix, expiry: "1 hour", secure: false })
  )
)

HttpLayerRouter.serve(AppLive, { disableLogger: true }).pipe(
  Layer.provide(SessionsLive),
  Layer.provide(NodeHttpServer.layerConfig(createServer, {
    port: Config.withDefault(Config.integer("PORT"), 3000),
    host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
  })),
  Layer.launch,
  NodeRuntime.runMain
)
