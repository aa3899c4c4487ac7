/**
 * Moves the sessions of express-session, cookie-session and iron-session into those of this library, without signing anybody
 * out.
 *
 * A request that brings a cookie of the old library, and none of the new session, is read once: the old cookie is verified as the
 * old library did it, the app's function `into` writes what is worth keeping into the new session, and the response sets the new
 * cookie and removes the old one. A cookie that is forged, expired or unknown counts as no session, as it did before.
 *
 * Remove the middleware when the longest life of an old session has passed since the deploy.
 *
 * @since 1.0.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schemas from "./internal/edition/schema.js"
import * as Http from "./internal/http/migration.js"
import * as CookieSession from "./internal/migration/cookieSession.js"
import * as ExpressSession from "./internal/migration/expressSession.js"
import type { Former, Opened } from "./internal/migration/former.js"
import * as IronSession from "./internal/migration/ironSession.js"
import type { ChangeError, RequestContext } from "./internal/request/contract.js"
import * as Limited from "./internal/store/limited.js"

/**
 * The options of every migration.
 *
 * - `schema`: what the app reads of the old data. If the data do not fit, nothing is moved, and a warning says so.
 * - `into`: writes the data into the new session, with `RequestContext.insert`, and with `RequestContext.bind` for a user who was
 *   signed in. What it has written is saved before the handler runs. If it fails, the request fails, and the next one tries
 *   again; handle `TooManySessions` of `bind` where a subject's sessions are bounded.
 * - `name`: the name of the old cookie. The new session's cookie needs another one.
 * - `path` and `domain`: as the old library set them, `/` and none by default. With others the browser would keep the cookie.
 * - `keep`: the old cookie stays until the user signs out, so that the deploy can be rolled back; false by default.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options<A, I, R0, E, R> {
  readonly schema: Schemas.Codec<A, I, R0>
  readonly into: (data: A) => Effect.Effect<unknown, E, R>
  readonly name?: string | undefined
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly keep?: boolean | undefined
}

/**
 * Options of {@link expressSession}.
 *
 * - `secrets`: what was the option `secret` there; all of them open.
 * - `lookUp`: returns the data of an id from the old store, and `undefined` or `null` if it has none.
 * - `forget`: removes the data of an id from the old store, when the old cookie is removed. A failure is logged and does no more.
 * - `name`: `connect.sid` by default, as there.
 *
 * @since 1.0.0
 * @category models
 */
export interface ExpressOptions<A, I, R0, E, R, E2, R2> extends Options<A, I, R0, E, R> {
  readonly secrets: ReadonlyArray<Redacted.Redacted<string>>
  readonly lookUp: (id: string) => Effect.Effect<unknown, E2, R2>
  readonly forget?: ((id: string) => Effect.Effect<unknown, unknown, R2>) | undefined
}

/**
 * Options of {@link cookieSession}.
 *
 * - `keys`: as there; all of them open. A `secret` there is a single key here.
 * - `name`: `session` by default, as there.
 *
 * @since 1.0.0
 * @category models
 */
export interface CookieOptions<A, I, R0, E, R> extends Options<A, I, R0, E, R> {
  readonly keys: ReadonlyArray<Redacted.Redacted<string>>
}

/**
 * Options of {@link ironSession}.
 *
 * - `password`: as there: one password, or several by their ids.
 * - `name`: what was `cookieName` there.
 *
 * @since 1.0.0
 * @category models
 */
export interface IronOptions<A, I, R0, E, R> extends Options<A, I, R0, E, R> {
  readonly password: IronSession.Passwords
  readonly name: string
}

/**
 * A way to move sessions, for {@link middleware}.
 *
 * @since 1.0.0
 * @category models
 */
export interface Migration<E, R> {
  /** @internal */
  readonly plan: Http.Plan<E, R>
}

const make = <A, I, R0, E, R, E2, R2>(
  former: Former,
  options: Options<A, I, R0, E, R>,
  dataOf: (opened: Opened, now: number) => Effect.Effect<unknown, E2, R2>,
  forget: ((id: string) => Effect.Effect<unknown, unknown, R2>) | undefined
): Migration<E | E2, R0 | R | R2> => {
  const decode = Schemas.decoder(options.schema)
  const limited = Limited.make(10)
  const move = (opened: Opened, now: number): Effect.Effect<boolean, E | E2, R0 | R | R2> =>
    Effect.flatMap(dataOf(opened, now), (data) => {
      if (data === undefined || data === null) return Effect.succeed(false)
      return Effect.matchEffect(decode(data), {
        onFailure: () => {
          const warning = limited("DoesNotFit", doesNotFit, now)
          return Effect.as(warning === undefined ? Effect.void : Effect.logWarning(warning), false)
        },
        onSuccess: (value) => Effect.as(options.into(value), true)
      })
    })
  const { domain, keep = false, path = "/" } = options
  return { plan: { former, move, forget, keeps: keep, path, domain } }
}

const doesNotFit = "an old session does not fit the schema of its migration, and was not moved"

/** What a sealed or signed cookie holds, without a store. */
const inCookie = (opened: Opened): Effect.Effect<unknown> => Effect.succeed(opened._tag === "Data" ? opened.data : null)

