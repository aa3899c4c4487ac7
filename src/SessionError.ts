/**
 * The errors of the session system.
 *
 * Every error is a `Schema.TaggedError` whose fields are safe to send to a client, so that an `HttpApi` may declare it
 * with `.addError`. The OpenAPI document names each error by its tag. The fields that are only for logs (`detail` and
 * `issue`) are not enumerable, so they appear in no JSON, no encoded form and no message.
 *
 * @since 0.1.0
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerRespondable from "@effect/platform/HttpServerRespondable"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Issue } from "./internal/edition/schema.js"
import * as Reported from "./internal/store/reported.js"

const respondWith = (status: number): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.succeed(HttpServerResponse.empty({ status }))

const respond503 = respondWith(503)
const respond500 = respondWith(500)

/**
 * A 500 says nothing, and a server without a logger middleware logs nothing. Therefore the error is logged here, and only
 * once, however often the platform asks for its response.
 */
const logged500 = (error: Error): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.suspend(() => {
    if (Reported.has(error)) return respond500
    Reported.mark(error)
    return Effect.zipRight(Effect.logError(error.message), respond500)
  })
const respond409 = respondWith(409)
const respond403 = respondWith(403)
const respond401 = respondWith(401)

/** Attaches a value that only logs may show. It is not enumerable, so that no encoder, `JSON.stringify` or spread picks it up. */
const withHidden = <E extends object>(error: E, name: string, value: unknown): E =>
  Object.defineProperty(error, name, { value, enumerable: false })

/**
 * A call to the store failed, died or did not answer in time, or a change lost too often to other requests.
 *
 * If the handler does not handle it, the response is an empty 503.
 *
 * - `operation`: the backend's function that failed; `check` and `deny` are those of a store of revocations.
 * - `reason`: `Unavailable` (failed or died), `Timeout` (no answer within `storeTimeout`), `Contention` (a compare-and-set
 *   lost too often).
 * - `detail`: the cause, for logs only; not enumerable.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionStoreError extends Schema.TaggedError<SessionStoreError>("SessionStoreError")(
  "SessionStoreError",
  {
    operation: Schema.Literal("find", "insert", "update", "remove", "removeExpired", "list", "count", "check", "deny"),
    reason: Schema.Literal("Unavailable", "Timeout", "Contention")
  },
  HttpApiSchema.annotations({
    status: 503,
    description: "The session store failed, or did not answer in time; the request may be repeated later."
  })
) {
  declare readonly detail: unknown

  /**
   * Makes the error with its hidden `detail`.
   *
   * @since 0.1.0
   */
  static of(
    operation: SessionStoreError["operation"],
    reason: SessionStoreError["reason"],
    detail?: unknown
  ): SessionStoreError {
    return withHidden(new SessionStoreError({ operation, reason }), "detail", detail)
  }

  override get message(): string {
    return `session store failed (${this.operation}: ${this.reason})`
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return respond503
  }
}

/**
 * A value did not pass the schema of its key.
 *
 * If the handler does not handle it, the response is an empty 500, because the app's code and its stored data disagree.
 *
 * - `key`: the session key's name; `(subject)` for the subject of a typed sign-in (`Subject.make`).
 * - `direction`: `decode` for a stored value, `encode` for a value that the app has given (also if its encoded form is not
 *   JSON).
 * - `path`: the place in the value, as keys joined by `.`. It is empty for the value itself.
 * - `issue`: the parse issue, for logs only. It holds the value, so it is not enumerable.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionSchemaError extends Schema.TaggedError<SessionSchemaError>("SessionSchemaError")(
  "SessionSchemaError",
  {
    key: Schema.String,
    direction: Schema.Literal("decode", "encode"),
    path: Schema.String
  },
  HttpApiSchema.annotations({
    status: 500,
    description: "A value in the session does not have the form that the server expects."
  })
) {
  declare readonly issue: Issue | string

  /**
   * Makes the error with its hidden `issue`.
   *
   * @since 0.1.0
   */
  static of(
    key: string,
    direction: "decode" | "encode",
    issue: Issue | string,
    path = ""
  ): SessionSchemaError {
    return withHidden(new SessionSchemaError({ key, direction, path }), "issue", issue)
  }

  override get message(): string {
    const at = this.path === "" ? "" : ` at ${JSON.stringify(this.path)}`
    return `session key ${JSON.stringify(this.key)} does not ${this.direction} with its schema${at}`
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return logged500(this)
  }
}

