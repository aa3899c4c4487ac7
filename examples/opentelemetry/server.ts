/**
 * Sends spans, metrics and logs to an OpenTelemetry collector: the requests with their ids, and what the library counts.
 *
 * Start it with `npm run example -- opentelemetry`. It sends to `OTEL_EXPORTER_OTLP_ENDPOINT`, by default http://127.0.0.1:4318,
 * where a collector, Jaeger or Grafana's otel-lgtm listens. Then call http://127.0.0.1:3000/count and
 * http://127.0.0.1:3000/visits a few times.
 *
 * No span, metric or log holds a value of a session, its cookie or its token.
 */
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient, HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer, Schema } from "effect"
import { RequestContext, Session, SessionKey, SessionStore } from "effect-session"
import { createServer } from "node:http"

const Count = SessionKey.make("count", Schema.Int).withDefault(() => 0)

const count = Effect.gen(function*() {
  const visits = yield* RequestContext.update(Count, (visits) => visits + 1)
  yield* Effect.log("counted a visit") // with the request's id, as `request_id`
  return HttpServerResponse.text(String(visits))
}).pipe(Effect.withSpan("count a visit"))

const visits = Effect.map(RequestContext.get(Count), (visits) => HttpServerResponse.text(String(visits)))

const AppLive = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/count", count),
  HttpLayerRouter.route("GET", "/visits", visits),
  HttpLayerRouter.route("POST", "/sign-out", Effect.as(RequestContext.flush, HttpServerResponse.empty()))
]).pipe(Layer.provide(Session.layerRouter))

/** The metrics of the library are ordinary ones of Effect, so that they are sent with the app's own. */
const TelemetryLive = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      baseUrl: Config.withDefault(Config.string("OTEL_EXPORTER_OTLP_ENDPOINT"), "http://127.0.0.1:4318"),
      every: Config.withDefault(Config.duration("OTEL_EXPORT_INTERVAL"), "5 seconds")
    }),
    ({ baseUrl, every }) =>
      Otlp.layerJson({
        baseUrl,
        resource: { serviceName: "effect-session-example" },
        metricsExportInterval: every,
        tracerExportInterval: every,
        loggerExportInterval: every
      })
  )
).pipe(Layer.provide(FetchHttpClient.layer))

HttpLayerRouter.serve(AppLive, { disableLogger: true }).pipe(
  Layer.provide(SessionStore.layerDevelopment()),
  Layer.provide(NodeHttpServer.layerConfig(createServer, {
    port: Config.withDefault(Config.integer("PORT"), 3000),
    host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
  })),
  Layer.provide(TelemetryLive),
  Layer.launch,
  NodeRuntime.runMain
)
