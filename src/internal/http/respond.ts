/**
 * Carries the verdict on a request's session to its response: the one place where a response gets or loses the session's cookie.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Time from "../edition/clock.js"
import { andThen, isDone } from "../edition/done.js"
import type { CookieVerdict, SaveFailure } from "../request/answer.js"
import type { RequestSession } from "../request/requestSession.js"
import type { SessionConfig } from "../store/options.js"
import * as Reported from "../store/reported.js"
import * as ClientGone from "./clientGone.js"
import * as RequestId from "./requestId.js"
import * as SetCookie from "./setCookie.js"
import * as WebResponse from "./webResponse.js"

type Response = HttpServerResponse.HttpServerResponse
type RequestFiber = Fiber.RuntimeFiber<unknown, unknown>

/**
 * The pre-response handler. Never fails: a handler that did would leave the client hanging. Where the store needs no I/O
 * it runs through without a fiber's frame. It may run again, over a response that it has changed already: after a body that
 * failed on its way, and behind handlers that the app has appended. Then nothing is decided or logged a second time.
 *
 * `recipient` is the request whose client gets the response, and undefined where the app gets it that has made the request.
 * `head` are the headers that the response gets in any case, in the same copy.
 */
export const respond = (
  session: RequestSession,
  original: Response,
  recipient: HttpServerRequest | undefined,
  head: WebResponse.Head
): Effect.Effect<Response> => {
  const { config } = session
  const isFirst = session.isOpen
  const isForeign = isFirst && holdsCookie(config, original)
  if (!session.touched) {
    session.leave()
    const sent = received(recipient, WebResponse.withHead(original, head))
    return isForeign ? Effect.as(Effect.logWarning(foreignLeft), sent) : Effect.succeed(sent)
  }
  return Effect.withFiberRuntime((fiber) => {
    try {
      const response = WebResponse.lift(original)
      const responded = andThen(
        session.finish(config.commitWhen(response.status), Time.now(fiber)),
        ({ cookie, failure }) => {
          if (failure === undefined) return settle(config, response, head, cookie, isForeign)
          const failed = settle(config, unavailable(response, RequestId.headerOf(fiber)), head, cookie, false)
          return isFirst ? Effect.zipRight(logFailure(failure), failed) : failed
        }
      )
      if (isDone(responded)) {
        const sent = received(recipient, responded.value)
        return sent === responded.value ? responded : Effect.succeed(sent)
      }
      return Effect.map(
        Effect.catchAllCause(responded, (cause) => died(fiber, original, head, cause)),
        (response) => received(recipient, response)
      )
    } catch (defect) {
      return died(fiber, original, head, Cause.die(defect))
    }
  })
}

const received = (recipient: HttpServerRequest | undefined, response: Response): Response =>
  recipient === undefined ? response : ClientGone.withoutBodyIfGone(recipient, response)

const died = (
  fiber: RequestFiber,
  original: Response,
  head: WebResponse.Head,
  cause: Cause.Cause<unknown>
): Effect.Effect<Response> =>
  Effect.as(
    Effect.logError("the session's commit died", Cause.isDie(cause) ? "defect" : "interrupted"),
    WebResponse.withHead(unavailable(original, RequestId.headerOf(fiber)), {
      ...head,
      vary: SetCookie.varyOnCookie(original.headers["vary"])
    })
  )

const settle = (
  config: SessionConfig,
  response: Response,
  head: WebResponse.Head,
  verdict: CookieVerdict,
  isForeign: boolean
): Effect.Effect<Response> => {
  const vary = SetCookie.varyOnCookie(response.headers["vary"])
  if (verdict._tag === "None") {
    const sent = WebResponse.withHead(response, vary === response.headers["vary"] ? head : { ...head, vary })
    return isForeign ? Effect.as(Effect.logWarning(foreignLeft), sent) : Effect.succeed(sent)
  }
  const cookies = SetCookie.of(config)
  const cookie = verdict._tag === "Set" ? cookies.set(verdict.token, verdict.maxAge) : cookies.removal
  const sent = WebResponse.withHead(
    uncacheable(config, response),
    { ...head, vary, "cache-control": SetCookie.noStore(response.headers["cache-control"]) },
    withFormer(withCookie(response.cookies, cookie), cookies.former)
  )
  return isForeign ? Effect.as(Effect.logWarning(foreignReplaced), sent) : Effect.succeed(sent)
}

/** Without what would let a shared cache keep the cookie, and without a cookie of ours that was set as a header by hand. */
const uncacheable = (config: SessionConfig, response: Response): Response => {
  const kept = SetCookie.withoutCdnCaching(response.headers)
  const headers = inHeader(config, response) ? Headers.remove(kept, ["set-cookie"]) : kept
  return headers === response.headers
    ? response
    : HttpServerResponse.setBody(HttpServerResponse.empty({ ...response, headers }), response.body)
}

// ── a cookie of our name that is not ours ──

/**
 * A cookie of our name is replaced, unless it names a scope of its own: then it is another cookie for the browser, and stays.
 */
const withCookie = (all: Cookies.Cookies, ours: Cookies.Cookie): Cookies.Cookies => {
  const { [ours.name]: theirs } = all.cookies
  if (
    theirs === undefined || !WebResponse.hasScope(theirs) || WebResponse.scopeOf(theirs) === WebResponse.scopeOf(ours)
  ) {
    return Cookies.setCookie(all, ours)
  }
  return Cookies.fromReadonlyRecord({ ...all.cookies, [WebResponse.keyOf(theirs)]: theirs, [ours.name]: ours })
}

/** Together with the removals of former scopes; a cookie that the handler set in one of these would be the session's. */
const withFormer = (all: Cookies.Cookies, former: SetCookie.SessionCookies["former"]): Cookies.Cookies => {
  for (const _ in former) return Cookies.fromReadonlyRecord({ ...all.cookies, ...former })
  return all
}

/** Among the response's cookies, or as a header that was set by hand. */
const holdsCookie = (config: SessionConfig, response: Response): boolean =>
  Object.hasOwn(response.cookies.cookies, config.name) || inHeader(config, response)

const inHeader = (config: SessionConfig, response: Response): boolean =>
  response.headers["set-cookie"]?.split("=", 1)[0].trim() === config.name

const foreignReplaced = "the handler set a cookie of the session's name itself: it was replaced"

const foreignLeft = "the handler set a cookie of the session's name itself"

// ── a failed commit ──

/** A new response; of the handler's, only what CORS and logs need. No internals. */
const unavailable = (response: Response, idHeader: string): Response => {
  const headers: Record<string, string> = { "cache-control": "no-store" }
  for (const name in response.headers) {
    if (name === idHeader || name === "vary" || name.startsWith("access-control-")) {
      headers[name] = response.headers[name]
    }
  }
  return HttpServerResponse.empty({ status: 503, headers: Headers.fromInput(headers) })
}

/** Most failures are in the log already: a server store logs each failed call of its backend. */
const logFailure = (error: SaveFailure): Effect.Effect<void> =>
  Reported.has(error)
    ? Effect.void
    : Effect.logError("the session could not be saved: the response was replaced by a 503", error.message)
