/**
 * The body of a request that is read before the handler reads it.
 */
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The most bytes that the app lets a body have; undefined where it has set no limit. */
export const limit: Effect.Effect<number | undefined> = Effect.map(
  HttpIncomingMessage.MaxBodySize,
  Option.match({ onNone: () => undefined, onSome: Number })
)

/** The first text of a field of the form; undefined where the body has none, is too large, or cannot be read. */
export const field = (
  request: HttpServerRequest,
  name: string,
  maxBytes: number
): Effect.Effect<string | undefined> => {
  keepText(request)
  return request.urlParamsBody.pipe(
    HttpIncomingMessage.withMaxBodySize(Option.some(maxBytes)),
    Effect.map((params) => Option.getOrUndefined(UrlParams.getFirst(params, name))),
    Effect.orElseSucceed(() => undefined)
  )
}

/**
 * A body can be read once. The request remembers its text, and the one that a mounted router makes of it does not: it gets
 * the text of the first.
 */
const keepText = (request: HttpServerRequest): void => {
  const { modify, text } = request
  Object.defineProperties(request, {
    text: { value: text },
    modify: {
      value: (options: Parameters<HttpServerRequest["modify"]>[0]): HttpServerRequest => {
        const modified = modify.call(request, options)
        Object.defineProperty(modified, "text", { value: text })
        keepText(modified)
        return modified
      }
    }
  })
}