/**
 * Reads sessions of express-session, with any of its stores.
 *
 * Throws a `TypeError` if there is no secret.
 *
 * @example
 * ```ts
 * import { Migration, RequestContext, SessionKey } from "effect-session"
 * import { Effect, Redacted, Schema } from "effect"
 * import { Redis } from "ioredis"
 *
 * const Cart = SessionKey.make("cart", Schema.Array(Schema.String))
 * const redis = new Redis()
 *
 * const migration = Migration.expressSession({
 *   secrets: [Redacted.make("the secret of express-session")],
 *   // as connect-redis keeps them
 *   lookUp: (id) => Effect.promise(async () => JSON.parse(await redis.get(`sess:${id}`) ?? "null")),
 *   forget: (id) => Effect.promise(() => redis.del(`sess:${id}`)),
 *   schema: Schema.Struct({
 *     userId: Schema.optional(Schema.String),
 *     cart: Schema.optional(Schema.Array(Schema.String))
 *   }),
 *   into: ({ cart = [], userId }) =>
 *     Effect.gen(function*() {
 *       yield* RequestContext.insert(Cart, cart)
 *       if (userId !== undefined) yield* RequestContext.bind(userId)
 *     })
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const expressSession = <A, I, R0, E, R, E2, R2>(
  options: ExpressOptions<A, I, R0, E, R, E2, R2>
): Migration<E | E2, R0 | R | R2> =>
  make(
    ExpressSession.make(options.name ?? "connect.sid", options.secrets),
    options,
    (opened, now) =>
      opened._tag === "Id"
        ? Effect.map(
          options.lookUp(opened.id),
          (data) => typeof data === "object" && data !== null && !ExpressSession.isOver(data, now) ? data : null
        )
        : Effect.succeed(null),
    options.forget
  )

/**
 * Reads sessions of cookie-session, which are in the cookie itself and signed.
 *
 * Throws a `TypeError` if there is no key.
 *
 * @example
 * ```ts
 * import { Migration, RequestContext, SessionKey } from "effect-session"
 * import { Redacted, Schema } from "effect"
 *
 * const Theme = SessionKey.make("theme", Schema.String)
 *
 * const migration = Migration.cookieSession({
 *   keys: [Redacted.make("the key of cookie-session")],
 *   schema: Schema.Struct({ theme: Schema.String }),
 *   into: ({ theme }) => RequestContext.insert(Theme, theme)
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const cookieSession = <A, I, R0, E, R>(options: CookieOptions<A, I, R0, E, R>): Migration<E, R0 | R> =>
  make(CookieSession.make(options.name ?? "session", options.keys), options, inCookie, undefined)

/**
 * Reads sessions of iron-session 8, which are in the cookie itself and sealed.
 *
 * Throws a `TypeError` if there is no password, or one of less than 32 characters.
 *
 * @example
 * ```ts
 * import { Migration, RequestContext } from "effect-session"
 * import { Redacted, Schema } from "effect"
 *
 * const migration = Migration.ironSession({
 *   name: "shop",
 *   password: Redacted.make("the password of iron-session, 32 characters or more"),
 *   schema: Schema.Struct({ userId: Schema.String }),
 *   into: ({ userId }) => RequestContext.bind(userId)
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const ironSession = <A, I, R0, E, R>(options: IronOptions<A, I, R0, E, R>): Migration<E, R0 | R> =>
  make(IronSession.make(options.name, options.password), options, inCookie, undefined)

/**
 * Moves the session of the current request, if there is one to move. {@link middleware} calls it before the app's handler. In a
 * host that has middlewares of its own kind, call it in one of them, inside of the session's.
 *
 * Fails as `into` and `lookUp` do, and as `RequestContext.commit`. The old cookie stays then, and the next request tries again.
 *
 * @since 1.0.0
 * @category middleware
 */
export const run = <E, R>(
  migration: Migration<E, R>
): Effect.Effect<void, E | ChangeError, R | RequestContext | HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => Http.migrate(migration.plan, request))

/**
 * Middleware that moves old sessions; in the pipe it comes before `RequestContext.middleware`, which is outside of it.
 *
 * A request without an old cookie costs one look at the Cookie header.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Migration, RequestContext, RequestId } from "effect-session"
 * import { Effect, Redacted, Schema } from "effect"
 *
 * const migration = Migration.cookieSession({
 *   keys: [Redacted.make("the key of cookie-session")],
 *   schema: Schema.Struct({ user: Schema.String }),
 *   into: ({ user }) => RequestContext.bind(user)
 * })
 *
 * const hello = Effect.succeed(HttpServerResponse.text("hello"))
 *
 * const app = hello.pipe(Migration.middleware(migration), RequestContext.middleware, RequestId.middleware)
 * ```
 *
 * @since 1.0.0
 * @category middleware
 */
export const middleware = <E2, R2>(migration: Migration<E2, R2>) => {
  const moved = run(migration)
  return <E, R>(
    app: HttpApp.Default<E, R>
  ): Effect.Effect<
    HttpServerResponse,
    E | E2 | ChangeError,
    R | R2 | RequestContext | HttpServerRequest.HttpServerRequest
  > => Effect.zipRight(moved, app)
}
