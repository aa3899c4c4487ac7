/**
 * What a middleware changes of the request's fiber: a service for the handler, a handler for the response, an annotation for
 * the logs. The first and the last are in the fiber's context; handlers belong to the request's root, whichever of its fibers
 * appends them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as References from "effect/References"
import { type Entry, withServices } from "../edition/context.js"

type RequestFiber = Fiber.Fiber<unknown, unknown>

/** One change of the fiber's context, or of the root that it belongs to. */
export type Change = (context: Context.Context<never>) => Context.Context<never>

export type Handle = (
  request: HttpServerRequest,
  response: HttpServerResponse
) => Effect.Effect<HttpServerResponse>

/** A pre-response handler that tells whose it is, and which it was appended to. */
interface Link extends Handle {
  owner?: unknown
  outer?: Link | undefined
}

/**
 * The state of the request's root, which runs the handlers. Effect 4.1 has no public way to ask which handler is there: its
 * key is the one thing here that may change without notice.
 */
interface Root {
  readonly preResponseHandler: Link | undefined
  /** what a middleware of ours has annotated the request's logs with */
  annotated?: Annotated
}

type Annotated = readonly [key: string, value: string]

const rootKey = "effect/http/HttpEffect/CurrentRequestState"

const rootOf = (context: Context.Context<never>): Root | undefined => context.mapUnsafe.get(rootKey) as Root | undefined

/** The handler of the request's responses: a link, or the app's own, which has neither owner nor outer one. */
const appended = (fiber: RequestFiber): Link | undefined => rootOf(fiber.context)?.preResponseHandler

/** A handler and whose it is. */
export type Owned = readonly [owner: unknown, handle: Handle]

/** Appends each of the handlers, in their order, to the request's root. */
export const handlers = (_fiber: RequestFiber, ...owned: ReadonlyArray<Owned>): Change => (context) => {
  const root = rootOf(context)
  if (root === undefined) return context
  for (const [owner, handle] of owned) {
    const outer = root.preResponseHandler
    // A function of its own: the same one may be appended to several requests.
    const own: Handle = (request, response) => {
      keepAnnotation(root)
      return handle(request, response)
    }
    HttpEffect.appendPreResponseHandlerUnsafe(context, own)
    const link = root.preResponseHandler!
    link.owner = owner
    link.outer = outer
  }
  return context
}

/**
 * Runs a handler once more after those that the app has appended in the meantime: they run behind it, and may overwrite what
 * it set (the platform's CORS sets `Vary` anew). Nothing is appended where there are none.
 */
export const keepLast = <A, E, R>(
  app: Effect.Effect<A, E, R>,
  owned: Owned
): Effect.Effect<A, E, R> =>
  Effect.onExit(
    app,
    () => Effect.withFiber((fiber) => appended(fiber)?.owner === owned[0] ? Effect.void : make(handlers(fiber, owned)))
  )

/** Appends a handler to the request's root. */
export const append = (
  fiber: RequestFiber,
  _request: HttpServerRequest,
  owned: Owned,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<void> => make(handlers(fiber, owned), ...changes)

/** The same for a layer: the root is one, however many fibers build layers side by side. */
export const share: typeof append = append

/** The last of those whose handlers will see the request's response of whom `is` is true. */
export const find = <A>(
  fiber: RequestFiber,
  _request: HttpServerRequest,
  is: (owner: unknown) => owner is A
): A | undefined => {
  for (let link = appended(fiber); link !== undefined; link = link.outer) if (is(link.owner)) return link.owner
  return undefined
}

/** On every log line of the fiber from here on: what runs after the app, the server's own line, has it too. */
export const annotation = (_fiber: RequestFiber, key: string, value: string): Change => (context) => {
  const root = rootOf(context)
  if (root !== undefined) root.annotated = [key, value]
  return annotate(context, [key, value])
}

const annotate = (context: Context.Context<never>, [key, value]: Annotated): Context.Context<never> =>
  Context.add(context, References.CurrentLogAnnotations, {
    ...Context.get(context, References.CurrentLogAnnotations),
    [key]: value
  })

/** An `HttpApi` provides services around its middlewares, and takes the context back before the handlers of the response. */
const keepAnnotation = ({ annotated }: Root): void => {
  const fiber = Fiber.getCurrent()
  if (fiber === undefined || annotated === undefined) return
  const [key, value] = annotated
  if (fiber.getRef(References.CurrentLogAnnotations)[key] !== value) {
    fiber.setContext(annotate(fiber.context, annotated))
  }
}

/** Makes changes that outlast the app. */
export const make = (...changes: ReadonlyArray<Change>): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    change(fiber, fiber.context, changes)
    return Effect.void
  })

const change = (fiber: RequestFiber, context: Context.Context<never>, changes: ReadonlyArray<Change>): void =>
  fiber.setContext(changes.reduce((context, change) => change(context), context))

/**
 * The app with a service, and with changes that outlast it. The service outlasts it, too: the fiber is the request's, and
 * its root takes the context back. Taking it back here is done only where the service stands in for an outer one.
 */
export const provide = <A, E, R, I, S>(
  fiber: RequestFiber,
  app: Effect.Effect<A, E, R>,
  tag: Context.Key<I, S>,
  service: S,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<A, E, Exclude<R, I>> => provideAll<A, E, R, I>(fiber, app, [[tag.key, service]], ...changes)

/** {@link provide} of several services at once; `I` are those that the app loses from its type. */
export const provideAll = <A, E, R, I>(
  fiber: RequestFiber,
  app: Effect.Effect<A, E, R>,
  services: ReadonlyArray<Entry>,
  ...changes: ReadonlyArray<Change>
): Effect.Effect<A, E, Exclude<R, I>> => {
  const outer = fiber.context
  change(fiber, withServices(outer, services), changes)
  const within = provided<A, E, R, I>(app)
  return services.some(([key]) => outer.mapUnsafe.has(key))
    ? Effect.ensuring(within, Effect.sync(() => fiber.setContext(outer)))
    : within
}

/** An app whose fiber has the service already: its context is one without a type, so that `R` loses just that. */
export const provided = <A, E, R, I>(app: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, I>> =>
  app as Effect.Effect<A, E, Exclude<R, I>>
