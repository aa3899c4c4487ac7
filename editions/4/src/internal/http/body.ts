/**
 * The body of a request that is read before the handler reads it.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"

/** The most bytes that the app lets a body have; undefined where it has set no limit. */
export const limit: Effect.Effect<number | undefined> = Effect.map(
  HttpIncomingMessage.MaxBodySize,
  (size) => size === undefined ? undefined : Number(ByteSize.toBigInt(size))
)

/** The first text of a field of the form; undefined where the body has none, is too large, or cannot be read. */
export const field = (
  request: HttpServerRequest,
  name: string,
  maxBytes: number
): Effect.Effect<string | undefined> => {
  keepBytes(request)
  return request.urlParamsBody.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBytes)),
    Effect.map((params) => Option.getOrUndefined(UrlParams.getFirst(params, name))),
    Effect.map((text) => typeof text === "string" ? text : undefined),
    Effect.orElseSucceed(() => undefined)
  )
}

/**
 * A body can be read once. The request remembers its bytes, and the one that a mounted router makes of it does not: it gets
 * the bytes of the first.
 */
const keepBytes = (request: HttpServerRequest): void => {
  const { arrayBuffer, modify } = request
  Object.defineProperties(request, {
    arrayBuffer: { value: arrayBuffer },
    modify: {
      value: (options: Parameters<HttpServerRequest["modify"]>[0]): HttpServerRequest => {
        const modified = modify.call(request, options)
        Object.defineProperty(modified, "arrayBuffer", { value: arrayBuffer })
        keepBytes(modified)
        return modified
      }
    }
  })
}
