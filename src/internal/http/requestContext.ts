/**
 * Gives a request its session: finds the one that has begun, or begins one and appends the handler that commits it.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { MissingRequestId } from "../../SessionError.js"
import { type Entry, serviceIn } from "../edition/context.js"
import { RequestContext, type RequestContextService } from "../request/contract.js"
import { disabled } from "../request/disabled.js"
import { RequestSession } from "../request/requestSession.js"
import { SessionStore, type SessionStoreService } from "../store/contract.js"
import { SessionList, Sessions } from "../store/subjectContract.js"
import * as RequestFiber from "./requestFiber.js"
import * as Id from "./requestId.js"
import { respond } from "./respond.js"
import { isHandshake, onUpgrade } from "./upgrade.js"
import { noHead } from "./webResponse.js"

/**
 * The pre-response handler of a session: it reaches every response, in every host. Where the id of the request has begun with
 * the session, it carries the id too, so that the response is copied once for both.
 */
const ownedBy = (
  session: RequestSession,
  request: HttpServerRequest.HttpServerRequest,
  begun?: Id.Begun
): RequestFiber.Owned => [
  session,
  ({ source }, response) => {
    if (source === request.source) return respond(session, response, request, begun?.head ?? noHead)
    // A request that the handler makes of an app in this process inherits its handlers: the inner response does not concern this session.
    return Effect.succeed(begun === undefined ? response : begun.on(response))
  }
]

class Facts {
  constructor(private readonly request: HttpServerRequest.HttpServerRequest) {}
  isOf(request: HttpServerRequest.HttpServerRequest): boolean {
    return this.request.source === request.source // the request itself is another one under a mounted router
  }
  get cookie(): string | undefined {
    return this.request.headers["cookie"]
  }
  get userAgent(): string | undefined {
    return this.request.headers["user-agent"]
  }
  get asked(): HttpServerRequest.HttpServerRequest {
    return this.request
  }
}

/** A session for the request; where the app may take the socket over, the session will know. */
const begin = (store: SessionStoreService, request: HttpServerRequest.HttpServerRequest): RequestSession => {
  const session = new RequestSession(store, new Facts(request))
  if (isHandshake(request)) onUpgrade(request, session.upgrade)
  return session
}

/**
 * A session that has begun for this request, under this cookie (row M13). That of another cookie is another one; and a
 * handler may make a request of an app in this process, whose session is its own cookie's.
 */
const isSession =
  (request: HttpServerRequest.HttpServerRequest, store: SessionStoreService) =>
  (owner: unknown): owner is RequestSession =>
    owner instanceof RequestSession && owner.isOpen && owner.cookieName === store.config.name
    && (!(owner.request instanceof Facts) || owner.request.isOf(request))

const isOfOther = (request: HttpServerRequest.HttpServerRequest) => (owner: unknown): owner is RequestSession =>
  owner instanceof RequestSession && owner.request instanceof Facts && !owner.request.isOf(request)

/** A context that is no session of ours: a test's own. */
const foreignIn = (fiber: Fiber.RuntimeFiber<unknown, unknown>): RequestContextService | undefined => {
  const service = serviceIn<RequestContextService>(fiber.currentContext, RequestContext)
  return service === disabled || service instanceof RequestSession ? undefined : service
}

/** The context of the request: an outer middleware's, where one has begun it. */
export const ensure = (
  store: SessionStoreService,
  append: typeof RequestFiber.append
): Effect.Effect<RequestContextService, never, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    if (!store.config.enable) return Effect.succeed(disabled)
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = foreignIn(fiber) ?? RequestFiber.find(fiber, request, isSession(request, store))
    if (outer !== undefined) return Effect.succeed(outer)
    const session = begin(store, request)
    return Effect.as(append(fiber, request, ownedBy(session, request)), session)
  })

/** Only reachable where types were cast away (row R5). */
const missingRequestId: Effect.Effect<never> = Effect.zipRight(
  Effect.withSpan(
    Effect.logError("missing request_id request extension"),
    "RequestContextService::call",
    { attributes: { level: "DEBUG" } }
  ),
  Effect.suspend(() => Effect.die(new MissingRequestId()))
)

/** What the layer of a router's middleware was built with; the fiber of a request has it where nothing is given. */
interface Given {
  readonly store: SessionStoreService
  /** what comes with some stores only: a handler that uses it compiles wherever the platform hands the app's own services on */
  readonly beside: ReadonlyArray<Entry>
}

const entriesOf = <I, S>(tag: Context.Tag<I, S>, service: Option.Option<S>): ReadonlyArray<Entry> =>
  Option.isSome(service) ? [[tag, service.value]] : []

