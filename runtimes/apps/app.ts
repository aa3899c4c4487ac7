/**
 * The app that every runtime serves: a counter, signing in and out, renewing, and the events of its store. It uses nothing but
 * the library and the platform's web handler.
 */
import { HttpApp, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Option, Schema } from "effect"
import {
  KeyRing,
  RequestContext,
  Revocation,
  Session,
  SessionEvents,
  SessionKey,
  type Sessions,
  SessionStore
} from "effect-session"

const Count = SessionKey.make("count", Schema.Number)

const text = (value: unknown) => HttpServerResponse.text(String(value))

/** The kinds of events since the last request for them. */
const events: Array<string> = []

const subject = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ url }) => new URL(url, "http://localhost").searchParams.get("user") ?? "ada"
)

export const app = HttpRouter.empty.pipe(
  HttpRouter.get("/count", Effect.map(RequestContext.get(Count), (count) => text(Option.getOrElse(count, () => 0)))),
  HttpRouter.post(
    "/count",
    Effect.gen(function*() {
      const count = Option.getOrElse(yield* RequestContext.get(Count), () => 0) + 1
      yield* RequestContext.insert(Count, count)
      return text(count)
    })
  ),
  HttpRouter.post("/set", Effect.as(RequestContext.insert(Count, 1), text("set"))),
  HttpRouter.post(
    "/modify",
    Effect.map(
      RequestContext.modify(Count, (count) => {
        const next = Option.getOrElse(count, () => 0) + 1
        return [next, Option.some(next)]
      }),
      text
    )
  ),
  HttpRouter.post("/sign-in", Effect.as(Effect.flatMap(subject, (user) => RequestContext.bind(user)), text("in"))),
  HttpRouter.get("/user", Effect.map(RequestContext.requireSignedIn, ({ subject }) => text(subject))),
  HttpRouter.post("/renew", Effect.as(RequestContext.renew, text("renewed"))),
  HttpRouter.post("/flush", Effect.as(RequestContext.flush, text("out"))),
  HttpRouter.get("/events", Effect.sync(() => text(events.splice(0).join(" ")))),
  Session.middleware
)

export type Store = Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown>

const audit = SessionEvents.layerHandler(({ _tag }) => Effect.sync(() => events.push(_tag)))

/** A store whose events the app returns. */
export const withEvents = (store: Store) => Layer.provideMerge(audit, store)

/** The app over a store, as a function from web requests to web responses, and what lets go of the store. */
export const serve = (store: Store) => HttpApp.toWebHandlerLayer(app, withEvents(store))

export const options = { secure: false, expiry: "1 hour", storeTimeout: 5000 } as const

const keys = KeyRing.derive("a secret of the test, of at least 32 bytes")

/** The cookie store that can end its sessions, with where it keeps those that have ended. */
export const revocableWith = <E, R>(revocations: Layer.Layer<Revocation.Revocation, E, R>) =>
  Layer.unwrapEffect(Effect.map(keys, (keys) => SessionStore.layerCookieRevocable({ ...options, keys }))).pipe(
    Layer.provide(revocations)
  )

/** The stores that need nothing but the runtime. */
export const stores: Readonly<Record<"memory" | "cookie", Store>> = {
  memory: SessionStore.layerMemory(options),
  cookie: revocableWith(Revocation.layerMemory())
}