/**
 * The session would be larger than its store allows. Nothing was changed.
 *
 * - `size`, `limit`: numbers of bytes. The cookie store compares the cookie's name and value with 4096. A server store compares
 *   the keys and values in UTF-8 with `maxSessionBytes`.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionTooLarge extends Schema.TaggedError<SessionTooLarge>("SessionTooLarge")(
  "SessionTooLarge",
  { size: Schema.Number, limit: Schema.Number },
  HttpApiSchema.annotations({
    status: 500,
    description: "The session would be larger than its store allows. Nothing was changed."
  })
) {
  override get message(): string {
    return `the session is too large: it has ${this.size} bytes, and at most ${this.limit} fit`
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return logged500(this)
  }
}

/**
 * The head of the response has left, or the handler has taken over the socket of a WebSocket, and this change can no longer
 * reach the browser.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionClosed extends Schema.TaggedError<SessionClosed>("SessionClosed")(
  "SessionClosed",
  {},
  HttpApiSchema.annotations({
    status: 500,
    description: "The response had already been sent, so the session could not be changed any more."
  })
) {
  override get message(): string {
    return "the response's head has left: this change of the session cannot reach the browser any more; "
      + "change it, or call RequestContext.commit, before the response starts"
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return logged500(this)
  }
}

/**
 * Sessions are switched off by configuration (`enable: false`).
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionDisabled extends Schema.TaggedError<SessionDisabled>("SessionDisabled")(
  "SessionDisabled",
  {},
  HttpApiSchema.annotations({
    status: 500,
    description: "Sessions are switched off on this server."
  })
) {
  override get message(): string {
    return "sessions are disabled by configuration (enable: false)"
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return logged500(this)
  }
}

/**
 * The subject already has as many sessions as the bound allows, and the bound refuses instead of evicting.
 *
 * @since 0.1.0
 * @category errors
 */
export class TooManySessions extends Schema.TaggedError<TooManySessions>("TooManySessions")(
  "TooManySessions",
  { limit: Schema.Number },
  HttpApiSchema.annotations({
    status: 409,
    description: "The subject has as many sessions as are allowed: one must be ended before another starts."
  })
) {
  override get message(): string {
    return `the subject already has ${this.limit} sessions: revoke one before signing in again`
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return respond409
  }
}

/**
 * Nobody has signed in, and the operation is only for users who have.
 *
 * If the handler does not handle it, the response is an empty 401. `RequestContext.requireSignedIn` fails with it, and so do
 * the middlewares that give handlers the current user.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext } from "effect-session"
 * import { Effect } from "effect"
 *
 * // a page for people: the form to sign in, in place of a 401
 * const account = RequestContext.requireSignedIn.pipe(
 *   Effect.map(({ subject }) => HttpServerResponse.text(subject)),
 *   Effect.catchTag("NotSignedIn", () => HttpServerResponse.redirect("/sign-in"))
 * )
 * ```
 *
 * @since 1.0.0
 * @category errors
 */
export class NotSignedIn extends Schema.TaggedError<NotSignedIn>("NotSignedIn")(
  "NotSignedIn",
  {},
  HttpApiSchema.annotations({
    status: 401,
    description: "Nobody has signed in, or the user does not exist any more: sign in first."
  })
) {
  override get message(): string {
    return "nobody has signed in: this operation is for users who have"
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return respond401
  }
}

/**
 * The sign-in of this session is missing or older than the operation asks for.
 *
 * If the handler does not handle it, the response is an empty 403.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionNotFresh extends Schema.TaggedError<SessionNotFresh>("SessionNotFresh")(
  "SessionNotFresh",
  {},
  HttpApiSchema.annotations({
    status: 403,
    description: "The sign-in is missing, or too long ago for this operation: sign in again."
  })
) {
  override get message(): string {
    return "this operation needs a recent sign-in: authenticate again"
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return respond403
  }
}

/**
 * The session that a `modify` was meant to change has ended in the meantime, because another request has signed it out,
 * renewed it or revoked it. Nothing was changed, and the result of the modification does not count.
 *
 * If the handler does not handle it, the response is a 409, and the client may load the page again and decide anew.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Option, Schema } from "effect"
 *
 * const Voucher = SessionKey.make("voucher", Schema.Boolean)
 *
 * // granted once for each session, whatever runs in parallel
 * const redeem = RequestContext.modify(Voucher, (used) => [Option.isNone(used), Option.some(true)]).pipe(
 *   Effect.map((granted) => HttpServerResponse.empty({ status: granted ? 204 : 409 })),
 *   Effect.catchTag("SessionEnded", () => HttpServerResponse.text("You have been signed out", { status: 401 }))
 * )
 * ```
 *
 * @since 1.0.0
 * @category errors
 */
export class SessionEnded extends Schema.TaggedError<SessionEnded>("SessionEnded")(
  "SessionEnded",
  {},
  HttpApiSchema.annotations({
    status: 409,
    description: "The session ended while the request was running, and nothing was changed: load the page again."
  })
) {
  override get message(): string {
    return "the session has ended (it was signed out, renewed or revoked by another request): nothing was changed"
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return respond409
  }
}

