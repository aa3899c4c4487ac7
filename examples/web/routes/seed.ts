/**
 * Routes for `curl`: each calls one operation of the session and answers with text.
 */
import { FileSystem, HttpLayerRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Duration, Effect, Option, Schema } from "effect"
import { RequestContext, SessionKey } from "effect-session"
import { isReserved } from "../session.js"

const Alan = SessionKey.make("alan", Schema.String)
const Count = SessionKey.make("count", Schema.NonNegativeInt).withDefault(() => 0)
const Slow = SessionKey.make("slow", Schema.String)

const text = (body: string, status = 200) =>
  HttpServerResponse.text(body, { status, headers: { "x-content-type-options": "nosniff" } })

const orEmpty = Option.getOrElse(() => "")

// ── storing, reading and removing a value ──

const store = Effect.as(RequestContext.insert(Alan, "turing"), text("turing"))
const read = Effect.map(RequestContext.get(Alan), (value) => text(orEmpty(value)))
const remove = Effect.map(RequestContext.remove(Alan), (value) => text(orEmpty(value)))

// ── a counter that misses no visit ──

const count = Effect.map(RequestContext.update(Count, (visits) => visits + 1), (visits) => text(String(visits)))

// ── text under any key that the app does not use itself ──

const maxBody = 64 * 1024

const anyKey = Effect.map(
  HttpLayerRouter.params,
  ({ name = "" }) => isReserved(name) ? Option.none() : Option.some(SessionKey.make(name, Schema.String))
)

const reserved = text("this key is the app's own", 403)

const readBody = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (Number(request.headers["content-length"] ?? 0) > maxBody) return Option.none<string>()
  return yield* request.text.pipe(
    HttpServerRequest.withMaxBodySize(Option.some(FileSystem.Size(maxBody))),
    Effect.option
  )
})

const putValue = Effect.gen(function*() {
  const key = yield* anyKey
  if (Option.isNone(key)) return reserved
  const body = yield* readBody
  if (Option.isNone(body)) return text(`the body is larger than ${maxBody} bytes, or was cut off`, 413)
  yield* RequestContext.insert(key.value, body.value)
  return text(body.value)
}).pipe(Effect.catchTag("SessionTooLarge", (error) => Effect.succeed(text(error.message, 413))))

const getValue = Effect.gen(function*() {
  const key = yield* anyKey
  if (Option.isNone(key)) return reserved
  const value = yield* RequestContext.get(key.value)
  return Option.match(value, { onNone: () => text("", 404), onSome: (some) => text(some) })
}).pipe(Effect.catchTag("SessionSchemaError", (error) => Effect.succeed(text(error.message, 409))))

// ── a slow request that reads, waits and writes, for trying races ──

const slow = Effect.gen(function*() {
  const { ms = "" } = yield* HttpLayerRouter.params
  if (!/^\d{1,5}$/.test(ms) || Number(ms) > 60_000) return text("wait for 0 to 60000 milliseconds", 400)
  yield* RequestContext.get(Alan)
  yield* Effect.sleep(Duration.millis(Number(ms)))
  const value = `waited ${ms} ms`
  yield* RequestContext.insert(Slow, value)
  return text(value)
})

export const routes = [
  HttpLayerRouter.route("POST", "/session", store),
  HttpLayerRouter.route("GET", "/session", read),
  HttpLayerRouter.route("DELETE", "/session", remove),
  HttpLayerRouter.route("POST", "/session/clear", Effect.as(RequestContext.clear, text("cleared"))),
  HttpLayerRouter.route("POST", "/session/flush", Effect.as(RequestContext.flush, text("flushed"))),
  HttpLayerRouter.route("POST", "/session/renew", Effect.as(RequestContext.renew, text("renewed"))),
  HttpLayerRouter.route("GET", "/session/count", count),
  HttpLayerRouter.route("PUT", "/session/values/:name", putValue),
  HttpLayerRouter.route("GET", "/session/values/:name", getValue),
  HttpLayerRouter.route("POST", "/session/slow/:ms", slow)
]

export const SeedRoutes = HttpLayerRouter.addAll(routes)
