/** What each process serves. */
import { HttpApp, HttpRouter, HttpServerResponse } from "@effect/platform"
import { Effect, type Layer, Option, Schema } from "effect"
import { RequestContext, RequestId, SessionKey, type SessionStore } from "effect-session"

const Count = SessionKey.make("count", Schema.Int)
const User = SessionKey.make("user", Schema.String)

const text = (value: unknown) => HttpServerResponse.text(String(value))

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/sign-in", Effect.as(RequestContext.insert(User, "ada"), text("in"))),
  HttpRouter.get("/user", Effect.map(RequestContext.get(User), (user) => text(Option.getOrElse(user, () => "")))),
  HttpRouter.get("/count", Effect.map(RequestContext.get(Count), (count) => text(Option.getOrElse(count, () => 0)))),
  HttpRouter.post(
    "/count",
    Effect.map(
      RequestContext.modify(Count, (count) => {
        const next = Option.getOrElse(count, () => 0) + 1
        return [next, Option.some(next)]
      }),
      text
    )
  ),
  HttpRouter.post(
    "/keys/:name",
    Effect.gen(function*() {
      const { name } = yield* HttpRouter.schemaPathParams(Schema.Struct({ name: Schema.String }))
      yield* RequestContext.insert(SessionKey.make(name, Schema.String), name)
      return text(name)
    })
  ),
  HttpRouter.get("/keys", Effect.map(RequestContext.keys, (keys) => text(keys.length))),
  RequestContext.middleware,
  RequestId.middleware
)

export const serve = (store: Layer.Layer<SessionStore.SessionStore, unknown>) => {
  const { dispose, handler } = HttpApp.toWebHandlerLayer(app, store)
  const request = (method: string, path: string, cookie = "") =>
    handler(new Request(`http://localhost${path}`, { method, headers: { cookie } }))
  return { dispose, request }
}
