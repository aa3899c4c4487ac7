/**
 * Carries the verdict on a request's session to its response: the one place where a response is changed.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { SessionConfig } from "../SessionConfig.js"
import type { CookieVerdict, RequestSession, SaveError } from "./session.js"
import * as SetCookie from "./setCookie.js"

type Response = HttpServerResponse.HttpServerResponse

/** The pre-response handler. Never fails: a handler that did would leave the client hanging. */
export const respond = (
  config: SessionConfig,
  session: RequestSession,
  original: Response
): Effect.Effect<Response> => {
  if (!session.touched) return Effect.zipRight(session.finish(false), warnOfForeign(config, original))
  return Effect.suspend(() => {
    const response = liftWebResponse(original)
    return Effect.flatMap(
      session.finish(config.commitWhen(response.status)),
      ({ cookie, failure }) =>
        failure === undefined
          ? settle(config, response, cookie)
          : Effect.zipRight(logFailure(failure), settle(config, unavailable(response), cookie))
    )
  }).pipe(
    Effect.catchAllCause((cause) =>
      Effect.as(
        Effect.logError("the session's commit died", Cause.isDie(cause) ? "defect" : "interrupted"),
        setHeaders(unavailable(original), { vary: SetCookie.varyOnCookie(original.headers["vary"]) })
      )
    )
  )
}

const settle = (config: SessionConfig, response: Response, verdict: CookieVerdict): Effect.Effect<Response> => {
  const vary = SetCookie.varyOnCookie(response.headers["vary"])
  if (verdict._tag === "None") {
    return warnOfForeign(config, vary === response.headers["vary"] ? response : setHeaders(response, { vary }))
  }
  const cookies = SetCookie.of(config)
  const cookie = verdict._tag === "Set" ? cookies.set(verdict.token, verdict.maxAge) : cookies.removal
  const sent = HttpServerResponse.replaceCookies(
    setHeaders(response, { vary, "cache-control": SetCookie.noStore(response.headers["cache-control"]) }),
    Cookies.setCookie(response.cookies, cookie)
  )
  return hasCookie(response, config.name) ? Effect.as(Effect.logWarning(foreignReplaced), sent) : Effect.succeed(sent)
}

const setHeaders = (response: Response, headers: Record<string, string>): Response =>
  HttpServerResponse.setHeaders(response, headers)

// ── a cookie of our name that is not ours ──

const hasCookie = (response: Response, name: string): boolean => Object.hasOwn(response.cookies.cookies, name)

const foreignReplaced = "the handler set a cookie of the session's name itself: it was replaced"

const warnOfForeign = (config: SessionConfig, response: Response): Effect.Effect<Response> =>
  hasCookie(response, config.name)
    ? Effect.as(Effect.logWarning("the handler set a cookie of the session's name itself"), response)
    : Effect.succeed(response)

// ── a failed commit ──

/** A new response; of the handler's, only what CORS and logs need. No internals. */
const unavailable = (response: Response): Response => {
  const headers: Record<string, string> = { "cache-control": "no-store" }
  for (const name in response.headers) {
    if (name === "x-request-id" || name === "vary" || name.startsWith("access-control-")) {
      headers[name] = response.headers[name]
    }
  }
  return HttpServerResponse.empty({ status: 503, headers: Headers.fromInput(headers) })
}

const logFailure = (error: SaveError): Effect.Effect<void> =>
  Effect.logError("the session could not be saved: the response was replaced by a 503", error.message, describe(error))

/**
 * What a log may say of a cause: a text that the adapter wrote for it, or the name and the code of an error. A driver's own
 * message may hold values of the session.
 */
const describe = (error: SaveError): string => {
  const detail: unknown = error._tag === "SessionStoreError" ? error.detail : undefined
  if (typeof detail === "string") return detail
  const thrown = Cause.isCause(detail) ? Cause.squash(detail) : detail
  if (!(thrown instanceof Error)) return ""
  const code = (thrown as { readonly code?: unknown }).code
  return typeof code === "string" ? `${thrown.name} (${code})` : thrown.name
}

// ── a web Response as body ──

/**
 * A handler may answer with a web `Response` as it is. The platform would send that one's status and lose one side's
 * cookies; taken apart, it is a response like any other.
 */
const liftWebResponse = (response: Response): Response => {
  const { body } = response
  if (body._tag !== "Raw" || !(body.body instanceof globalThis.Response)) return response
  const inner = body.body
  const headers: Record<string, string> = {}
  inner.headers.forEach((value, name) => {
    if (name !== "set-cookie") headers[name] = value
  })
  return HttpServerResponse.setBody(
    HttpServerResponse.empty({
      status: inner.status,
      statusText: inner.statusText,
      headers: Headers.fromInput({ ...headers, ...response.headers }),
      cookies: Cookies.merge(Cookies.fromSetCookie(inner.headers.getSetCookie()), response.cookies)
    }),
    inner.body === null ? HttpBody.empty : HttpBody.raw(inner.body)
  )
}