/**
 * The request changes something, and another site may have caused it. `Csrf` refuses it before its handler runs.
 *
 * Unhandled it is an empty 403.
 *
 * - `reason`: why, for logs and for a page that explains it; not enumerable, so that no client learns it by itself.
 *   `CrossSite`, `SameSite`: the browser says so (`Sec-Fetch-Site`). `OtherOrigin`: the `Origin` is neither this host's nor
 *   trusted. `NoToken`, `WrongToken`: the browser says nothing of where the request comes from, and its token is missing or
 *   is not the session's.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Csrf, RequestContext, RequestId } from "effect-session"
 * import { Effect } from "effect"
 *
 * const app = Effect.succeed(HttpServerResponse.text("transferred")).pipe(
 *   Csrf.middleware,
 *   Effect.catchTag("CsrfRefused", ({ reason }) =>
 *     Effect.succeed(HttpServerResponse.text(
 *       reason === "NoToken" || reason === "WrongToken" ? "This form has expired: load it again." : "Not from here.",
 *       { status: 403 }
 *     ))),
 *   RequestContext.middleware,
 *   RequestId.middleware
 * )
 * ```
 *
 * @since 1.0.0
 * @category errors
 */
export class CsrfRefused extends Schema.TaggedError<CsrfRefused>("CsrfRefused")(
  "CsrfRefused",
  {},
  HttpApiSchema.annotations({
    status: 403,
    description: "The request seems to come from another site, and was refused."
  })
) {
  declare readonly reason: "CrossSite" | "SameSite" | "OtherOrigin" | "NoToken" | "WrongToken"

  /**
   * Makes the error with its hidden `reason`.
   *
   * @since 1.0.0
   */
  static of(reason: CsrfRefused["reason"]): CsrfRefused {
    return withHidden(new CsrfRefused(), "reason", reason)
  }

  override get message(): string {
    return "the request seems to come from another site, and was refused"
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return respond403
  }
}

/**
 * The errors with which reading the session (`get`) can fail.
 *
 * This is a schema, so that an `HttpApi` can declare all of them in one line. Each error keeps its status.
 *
 * @example
 * ```ts
 * import { HttpApiEndpoint } from "@effect/platform"
 * import { SessionError } from "effect-session"
 * import { Schema } from "effect"
 *
 * const count = HttpApiEndpoint.get("count", "/cart/count").addSuccess(Schema.Number).addError(SessionError.ReadError)
 * ```
 *
 * @since 0.2.0
 * @category errors
 */
export const ReadError = Schema.Union(SessionStoreError, SessionSchemaError, SessionDisabled)

/**
 * The type of {@link ReadError}.
 *
 * @since 0.1.0
 * @category errors
 */
export type ReadError = typeof ReadError.Type

/**
 * The errors with which changing the session can fail (`insert`, `remove`, `modify` and the other operations). In addition,
 * `bind` may fail with `TooManySessions`, `requireSignedIn` with `NotSignedIn`, and `requireFresh` with `SessionNotFresh`. This union includes {@link ReadError}.
 *
 * This is a schema, so that an `HttpApi` can declare all of them in one line. Each error keeps its status.
 *
 * @example
 * ```ts
 * import { HttpApiEndpoint } from "@effect/platform"
 * import { SessionError } from "effect-session"
 *
 * const add = HttpApiEndpoint.post("add", "/cart").addError(SessionError.WriteError)
 * const signIn = HttpApiEndpoint.post("signIn", "/sign-in")
 *   .addError(SessionError.WriteError)
 *   .addError(SessionError.TooManySessions)
 * ```
 *
 * @since 0.2.0
 * @category errors
 */
export const WriteError = Schema.Union(
  SessionStoreError,
  SessionSchemaError,
  SessionDisabled,
  SessionTooLarge,
  SessionClosed,
  SessionEnded
)

/**
 * The type of {@link WriteError}.
 *
 * @since 0.1.0
 * @category errors
 */
export type WriteError = typeof WriteError.Type

/**
 * `RequestContext` was used without `RequestId`. This is a defect, because it can happen only where types were cast away.
 *
 * @since 0.1.0
 * @category errors
 */
export class MissingRequestId extends Schema.TaggedError<MissingRequestId>("MissingRequestId")(
  "MissingRequestId",
  {}
) {
  override get message(): string {
    return "missing request_id request extension"
  }
}

/**
 * The configuration is wrong. Start-up fails and reports every mistake at once. The error never holds key material.
 *
 * - `mistakes`: for each one the `path` of the option, and a `message` that says what is accepted.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionConfigError extends Schema.TaggedError<SessionConfigError>("SessionConfigError")(
  "SessionConfigError",
  { mistakes: Schema.NonEmptyArray(Schema.Struct({ path: Schema.String, message: Schema.String })) }
) {
  override get message(): string {
    return "the session configuration has "
      + (this.mistakes.length === 1 ? "a mistake" : `${this.mistakes.length} mistakes`)
      + this.mistakes.map(({ message, path }) => `\n  ${path === "" ? "" : `${path}: `}${message}`).join("")
  }
}
