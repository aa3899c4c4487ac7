/**
 * Gives a request its id: takes over the one that an outer middleware has made, or makes one (row R1).
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { LazyArg } from "effect/Function"
import * as Tracer from "effect/Tracer"
import { randomUUID } from "node:crypto"
import { serviceIn } from "../edition/context.js"
import * as RequestFiber from "./requestFiber.js"
import * as WebResponse from "./webResponse.js"

/** The options of the public module, checked and complete. */
export interface IdOptions {
  readonly trustInbound: boolean
  /** in lower case, as the platform has all names of headers */
  readonly header: string
  readonly generate: LazyArg<string>
}

const defaultHeader = "x-request-id"

/** Their values are secrets, and an id is in the logs. */
const secretHeaders = ["cookie", "set-cookie", "authorization", "proxy-authorization"]

const checkedHeader = (name: string): string => {
  const header = name.toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header) || secretHeaders.includes(header)) {
    throw new TypeError(`the request's id cannot be in a header that is called ${JSON.stringify(name)}`)
  }
  return header
}

export const resolve = (
  { generate = randomUUID, header, trustInbound = true }: {
    readonly trustInbound?: boolean | undefined
    readonly header?: string | undefined
    readonly generate?: LazyArg<string> | undefined
  }
): IdOptions => ({ trustInbound, header: header === undefined ? defaultHeader : checkedHeader(header), generate })

/** Without every character that a log, a header or a file name could trip over. */
const sanitised = (id: string): string => id.replace(/[^A-Za-z0-9_@-]/g, "").slice(0, 255)

/** The client's id; else one of our own. */
export const make = (inbound: string | undefined, generate: LazyArg<string>): string => {
  const kept = inbound === undefined ? "" : sanitised(inbound)
  return kept === "" ? sanitised(generate()) || randomUUID() : kept
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
  constructor(readonly id: string, readonly header: string) {}

  /** What every response of the request has. */
  get head(): WebResponse.Head {
    return { [this.header]: this.id }
  }

  on(response: HttpServerResponse): HttpServerResponse {
    return WebResponse.withHead(response, this.head)
  }

  readonly handle: RequestFiber.Handle = (_request, response) => Effect.succeed(this.on(response))
}

const isBegun = (owner: unknown): owner is Begun => owner instanceof Begun

const idIn = (fiber: Fiber.RuntimeFiber<unknown, unknown>): string | undefined =>
  serviceIn<string>(fiber.currentContext, RequestId)

/**
 * Makes the id of the current request, on its span; the id that is there already, of a fixed layer or of a request that
 * this one is made for, stays.
 */
export const begin = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  request: HttpServerRequest.HttpServerRequest,
  { generate, header, trustInbound }: IdOptions
): Begun => {
  const id = idIn(fiber) ?? make(trustInbound ? request.headers[header] : undefined, generate)
  const span = serviceIn<Tracer.AnySpan>(fiber.currentContext, Tracer.ParentSpan)
  if (span?._tag === "Span") span.attribute("request_id", id)
  return new Begun(id, header)
}

/**
 * The log annotation is set in the request's fiber and not around the handler, so that the server's own log line has it
 * too.
 */
export const annotation = (fiber: Fiber.RuntimeFiber<unknown, unknown>, { id }: Begun): RequestFiber.Change =>
  RequestFiber.annotation(fiber, "request_id", id)

/** What has begun the id of the fiber's request; the fiber may be one that a handler has forked. */
const begunOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Begun | undefined => {
  const request = serviceIn<HttpServerRequest.HttpServerRequest>(
    fiber.currentContext,
    HttpServerRequest.HttpServerRequest
  )
  return request === undefined ? undefined : RequestFiber.find(fiber, request, isBegun)
}

/** The header in which the response of the fiber's request carries its id. */
export const headerOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): string => begunOf(fiber)?.header ?? defaultHeader

/** An outgoing request with the id of the fiber's request; as it is where there is none, or where it has one already. */
export const withId = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  outgoing: HttpClientRequest.HttpClientRequest,
  header: string | undefined
): HttpClientRequest.HttpClientRequest => {
  const begun = begunOf(fiber)
  const id = idIn(fiber) ?? begun?.id
  const name = header ?? begun?.header ?? defaultHeader
  return id === undefined || outgoing.headers[name] !== undefined
    ? outgoing
    : HttpClientRequest.setHeader(outgoing, name, id)
}

/** The header of an outgoing request, checked. */
export const outgoingHeader = (header: string | undefined): string | undefined =>
  header === undefined ? undefined : checkedHeader(header)

/** The id of the request: an outer middleware's, where one has made it. */
export const ensure = (
  options: IdOptions,
  append: typeof RequestFiber.append
): Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = Context.unsafeGet(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    const outer = RequestFiber.find(fiber, request, isBegun)
    if (outer !== undefined) return Effect.succeed(outer.id)
    const begun = begin(fiber, request, options)
    return Effect.as(append(fiber, request, [begun, begun.handle], annotation(fiber, begun)), begun.id)
  })

/** Where an outer middleware has made the id, it stays. */
export const supply = (options: IdOptions) =>
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
    const begun = begin(fiber, request, options)
    const handlers = RequestFiber.handlers(fiber, [begun, begun.handle])
    return RequestFiber.provide(fiber, app, RequestId, begun.id, annotation(fiber, begun), handlers)
  })
