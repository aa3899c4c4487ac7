/**
 * Moves the session of another library into the one of this request, and takes its cookie away when that has worked.
 */
import * as Cookies from "@effect/platform/Cookies"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { SessionConfigError, SessionStoreError } from "../../SessionError.js"
import * as Time from "../edition/clock.js"
import { withDeadline } from "../edition/deadline.js"
import type { Former, Opened } from "../migration/former.js"
import { type ChangeError, RequestContext } from "../request/contract.js"
import { RequestSession } from "../request/requestSession.js"
import * as RequestFiber from "./requestFiber.js"
import * as SetCookie from "./setCookie.js"
import * as WebResponse from "./webResponse.js"

type Response = HttpServerResponse.HttpServerResponse

/**
 * - `move`: writes what an opened session holds into the session of the request; false where there is nothing to move.
 * - `forget`: the old store forgets a session whose cookie is taken away.
 * - `keeps`: the old cookie stays as long as the new session lives, for a deploy that may be rolled back.
 */
export interface Plan<E, R> {
  readonly former: Former
  readonly move: (opened: Opened, now: number) => Effect.Effect<boolean, E, R>
  readonly forget: ((id: string) => Effect.Effect<unknown, unknown, R>) | undefined
  readonly keeps: boolean
  readonly path: string
  readonly domain: string | undefined
}

/** Moves the old session where the request has its cookie and none of ours; at once where there is no old cookie. */
export const migrate = <E, R>(
  plan: Plan<E, R>,
  request: HttpServerRequest
): Effect.Effect<void, E | ChangeError, R | RequestContext> =>
  Effect.withFiberRuntime((fiber) => {
    const session: unknown = Context.unsafeGet(fiber.currentContext, RequestContext)
    if (!(session instanceof RequestSession)) return Effect.void // disabled, or a test's own
    const { former } = plan
    if (former.names.includes(session.cookieName)) return refuse(sameName(session.cookieName))
    const header = request.headers["cookie"]
    if (header === undefined || !header.includes(former.names[0])) return Effect.void
    const now = Time.now(fiber)
    const opened = former.open(header, now)
    if (opened.length === 0) return Effect.void
    // A session of ours is newer, and one that has ended was moved before: it must not come back.
    const ours = session.stored.cookie.present
    const context = fiber.currentContext as Context.Context<R>
    const removal = new Removal(plan, session, opened, context)
    removal.isDue = ours && !plan.keeps
    const watched = RequestFiber.append(fiber, request, [
      removal,
      ({ source }, response) => source === request.source ? removal.respond(response) : Effect.succeed(response)
    ])
    if (ours) return watched
    return Effect.zipRight(
      watched,
      Effect.flatMap(moveFirst(plan, session, opened, now), (hasMoved) =>
        hasMoved
          ? Effect.map(session.commit, () => {
            removal.isDue = !plan.keeps
          })
          : Effect.void)
    )
  })

const sameName = (name: string): SessionConfigError =>
  new SessionConfigError({
    mistakes: [{
      path: "name",
      message:
        `is ${name} for the old cookie as well; give the new session's cookie another name while sessions are moved`
    }]
  })

/** The mistake shows with the first request, because only then is it known which store serves it. */
const refuse = (error: SessionConfigError): Effect.Effect<never> =>
  Effect.zipRight(Effect.logError(error.message), Effect.die(error))

/** Tries the opened sessions in their order. A store that does not answer makes no client wait. */
const moveFirst = <E, R>(
  plan: Plan<E, R>,
  session: RequestSession,
  opened: ReadonlyArray<Opened>,
  now: number,
  at = 0
): Effect.Effect<boolean, E | SessionStoreError, R> => {
  if (at === opened.length) return Effect.succeed(false)
  const moved = Effect.contextWithEffect((context: Context.Context<R>) =>
    withDeadline(
      Effect.provide(plan.move(opened[at], now), context),
      session.config.storeTimeoutMillis,
      () => SessionStoreError.of("find", "Timeout", "the old session was not moved in time")
    )
  )
  return Effect.flatMap(
    moved,
    (hasMoved) => hasMoved ? Effect.succeed(true) : moveFirst(plan, session, opened, now, at + 1)
  )
}

/** Decides on the response whether the old cookie goes, and carries it out once. */
class Removal<E, R> {
  /** The old cookie is of no use any more: what it stands for is saved, or counts no longer. */
  isDue = false
  private hasForgotten = false

  constructor(
    private readonly plan: Plan<E, R>,
    private readonly session: RequestSession,
    private readonly opened: ReadonlyArray<Opened>,
    private readonly context: Context.Context<R>
  ) {}

  respond(response: Response): Effect.Effect<Response> {
    const { cookieName } = this.session
    const ours = response.cookies.cookies[cookieName]
    // Signing out ends the old session as well, or the next request would bring it back.
    const hasEnded = ours !== undefined && ours.value === ""
    if (!hasEnded && !this.isDue) return Effect.succeed(response)
    const lifted = WebResponse.lift(response)
    const headers = SetCookie.withoutCdnCaching(lifted.headers)
    const removed = HttpServerResponse.replaceCookies(
      HttpServerResponse.setHeaders(
        HttpServerResponse.setBody(HttpServerResponse.empty({ ...lifted, headers }), lifted.body),
        {
          vary: SetCookie.varyOnCookie(headers["vary"]),
          "cache-control": SetCookie.noStore(headers["cache-control"])
        }
      ),
      Cookies.fromReadonlyRecord({ ...lifted.cookies.cookies, ...removalsOf(this.plan) })
    )
    return Effect.as(this.forgetting, removed)
  }

  private get forgetting(): Effect.Effect<void> {
    const { forget } = this.plan
    if (forget === undefined || this.hasForgotten) return Effect.void
    this.hasForgotten = true
    const each = Effect.forEach(
      this.opened,
      (opened) => opened._tag === "Id" ? Effect.suspend(() => forget(opened.id)) : Effect.void,
      { discard: true }
    )
    const inTime = withDeadline(
      Effect.provide(each, this.context),
      this.session.config.storeTimeoutMillis,
      () => "Timeout"
    )
    // A pre-response handler that fails would leave the client hanging, and the cookie goes all the same.
    return Effect.catchAllCause(
      inTime,
      () => Effect.logWarning("the old store has not forgotten a session that was moved")
    )
  }
}

const removalsOf = (
  { domain, former, path }: Pick<Plan<never, never>, "domain" | "former" | "path">
): Record<string, Cookies.Cookie> =>
  Object.fromEntries(former.names.map((name) => [
    name,
    Cookies.unsafeMakeCookie(name, "", {
      path,
      ...(domain === undefined ? undefined : { domain }),
      // A browser takes a cookie with such a name only if it is Secure.
      ...(/^__(Host|Secure)-/i.test(name) ? { secure: true } : undefined),
      httpOnly: true,
      maxAge: Duration.zero,
      expires: new Date(0)
    })
  ]))
