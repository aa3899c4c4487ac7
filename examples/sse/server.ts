/**
 * Server-sent events and a WebSocket that end when the user signs out, in whatever tab or on whatever device that happens.
 *
 * Start it with `npm run example -- sse`, and open http://127.0.0.1:3000 in two tabs.
 */
import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer, Option, Schedule, Stream } from "effect"
import { Csrf, RequestContext, Session, SessionStore } from "effect-session"
import { createServer } from "node:http"
import { page } from "./page.js"
import { socket } from "./socket.js"
import { untilSignedOut } from "./untilSignedOut.js"

// ── server-sent events ──

const event = (name: string, data: string) => `event: ${name}\ndata: ${data}\n\n`

const events = Effect.gen(function*() {
  const { subject } = yield* RequestContext.requireSignedIn
  const context = yield* Effect.context<RequestContext.RequestContext>()
  const ticks = Stream.fromSchedule(Schedule.spaced("500 millis")).pipe(
    Stream.map((tick) => event("tick", `${tick} for ${subject}`)),
    Stream.interruptWhen(untilSignedOut),
    Stream.concat(Stream.make(event("signed-out", "bye"))),
    Stream.encodeText,
    Stream.provideContext(context)
  )
  return HttpServerResponse.stream(ticks, {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store" }
  })
})

// ── signing in and out ──

/** Whoever presses the button is signed in: this example is about what comes after. */
const signIn = Effect.as(RequestContext.bind("ada"), HttpServerResponse.redirect("/", { status: 303 }))
const signOut = Effect.as(RequestContext.flush, HttpServerResponse.redirect("/", { status: 303 }))

const home = Effect.map(RequestContext.signedIn, (who) => page(Option.map(who, ({ subject }) => subject)))

const AppLive = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/", home),
  HttpLayerRouter.route("POST", "/sign-in", signIn),
  HttpLayerRouter.route("POST", "/sign-out", signOut),
  HttpLayerRouter.route("GET", "/events", events),
  HttpLayerRouter.route("GET", "/socket", socket)
]).pipe(
  // A page of another site can open a WebSocket, too.
  Layer.provide(Csrf.layerRouter),
  Layer.provide(Session.layerRouter)
)

HttpLayerRouter.serve(AppLive, { disableLogger: true }).pipe(
  Layer.provide(SessionStore.layerDevelopment()),
  Layer.provide(NodeHttpServer.layerConfig(createServer, {
    port: Config.withDefault(Config.integer("PORT"), 3000),
    host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
  })),
  Layer.launch,
  NodeRuntime.runMain
)
