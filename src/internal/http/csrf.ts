/**
 * Keeps requests of other sites from the handlers: reads what the decision needs from the request, and carries it out.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { CsrfRefused, type SessionStoreError } from "../../SessionError.js"
import { decide, type Facts } from "../csrf/decide.js"
import type { Origins } from "../csrf/origins.js"
import * as Secret from "../csrf/secret.js"
import * as Time from "../edition/clock.js"
import type { RequestContextService } from "../request/contract.js"
import * as Reporting from "../request/reporting.js"
import { RequestSession } from "../request/requestSession.js"
import * as Metrics from "../store/metrics.js"
import * as Body from "./body.js"
import { isHandshake } from "./upgrade.js"

/** Where a script puts the token. */
export const headerName = "x-csrf-token"

/** Where a form puts the token. */
export const fieldName = "_csrf"

/** The most bytes of a form that are read for its token, unless the app has set a limit of its own. */
const maxFormBytes = 1024 * 1024

/** What the app has configured. */
export interface Policy {
  readonly origins: Origins
  readonly exempt: (request: HttpServerRequest) => boolean
}

/** Sees that the request may run. Already done, without a step of the fiber, where its headers are enough. */
export const check = <E, R>(
  policy: Policy,
  request: HttpServerRequest,
  context: Effect.Effect<RequestContextService, E, R>
): Effect.Effect<void, CsrfRefused | SessionStoreError | E, R> => {
  const facts = factsOf(request)
  const decision = decide(policy.origins, facts)
  if (decision._tag === "Allowed" || policy.exempt(request)) return Effect.void
  if (decision._tag === "Refused") {
    return Effect.flatMap(context, (context) => refuse(facts, decision.reason, context))
  }
  return Effect.flatMap(
    context,
    (context) =>
      Effect.flatMap(
        Secret.verify(context, tokenIn(request)),
        (verdict) => verdict === "Right" ? Effect.void : refuse(facts, verdict, context)
      )
  )
}

/** The headers are decided on as they are: no `X-Forwarded-*` is read, because any client can send one. */
const factsOf = (request: HttpServerRequest): Facts => ({
  method: request.method,
  handshake: isHandshake(request),
  site: request.headers["sec-fetch-site"],
  origin: request.headers["origin"],
  host: request.headers["host"] ?? hostOf(request.source)
})

/** A web `Request` may have its host in its address alone. */
const hostOf = (source: unknown): string | undefined =>
  source instanceof globalThis.Request ? new URL(source.url).host : undefined

const refuse = (
  { method, origin, site }: Facts,
  reason: CsrfRefused["reason"],
  context: RequestContextService
): Effect.Effect<never, CsrfRefused> =>
  Effect.withFiberRuntime((fiber) => {
    Metrics.csrfRefused(reason)
    if (context instanceof RequestSession) Reporting.refused(context, reason, Time.now(fiber))
    return Effect.zipRight(
      Effect.logDebug("refused a request that another site may have caused", { reason, method, origin, site }),
      Effect.fail(CsrfRefused.of(reason))
    )
  })

// ── the token that a request carries ──

const isForm = (request: HttpServerRequest): boolean =>
  /^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers["content-type"] ?? "")

/** In the header, or else in the field of a form; a body that cannot be read has none. */
const tokenIn = (request: HttpServerRequest): Effect.Effect<string | undefined> => {
  const { [headerName]: inHeader } = request.headers
  if (inHeader !== undefined) return Effect.succeed(inHeader)
  if (!isForm(request)) return Effect.succeed(undefined)
  return Effect.flatMap(Body.limit, (limit = maxFormBytes) =>
    // The platform ends the connection of a body that turns out too large. Where its length is known, a 403 can be sent.
    Number(request.headers["content-length"] ?? 0) > limit
      ? Effect.succeed(undefined)
      : Body.field(request, fieldName, limit))
}
