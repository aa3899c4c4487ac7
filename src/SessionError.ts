/**
 * The errors of the session system.
 *
 * Every error is a `Schema.TaggedError` whose fields are safe to send to a client, so that an `HttpApi` may declare it
 * with `.addError`; it is in the OpenAPI document under its tag. What is only for logs (`detail`, `issue`) is not enumerable: it is in no JSON, no encoded form and
 * no message.
 *
 * @since 0.1.0
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerRespondable from "@effect/platform/HttpServerRespondable"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Issue } from "./internal/edition/schema.js"

const respondWith = (status: number): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.succeed(HttpServerResponse.empty({ status }))

const respond503 = respondWith(503)
const respond500 = respondWith(500)

const logged = new WeakSet<Error>()

/**
 * A 500 says nothing, and a server without a logger middleware logs nothing: the error is logged here, once, however often
 * the platform asks for its response.
 */
const logged500 = (error: Error): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.suspend(() => {
    if (logged.has(error)) return respond500
    logged.add(error)
    return Effect.zipRight(Effect.logError(error.message), respond500)
  })
const respond409 = respondWith(409)
const respond403 = respondWith(403)

/** Attaches what only logs may see: non-enumerable, so that no encoder, `JSON.stringify` or spread picks it up. */
const withHidden = <E extends object>(error: E, name: string, value: unknown): E =>
  Object.defineProperty(error, name, { value, enumerable: false })

/**
 * The store failed, died, did not answer in time, or could not agree on a version.
 *
 * Unhandled in a handler it is an empty 503.
 *
 * - `operation`: the backend's function that failed.
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
    operation: Schema.Literal("find", "insert", "update", "remove", "removeExpired", "list"),
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
 * Unhandled in a handler it is an empty 500: the app's code and its stored data disagree.
 *
 * - `key`: the session key's name.
 * - `direction`: `decode` for a stored value, `encode` for a given one (also when its encoded form is not JSON).
 * - `path`: where in the value, keys joined by `.`; empty for the value itself.
 * - `issue`: the parse issue, for logs only; it holds the value, therefore it is not enumerable.
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
    description: "A value in the session is not what the server expects of it."
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
 * The session would be larger than its store takes; nothing was changed.
 *
 * - `size`, `limit`: octets. Cookie store: cookie name + value against 4096. Server stores: keys and values in UTF-8
 *   against `maxSessionBytes`.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionTooLarge extends Schema.TaggedError<SessionTooLarge>("SessionTooLarge")(
  "SessionTooLarge",
  { size: Schema.Number, limit: Schema.Number },
  HttpApiSchema.annotations({
    status: 500,
    description: "The session would be larger than its store takes; nothing was changed."
  })
) {
  override get message(): string {
    return `session is too large: ${this.size} octets, at most ${this.limit} fit`
  }

  /** @internal */
  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return logged500(this)
  }
}

/**
 * The head of the response has left (or the request is an upgrade), and this change can no longer reach the browser.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionClosed extends Schema.TaggedError<SessionClosed>("SessionClosed")(
  "SessionClosed",
  {},
  HttpApiSchema.annotations({
    status: 500,
    description: "The response had left already: the session could not be changed any more."
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
 * The sign-in of this session is missing or older than the operation asks for.
 *
 * Unhandled in a handler it is an empty 403.
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
 * The session that a `modify` was to change has ended in the meantime: it was signed out, renewed or revoked by another
 * request. Nothing was changed, and the result of the modification does not count.
 *
 * Unhandled it is a 409: the client may load the page again and decide anew.
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
 * @since 0.3.0
 * @category errors
 */
export class SessionEnded extends Schema.TaggedError<SessionEnded>("SessionEnded")(
  "SessionEnded",
  {},
  HttpApiSchema.annotations({
    status: 409,
    description: "The session ended while the request was running, and nothing was changed: load it again."
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
 * What reading the session fails with: `get`.
 *
 * A schema, for one line in an `HttpApi`; each error keeps its status.
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
 * What changing the session fails with: `insert`, `remove`, `modify` and the other operations, but `bind`, which may fail
 * with `TooManySessions`, and `requireFresh`. Whatever may fail with {@link ReadError} may fail with this.
 *
 * A schema, for one line in an `HttpApi`; each error keeps its status.
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
 * `RequestContext` was used without `RequestId`; only reachable where types were cast away, therefore a defect.
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
 * The configuration is wrong; start-up fails with every mistake at once. Never holds key material.
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
