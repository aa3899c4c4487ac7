/**
 * Gives a request its id: takes over the one that an outer middleware has made, or makes one (row R1).
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import { randomUUID } from "node:crypto"
import * as RequestFiber from "./requestFiber.js"
import * as WebResponse from "./webResponse.js"

export const headerName = "x-request-id"

/** The client's id without every character that a log, a header or a file name could trip over; else a UUID v4. */
export const make = (inbound: string | undefined): string => {
  const kept = inbound === undefined ? "" : inbound.replace(/[^A-Za-z0-9_@-]/g, "").slice(0, 255)
  return kept === "" ? randomUUID() : kept
}

/**
 * The id of the current request: `[A-Za-z0-9_@-]`, 1 to 255 characters.
 *
 * @since 0.1.0
 * @category tags
 */
export class RequestId extends Context.Tag("effect-session/RequestId")<RequestId, string>() {}

/** The id that a middleware has made for the request. */
export class Begun {
  constructor(readonly id: string) {}

  readonly handle: RequestFiber.Handle = (_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(WebResponse.lift(response), headerName, this.id))
}

const isBegun = (owner: unknown): owner is Begun => owner instanceof Begun

const idIn = (fiber: Fiber.RuntimeFiber<unknown, unknown>): string | undefined =>
  fiber.currentContext.unsafeMap.get(RequestId.key) as string | undefined

/**
 * Makes the id of the current request, on its span; the id that is there already, of a fixed layer or of a request that
 * this one is made for, stays.
 */
export const begin = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  request: HttpServerRequest.HttpServerRequest,
  trustInbound: boolean
): Begun => {
  const id = idIn(fiber) ?? make(trustInbound ? request.headers[headerName] : undefined)
  const span = fiber.currentContext.unsafeMap.get(Tracer.ParentSpan.key) as Tracer.AnySpan | undefined
  if (span?._tag === "Span") span.attribute("request_id", id)
  return new Begun(id)
}

/**
 * The log annotation is set in the request's fiber and not around the handler, so that the server's own log line has it
 * too.
 */
export const annotation = (fiber: Fiber.RuntimeFiber<unknown, unknown>, { id }: Begun): RequestFiber.Change =>
  RequestFiber.annotation(fiber, "request_id", id)

/** The id of the request: an outer middleware's, where one has made it. */
export const ensure = (
  trustInbound: boolean,
  append: typeof RequestFiber.append
): Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = RequestFiber.find(fiber, request, isBegun)
    if (outer !== undefined) return Effect.succeed(outer.id)
    const begun = begin(fiber, request, trustInbound)
    return Effect.as(append(fiber, request, [begun, begun.handle], annotation(fiber, begun)), begun.id)
  })

/** Where an outer middleware has made the id, it stays. */
export const supply = (trustInbound: boolean) =>
<A, E, R>(
  app: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, RequestId> | HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = RequestFiber.find(fiber, request, isBegun)
    if (outer !== undefined) {
      return idIn(fiber) === outer.id
        ? RequestFiber.provided<A, E, R, RequestId>(app)
        : RequestFiber.provide(fiber, app, RequestId, outer.id)
    }
    const begun = begin(fiber, request, trustInbound)
    const handlers = RequestFiber.handlers(fiber, [begun, begun.handle])
    return RequestFiber.provide(fiber, app, RequestId, begun.id, annotation(fiber, begun), handlers)
  })
