/**
 * The session of one browser, without HTTP: one request after the other, of which an effect under test sees the current.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Client, RequestContextService } from "../../RequestContext.js"
import type { SessionKey } from "../../SessionKey.js"
import type { SessionStoreService } from "../../SessionStore.js"
import { disabled } from "../request/disabled.js"
import { RequestSession } from "../request/requestSession.js"

/** What became of the cookie when a request ended. */
export type CookieOutcome = "set" | "removed" | "none"

export interface Response {
  readonly status: number
  readonly cookie: CookieOutcome
}

export class TestContext implements RequestContextService {
  private token: string | undefined
  /** undefined where sessions are switched off */
  private session: RequestSession | undefined
  private current: RequestContextService

  constructor(private readonly store: SessionStoreService) {
    this.session = this.next()
    this.current = this.session ?? disabled
  }

  private next(): RequestSession | undefined {
    const { enable, name } = this.store.config
    if (!enable) return undefined
    const cookie = this.token === undefined ? undefined : `${name}=${this.token}`
    return new RequestSession(this.store, { cookie, userAgent: undefined })
  }

  /** Ends the request as a response with this status would, and begins the same browser's next one. */
  respond(status: number): Effect.Effect<Response> {
    return Effect.suspend(() => {
      const { session } = this
      if (session === undefined) return Effect.succeed<Response>({ status, cookie: "none" })
      const committing = this.store.config.commitWhen(status)
      const verdict = Effect.flatMap(Clock.currentTimeMillis, (now) => session.finish(committing, now))
      return Effect.map(verdict, ({ cookie, failure }): Response => {
        if (cookie._tag === "Set") this.token = cookie.token
        if (cookie._tag === "Remove") this.token = undefined
        this.session = this.next()
        this.current = this.session ?? disabled
        return {
          status: failure === undefined ? status : 503,
          cookie: cookie._tag === "Set" ? "set" : cookie._tag === "Remove" ? "removed" : "none"
        }
      })
    })
  }

  // ── every operation is the current request's ──

  get<A, I, R, Got>(key: SessionKey<A, I, R, Got>) {
    return Effect.suspend(() => this.current.get(key))
  }
  insert<A, I, R>(key: SessionKey<A, I, R, unknown>, value: A) {
    return Effect.suspend(() => this.current.insert(key, value))
  }
  patch: RequestContextService["patch"] = (struct, changes) => Effect.suspend(() => this.current.patch(struct, changes))
  remove<A, I, R>(key: SessionKey<A, I, R, unknown>) {
    return Effect.suspend(() => this.current.remove(key))
  }
  modify: RequestContextService["modify"] = (key, f) => Effect.suspend(() => this.current.modify(key, f))
  setExpiry(expiry: Duration.DurationInput | "browser-session") {
    return Effect.suspend(() => this.current.setExpiry(expiry))
  }
  bind(subject: string, client?: Client) {
    return Effect.suspend(() => this.current.bind(subject, client))
  }
  readonly keys = Effect.suspend(() => this.current.keys)
  readonly clear = Effect.suspend(() => this.current.clear)
  readonly flush = Effect.suspend(() => this.current.flush)
  readonly renew = Effect.suspend(() => this.current.renew)
  readonly commit = Effect.suspend(() => this.current.commit)
  readonly signedIn = Effect.suspend(() => this.current.signedIn)
  readonly sessionId = Effect.suspend(() => this.current.sessionId)
}
