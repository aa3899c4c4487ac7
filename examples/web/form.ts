/**
 * Forms: reading one that was sent, and the redirect that follows, so that reloading the page does not send it again.
 */
import { FileSystem, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Data, Effect, Option } from "effect"

const maxBytes = 16 * 1024

/** The body is too large, or was cut off. */
export class UnreadableForm extends Data.TaggedError("UnreadableForm") {}

export const readForm = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return yield* new UnreadableForm()
  const body = yield* request.text.pipe(
    HttpServerRequest.withMaxBodySize(Option.some(FileSystem.Size(maxBytes))),
    Effect.mapError(() => new UnreadableForm())
  )
  return body.length > maxBytes ? yield* new UnreadableForm() : new URLSearchParams(body)
})

/** The text of a field, or the empty text. */
export const field = (form: URLSearchParams, name: string): string => form.get(name) ?? ""

/** The path if it leads to a page of this app, and otherwise `/`: a form must not send anybody to another site. */
export const ownPath = (path: string): string => {
  const here = "http://app.invalid"
  if (!path.startsWith("/") || !URL.canParse(path, here)) return "/"
  const { href, origin } = new URL(path, here)
  return origin === here ? href.slice(here.length) : "/"
}

/** 303: the browser loads the page with a GET. */
export const redirect = (path: string) => HttpServerResponse.redirect(path, { status: 303 })
