/**
 * A handler may answer with a web `Response` as it is (`HttpServerResponse.raw(await fetch(…))`). The platform sends that
 * one's status and loses one side's cookies, cannot set a header where the Response came from `fetch`, and leaves the
 * client of a Node server hanging. Taken apart, it is a response like any other.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"

type Response = HttpServerResponse.HttpServerResponse

/** The response itself, unless its body is a web `Response`. */
export const lift = (response: Response): Response => {
  const { body } = response
  if (body._tag !== "Raw" || !(body.body instanceof globalThis.Response)) return response
  return HttpServerResponse.fromWeb(body.body).pipe(
    HttpServerResponse.setHeaders(response.headers),
    HttpServerResponse.mergeCookies(response.cookies)
  )
}
