/** One instance of an app with cookie sessions that can be ended: serves HTTP on a free port until its process is killed. */
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Option, Schema, Stream } from "effect"
import type { Revocation } from "effect-session"
import { KeyRing, RequestContext, Session, SessionKey, Sessions, SessionStore } from "effect-session"
import * as RevocationRedis from "effect-session/Revocation/Redis"
import * as RevocationSql from "effect-session/Revocation/Sql"
import * as Http from "node:http"
import { client } from "../sql/place.js"
import type { Place } from "../support/storeAt.js"

const [place, secret] = JSON.parse(process.argv[2]) as readonly [Place, string]

const User = SessionKey.make("user", Schema.String)

const text = (value: string) => HttpServerResponse.text(value)

const subject = Effect.map(HttpRouter.params, ({ subject }) => subject ?? "")

const routes = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/sign-in/:subject",
    Effect.as(
      Effect.zipRight(Effect.flatMap(subject, RequestContext.bind), RequestContext.insert(User, "kept")),
      text("in")
    )
  ),
  HttpRouter.get(
    "/me",
    Effect.map(RequestContext.signedIn, (signedIn) =>
      text(Option.match(signedIn, {
        onNone: () => "nobody",
        onSome: ({ subject }) => subject
      })))
  ),
  HttpRouter.post("/renew", Effect.as(RequestContext.renew, text("renewed"))),
  HttpRouter.post("/sign-out", Effect.as(RequestContext.flush, text("out"))),
  HttpRouter.post("/revoke/:subject", Effect.as(Effect.flatMap(subject, Sessions.revokeAll), text("revoked"))),
  HttpRouter.post(
    "/revoke-others/:subject",
    Effect.as(Effect.flatMap(subject, Sessions.revokeOthers), text("revoked"))
  ),
  HttpRouter.post(
    "/stream/sign-out",
    Effect.gen(function*() {
      yield* RequestContext.get(User)
      const context = yield* Effect.context<RequestContext.RequestContext>()
      const body = Stream.fromEffect(Effect.as(Effect.exit(RequestContext.flush), "over"))
      return HttpServerResponse.stream(body.pipe(Stream.map(String), Stream.encodeText, Stream.provideContext(context)))
    })
  ),
  Session.middleware
)

const RevocationLive: Layer.Layer<Revocation.Revocation, unknown> = place.dialect === "redis"
  ? RevocationRedis.layer({ redis: { url: place.url }, prefix: place.prefix })
  : RevocationSql.layer({ table: place.table }).pipe(
    Layer.provide(Layer.effectDiscard(RevocationSql.createTable({ table: place.table }))),
    Layer.provide(client(place))
  )

const SessionsLive = Layer.unwrapEffect(
  Effect.map(KeyRing.derive(secret), (keys) => SessionStore.layerCookieRevocable({ keys, secure: false }))
)

const announce = Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
  Effect.sync(() => {
    if (address._tag === "TcpAddress") process.stdout.write(`${address.port}\n`)
  }))

const AppLive = Layer.mergeAll(HttpServer.serve(routes), Layer.effectDiscard(announce)).pipe(
  Layer.provide(NodeHttpServer.layer(() => Http.createServer(), { port: 0, host: "127.0.0.1" })),
  Layer.provide(SessionsLive),
  Layer.provide(RevocationLive)
)

NodeRuntime.runMain(Layer.launch(AppLive), { disablePrettyLogger: true })
