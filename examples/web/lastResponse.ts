/**
 * For the panel: what the response to the last form said about cookies. It travels to the next page in a cookie of its own,
 * `demo_last_response`, which holds a description and no secret. An app that is not a demo has no use for this file.
 */
import { Cookies, HttpApp, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import type { Option } from "effect"
import { Effect, Schema } from "effect"

const name = "demo_last_response"

const LastResponse = Schema.parseJson(Schema.Struct({
  request: Schema.String,
  status: Schema.Int,
  setCookies: Schema.Array(Schema.String)
}))
export type LastResponse = typeof LastResponse.Type

const decode = Schema.decodeUnknownOption(LastResponse)
const encode = Schema.encodeSync(LastResponse)

/** A Set-Cookie header as anybody may see it: with the length of the value in place of the value. */
export const withoutValue = (setCookie: string): string =>
  setCookie.replace(/=([^;]*)/, (_, value: string) => value === "" ? "=" : `=(${value.length} characters)`)

/** Notes what the response of this request says. The response's own handlers run later than those of the session. */
export const note = HttpApp.appendPreResponseHandler((request, response) => {
  const text = encode({
    request: `${request.method} ${request.url.split("?")[0]}`,
    status: response.status,
    setCookies: Cookies.toSetCookieHeaders(response.cookies).filter((text) => !text.startsWith(name)).map(withoutValue)
  })
  return Effect.succeed(HttpServerResponse.unsafeSetCookie(response, name, text, {
    httpOnly: true,
    sameSite: "lax",
    path: "/",
    maxAge: "5 minutes"
  }))
})

/** A client can put anything into the cookie: what does not decode is not shown. */
export const read: Effect.Effect<Option.Option<LastResponse>, never, HttpServerRequest.HttpServerRequest> = Effect.map(
  HttpServerRequest.HttpServerRequest,
  (request) => decode(request.cookies[name])
)
