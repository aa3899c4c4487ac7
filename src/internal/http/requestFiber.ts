/**
 * What a middleware changes of the request's fiber: a service for the handler, a handler for the response, an annotation for
 * the logs. Each change of a `FiberRef` copies the fiber's map of them, so that all of one middleware's are made in one step,
 * and none is undone.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Entry, serviceIn, withServices } from "../edition/context.js"
import { andThen } from "../edition/done.js"
import * as FiberLocals from "../edition/fiberLocals.js"

type RequestFiber = Fiber.RuntimeFiber<unknown, unknown>

export type Change = FiberLocals.Change

const setting = <A>(ref: FiberRef.FiberRef<A>, value: A): Change => [ref, value]

export type Handle = (
  request: HttpServerRequest,
  response: HttpServerResponse
) => Effect.Effect<HttpServerResponse>

/** A pre-response handler that tells whose it is, and which it was appended to. */
interface Link extends Handle {
  owner?: unknown
  outer?: Link | undefined
}

/** The handler of the fiber's responses: a link, or the app's own, which has neither owner nor outer one. */
const appended = (fiber: RequestFiber): Link | undefined => {
  const handler = fiber.getFiberRef(HttpApp.currentPreResponseHandlers)
  return handler._tag === "Some" ? handler.value as Link : undefined
}

/** A handler and whose it is. */
export type Owned = readonly [owner: unknown, handle: Handle]

/**
 * As `HttpApp.appendPreResponseHandler` of each, in their order; of two handlers that are done already neither costs a step of the
 * fiber.
 */
export const handlers = (fiber: RequestFiber, ...owned: ReadonlyArray<Owned>): Change => {
  const last = owned.reduce((outer, [owner, handle]) => {
    const link: Link = outer === undefined
      ? (request, response) => handle(request, response)
      : (request, response) => andThen(outer(request, response), (response) => handle(request, response))
    link.owner = owner
    link.outer = outer
    return link
  }, appended(fiber))
  return setting(HttpApp.currentPreResponseHandlers, Option.fromNullable<HttpApp.PreResponseHandler | undefined>(last))
}

/**
 * Runs a handler once more after those that the app has appended in the meantime: they run behind it, and may overwrite what
 * it set (the platform's CORS sets `Vary` anew). Without such handlers, nothing is appended.
 */
export const keepLast = <A, E, R>(
  app: Effect.Effect<A, E, R>,
  owned: Owned
): Effect.Effect<A, E, R> => {
  const isLast = (fiber: RequestFiber): boolean => appended(fiber)?.owner === owned[0]
  const again = <B, E2>(exit: Effect.Effect<B, E2>): Effect.Effect<B, E2> =>
    Effect.withFiberRuntime((fiber) =>
      isLast(fiber) ? exit : Effect.zipRight(change(fiber, handlers(fiber, owned)), exit)
    )
  return Effect.matchCauseEffect(app, {
    onFailure: (cause) => again(Effect.failCause(cause)),
    onSuccess: (value) => again(Effect.succeed(value))
  })
}

/** Appends a handler whose fiber is the request's own. */
export const append = (
  fiber: RequestFiber,
  _request: HttpServerRequest,
  owned: Owned,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<void> => change(fiber, handlers(fiber, owned), ...changes)

/** Handlers of layers, by the request: they run as one. */
class Shared {
  readonly handlers: Array<Owned> = []

  readonly handle: Handle = (request, response) =>
    this.handlers.reduce<Effect.Effect<HttpServerResponse>>(
      (before, [, handle]) => andThen(before, (response) => handle(request, response)),
      Effect.succeed(response)
    )
}

const sharedOf = new WeakMap<HttpServerRequest, Shared>()

/**
 * Appends the handler of a layer. Layers may be built side by side, each in a fiber of its own, and of what two fibers set
 * only one survives: here both set the same.
 */
export const share = (
  fiber: RequestFiber,
  request: HttpServerRequest,
  owned: Owned,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<void> => {
  let shared = sharedOf.get(request)
  if (shared === undefined) sharedOf.set(request, shared = new Shared())
  shared.handlers.push(owned)
  return change(fiber, handlers(fiber, [shared, shared.handle]), ...changes)
}

/** The first of those whose handlers will see the fiber's response of whom `is` is true. */
export const find = <A>(
  fiber: RequestFiber,
  request: HttpServerRequest,
  is: (owner: unknown) => owner is A
): A | undefined => {
  for (let link = appended(fiber); link !== undefined; link = link.outer) if (is(link.owner)) return link.owner
  return sharedOf.get(request)?.handlers.map(([owner]) => owner).find(is)
}

/** On every log line of the fiber from here on: what runs after the app, the server's own line, has it too. */
export const annotation = (fiber: RequestFiber, key: string, value: string): Change => {
  const annotations = fiber.getFiberRef(FiberRef.currentLogAnnotations)
  return setting(FiberRef.currentLogAnnotations, HashMap.set(annotations, key, value))
}

/** Makes changes that outlast the app; at once, in the step of the fiber that goes on with the result. */
const change = (fiber: RequestFiber, ...changes: ReadonlyArray<Change>): Effect.Effect<void> =>
  FiberLocals.change(fiber, changes)

/** The same in a later step of the fiber. */
export const make = (...changes: ReadonlyArray<Change>): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => FiberLocals.change(fiber, changes))

/**
 * The app with a service, and with changes that outlast it. The service outlasts it, too: the fiber is the request's, and
 * whoever gave it the request takes the context back. Taking it back here would cost what giving it did, and is done only
 * where the service stands in for an outer one.
 */
export const provide = <A, E, R, I, S>(
  fiber: RequestFiber,
  app: Effect.Effect<A, E, R>,
  tag: Context.Tag<I, S>,
  service: S,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<A, E, Exclude<R, I>> => provideAll<A, E, R, I>(fiber, app, [[tag, service]], ...changes)

/** {@link provide} of several services at once; `I` are those that the app loses from its type. */
export const provideAll = <A, E, R, I>(
  fiber: RequestFiber,
  app: Effect.Effect<A, E, R>,
  services: ReadonlyArray<Entry>,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<A, E, Exclude<R, I>> => {
  const outer = fiber.currentContext
  const provide = change(fiber, setting(FiberRef.currentContext, withServices(outer, services)), ...changes)
  const within = andThen(provide, () => provided<A, E, R, I>(app))
  return services.some(([tag]) => serviceIn(outer, tag) !== undefined)
    ? Effect.ensuring(within, make(setting(FiberRef.currentContext, outer)))
    : within
}

/** An app whose fiber has the service already: its context is one without a type, so that `R` loses just that. */
export const provided = <A, E, R, I>(app: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, I>> =>
  app as Effect.Effect<A, E, Exclude<R, I>>
