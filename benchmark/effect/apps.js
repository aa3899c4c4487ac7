/**
 * The Effect apps that are measured over HTTP and in process. Each has one route, written as the README shows it.
 */
import { HttpServerResponse } from "@effect/platform"
import { Context, Effect, Layer, Option, Schema } from "effect"
import * as library from "../harness/library.js"
import { cookieLifeSeconds } from "../http/settings.js"
import { route } from "./route.js"

const { KeyRing, RequestContext, RequestId, Session, SessionKey, SessionStore } = await library.main()

const Count = SessionKey.make("count", Schema.Number)
const Profile = SessionKey.make("profile", Schema.String)

/** All contestants use plain HTTP on loopback, so the cookie is not Secure. Everything else is the default. */
export const options = { secure: false, expiry: `${cookieLifeSeconds} seconds` }

export const layerCookie = Layer.unwrapEffect(
  Effect.map(KeyRing.generate, (keys) => SessionStore.layerCookie({ ...options, keys }))
)

export const layerMemory = SessionStore.layerMemory(options)

const respond = (count) => HttpServerResponse.text(String(count))

/** Answers with a count that no session keeps: this is what the framework costs by itself. */
export const plain = () => {
  let count = 0
  return route(Effect.sync(() => respond(++count)))
}

const increment = Effect.flatMap(RequestContext.get(Count), (found) => {
  const count = Option.getOrElse(found, () => 0) + 1
  return Effect.as(RequestContext.insert(Count, count), respond(count))
})

/** Counts as the other libraries do: read, add one, store. */
export const counting = () => route(increment)

/** Counts in a session that holds another value too, so that its JSON has about 100 bytes. */
export const counting100 = () =>
  route(Effect.zipRight(
    Effect.flatMap(RequestContext.get(Profile), (found) =>
      Option.isSome(found) ? Effect.void : RequestContext.insert(Profile, "p".repeat(74))),
    increment
  ))

/** Counts atomically across requests and processes, which no other contestant offers. */
export const modifying = () =>
  route(Effect.map(
    RequestContext.modify(Count, (found) => {
      const count = Option.getOrElse(found, () => 0) + 1
      return [count, Option.some(count)]
    }),
    respond
  ))

/** Reads and changes nothing, once there is a session. */
export const reading = () =>
  route(
    Effect.flatMap(RequestContext.get(Count), (found) =>
      Option.isSome(found)
        ? Effect.succeed(respond(found.value))
        : Effect.as(RequestContext.insert(Count, 1), respond(1)))
  )

/** Writes without reading. */
export const writing = () => {
  let count = 0
  return route(Effect.suspend(() => Effect.as(RequestContext.insert(Count, ++count), respond(count))))
}

export const withRequestId = (app) => app.pipe(RequestId.middleware)

/** Older builds, which `--library` may name, have no one-line middleware. */
export const withSession = (app) =>
  Session === undefined ? app.pipe(RequestContext.middleware, RequestId.middleware) : app.pipe(Session.middleware)

/** The least that a middleware can do that provides a service to handlers. */
export const withNoop = (name) => {
  const Noop = Context.GenericTag(`benchmark/${name}`)
  const service = { name }
  return (app) => Effect.provideService(app, Noop, service)
}

/** The same store, which also counts every call in `calls`. */
export const counted = (layer, calls) =>
  Layer.effect(
    SessionStore.SessionStore,
    Effect.map(SessionStore.SessionStore, (store) => {
      const count = (name) => (...args) => {
        calls[name] = (calls[name] ?? 0) + 1
        return store[name](...args)
      }
      return { ...store, load: count("load"), save: count("save"), end: count("end"), modify: count("modify") }
    })
  ).pipe(Layer.provide(layer))
