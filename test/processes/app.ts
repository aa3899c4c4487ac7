/** What each process serves. */
import { HttpApp, HttpRouter, HttpServerResponse } from "@effect/platform"
import { Effect, type Layer, ManagedRuntime, Option, Schema } from "effect"
import { RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"

const Count = SessionKey.make("count", Schema.Int)
const User = SessionKey.make("user", Schema.String)

const text = (value: unknown) => HttpServerResponse.text(String(value))

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/sign-in", Effect.as(RequestContext.insert(User, "ada"), text("in"))),
  HttpRouter.get("/user", Effect.map(RequestContext.get(User), (user) => text(Option.getOrElse(user, () => "")))),
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
  RequestContext.middleware,
  RequestId.middleware
)

/** The app over a store, and a look at the session that a cookie names. */
export const serve = async (layer: Layer.Layer<SessionStore.SessionStore, unknown>) => {
  const runtime = ManagedRuntime.make(layer)
  const handler = HttpApp.toWebHandlerRuntime(await runtime.runPromise(Effect.runtime<SessionStore.SessionStore>()))(
    app
  )
  const request = (method: string, path: string, cookie = "") =>
    handler(new Request(`http://localhost${path}`, { method, headers: { cookie } }))
  const load = (cookie: string) =>
    runtime.runPromise(Effect.flatMap(
      SessionStore.SessionStore,
      (store) => store.load([cookie.slice(cookie.indexOf("=") + 1)], Date.now())
    ))
  return { dispose: () => runtime.dispose(), load, request }
}
