/**
 * The app is an ordinary router whose handlers use the session. Nothing here depends on the store.
 */
import { FileSystem, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Duration, Effect, Option, Schema } from "effect"
import { RequestContext, RequestId, SessionKey } from "effect-session"
import { page } from "./page.js"

const Alan = SessionKey.make("alan", Schema.String)
const Count = SessionKey.make("count", Schema.NonNegativeInt)
const Slow = SessionKey.make("slow", Schema.String)

const text = (body: string, status = 200) =>
  HttpServerResponse.text(body, { status, headers: { "x-content-type-options": "nosniff" } })

const orEmpty = Option.getOrElse(() => "")

// ── storing, reading and removing a value ──

const store = Effect.as(RequestContext.insert(Alan, "turing"), text("turing"))
const read = Effect.map(RequestContext.get(Alan), (value) => text(orEmpty(value)))
const remove = Effect.map(RequestContext.remove(Alan), (value) => text(orEmpty(value)))

// ── a counter that misses no visit ──

const count = RequestContext.modify(Count, (current) => {
  const next = Option.getOrElse(current, () => 0) + 1
  return [next, Option.some(next)]
}).pipe(Effect.map((visits) => text(String(visits))))

// ── text under any key ──

const maxBody = 64 * 1024

const anyKey = Effect.map(
  HttpRouter.schemaPathParams(Schema.Struct({ name: Schema.String })),
  ({ name }) => SessionKey.make(name, Schema.String)
)

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
  const body = yield* readBody
  if (Option.isNone(body)) return text(`the body is larger than ${maxBody} bytes, or was cut off`, 413)
  yield* RequestContext.insert(key, body.value)
  return text(body.value)
}).pipe(Effect.catchTag("SessionTooLarge", (error) => Effect.succeed(text(error.message, 413))))

const getValue = Effect.gen(function*() {
  const value = yield* RequestContext.get(yield* anyKey)
  return Option.match(value, { onNone: () => text("", 404), onSome: (some) => text(some) })
}).pipe(Effect.catchTag("SessionSchemaError", (error) => Effect.succeed(text(error.message, 409))))

// ── a slow request that reads, waits and writes, for trying races ──

const slow = Effect.gen(function*() {
  const { ms } = yield* HttpRouter.schemaPathParams(
    Schema.Struct({ ms: Schema.NumberFromString.pipe(Schema.int(), Schema.between(0, 60_000)) })
  )
  yield* RequestContext.get(Alan)
  yield* Effect.sleep(Duration.millis(ms))
  const value = `waited ${ms} ms`
  yield* RequestContext.insert(Slow, value)
  return text(value)
})

// ── the page ──

const Anything = (name: string) => SessionKey.make(name, Schema.Unknown)

const home = Effect.gen(function*() {
  const names = yield* RequestContext.keys
  const entries = yield* Effect.forEach(
    names,
    (name) =>
      Effect.map(
        RequestContext.get(Anything(name)),
        (value) => [name, JSON.stringify(Option.getOrNull(value))] as const
      )
  )
  return page(entries, yield* RequestId.RequestId)
})

export const router = HttpRouter.empty.pipe(
  HttpRouter.get("/", home),
  HttpRouter.post("/session", store),
  HttpRouter.get("/session", read),
  HttpRouter.del("/session", remove),
  HttpRouter.post("/session/clear", Effect.as(RequestContext.clear, text("cleared"))),
  HttpRouter.post("/session/flush", Effect.as(RequestContext.flush, text("flushed"))),
  HttpRouter.post("/session/renew", Effect.as(RequestContext.renew, text("renewed"))),
  HttpRouter.get("/session/count", count),
  HttpRouter.put("/session/values/:name", putValue),
  HttpRouter.get("/session/values/:name", getValue),
  HttpRouter.post("/session/slow/:ms", slow)
)

export const app = router.pipe(
  Effect.catchTag("ParseError", () => Effect.succeed(text("this path is not one of ours", 400))),
  RequestContext.middleware,
  RequestId.middleware
)