export const given: Effect.Effect<Given, never, SessionStore> = Effect.map(
  Effect.all([SessionStore, Effect.serviceOption(Sessions), Effect.serviceOption(SessionList)]),
  ([store, sessions, list]) => ({ store, beside: [...entriesOf(Sessions, sessions), ...entriesOf(SessionList, list)] })
)

/** The app with the context of the request. */
export const supply = <A extends HttpServerResponse, E, R>(
  app: Effect.Effect<A, E, R>,
  given: Given | undefined
): Effect.Effect<HttpServerResponse, E, Exclude<R, RequestContext> | HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    if (serviceIn(fiber.currentContext, Id.RequestId) === undefined) return missingRequestId
    const store = given?.store ?? Context.unsafeGet(fiber.currentContext, SessionStore)
    if (!store.config.enable) return RequestFiber.provide(fiber, app, RequestContext, disabled)
    if (foreignIn(fiber) !== undefined) return RequestFiber.provided<A, E, R, RequestContext>(app)
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = RequestFiber.find(fiber, request, isSession(request, store))
    if (outer !== undefined) {
      return serviceIn(fiber.currentContext, RequestContext) === outer
        ? RequestFiber.provided<A, E, R, RequestContext>(app)
        : RequestFiber.provide(fiber, app, RequestContext, outer)
    }
    const session = begin(store, request)
    const owned = ownedBy(session, request)
    const handlers = RequestFiber.handlers(fiber, owned)
    const entries = servicesOf(session, fiber.currentContext, given)
    const within = RequestFiber.provideAll<A, E, R, RequestContext>(fiber, app, entries, handlers)
    return RequestFiber.find(fiber, request, isOfOther(request)) === undefined
      ? RequestFiber.keepLast(within, owned)
      : atItsEnd(session, within)
  })

/**
 * {@link supply} and `RequestId.supply` in one: what both change of the fiber is changed in one step. Where something is there
 * already, or sessions are disabled, each is supplied by itself.
 */
export const supplyBoth = (options: Id.IdOptions) => {
  const supplyId = Id.supply(options)
  return <A extends HttpServerResponse, E, R>(
    app: Effect.Effect<A, E, R>,
    given: Given | undefined
  ): Effect.Effect<
    HttpServerResponse,
    E,
    Exclude<Exclude<R, RequestContext>, Id.RequestId> | HttpServerRequest.HttpServerRequest
  > =>
    Effect.withFiberRuntime((fiber) => {
      const { currentContext } = fiber
      const store = given?.store ?? Context.unsafeGet(currentContext, SessionStore)
      const request = Context.unsafeGet(currentContext, HttpServerRequest.HttpServerRequest)
      if (
        !store.config.enable || serviceIn(currentContext, Id.RequestId) !== undefined
        || serviceIn(currentContext, RequestContext) !== undefined
        || RequestFiber.find(fiber, request, isAnyone) !== undefined
      ) {
        return supplyId(supply(app, given))
      }
      const begun = Id.begin(fiber, request, options)
      const session = begin(store, request)
      const owned = ownedBy(session, request, begun)
      const within = RequestFiber.provideAll<A, E, R, RequestContext>(
        fiber,
        app,
        [...servicesOf(session, currentContext, given), [Id.RequestId, begun.id]],
        Id.annotation(fiber, begun),
        RequestFiber.handlers(fiber, [begun, unchanged], owned)
      )
      return RequestFiber.provided<A, E, Exclude<R, RequestContext>, Id.RequestId>(RequestFiber.keepLast(within, owned))
    })
}

/** The session's handler does what is to be done; whoever looks for the id of the request finds it here. */
const unchanged: RequestFiber.Handle = (_request, response) => Effect.succeed(response)

const isAnyone = (owner: unknown): owner is object => owner !== undefined

/** The services that the request gets with its session. */
const servicesOf = (
  session: RequestSession,
  context: Context.Context<never>,
  given: Given | undefined
): Array<Entry> => {
  const entries: Array<Entry> = [[RequestContext, session]]
  if (given === undefined) return entries
  for (const entry of given.beside) if (serviceIn(context, entry[0]) === undefined) entries.push(entry)
  return entries
}

/**
 * For a request that a handler makes of an app as an effect, in its own fiber: the handlers there are the outer response's,
 * and never see the inner one. Where they do (an app with fibers of its own) the session is finished already.
 */
const atItsEnd = <E, R>(
  session: RequestSession,
  app: Effect.Effect<HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse, E, R> =>
  Effect.flatMap(app, (response) => respond(session, response, undefined, noHead))
