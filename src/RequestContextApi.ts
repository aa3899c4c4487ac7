/**
 * The session for `HttpApi`: a middleware whose handlers get `RequestContext`, and whose cookie is in the OpenAPI document;
 * and one whose handlers get `RequestId`.
 *
 * @since 0.1.0
 */
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as OpenApi from "@effect/platform/OpenApi"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as CsrfCheck from "./Csrf.js"
import { merged } from "./internal/edition/context.js"
import * as Middleware from "./internal/http/apiMiddleware.js"
import { userOf } from "./internal/http/currentUser.js"
import * as RequestContext from "./RequestContext.js"
import * as Id from "./RequestId.js"
import { CsrfRefused, NotSignedIn, ReadError, SessionConfigError, SessionStoreError } from "./SessionError.js"
import { SessionStore } from "./SessionStore.js"
import type { Subject } from "./Subject.js"

/**
 * The class of a session middleware for `HttpApi`, as `Tag` makes it.
 *
 * - `cookieNames`: what the store's cookie may be called; the first is in the OpenAPI document.
 *
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string> =
  & Middleware.SecureClass<Self, Name, typeof RequestContext.RequestContext, Security>
  & { readonly cookieNames: readonly [string, ...ReadonlyArray<string>] }

/** The name of the security scheme in the OpenAPI document. */
const schemeName = "session"

interface Security extends Record<typeof schemeName, HttpApiSecurity.ApiKey> {}

/**
 * Makes a tag whose endpoints name the session's cookie in the OpenAPI document. Anonymous requests pass: a session is no
 * authentication by itself.
 *
 * - `cookieName`: the store's `name`. Or several, for a tag that is the same in production and in development, where the
 *   cookie is not Secure and cannot have the same name: the first is documented, and the store may have any of them.
 *
 * The document says of every endpoint with the middleware that it needs the cookie (`security: [{ "session": [] }]`),
 * because the platform has no way for a middleware to say that its security is optional; the scheme's description says so
 * in words. {@link openApiTransform} corrects the document.
 *
 * @example
 * ```ts
 * import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
 * import { RequestContextApi, SessionError } from "effect-session"
 * import { Schema } from "effect"
 *
 * class Session extends RequestContextApi.Tag<Session>()("Session", { cookieName: ["__Host-shop", "shop"] }) {}
 *
 * const api = HttpApi.make("shop").add(
 *   HttpApiGroup.make("cart")
 *     .add(HttpApiEndpoint.get("count", "/cart/count").addSuccess(Schema.Number).addError(SessionError.ReadError))
 *     .middleware(Session)
 * ).annotate(OpenApi.Transform, RequestContextApi.openApiTransform)
 *
 * // Layer that needs a SessionStore, whose cookie must have one of the names
 * const SessionLive = RequestContextApi.layer(Session)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const Tag = <Self>() =>
<const Name extends string>(
  name: Name,
  options: { readonly cookieName: string | readonly [string, ...ReadonlyArray<string>] }
): TagClass<Self, Name> => {
  const cookieNames = typeof options.cookieName === "string" ? [options.cookieName] as const : options.cookieName
  const [key, ...others] = cookieNames
  const security = HttpApiSecurity.apiKey({ in: "cookie", key }).pipe(
    HttpApiSecurity.annotate(
      OpenApi.Description,
      "The session. Requests without it are anonymous, and pass."
        + (others.length === 0 ? "" : ` Elsewhere the cookie may be called ${others.join(" or ")}.`)
    )
  )
  const tag = Middleware.secure<Self>()(name, RequestContext.RequestContext, { [schemeName]: security })
  return Object.assign(tag, { cookieNames })
}

/**
 * The tag for the default cookie: `__Host-session`, and what it is called by default with another path, with a domain, or
 * without `secure`.
 *
 * @since 0.1.0
 * @category tags
 */
export class Session extends Tag<Session>()("effect-session/RequestContextApi/Session", {
  cookieName: ["__Host-session", "__Secure-session", "session"]
}) {}

/** What `layer` takes: any class that `Tag` made. */
interface AnyTag<Self> extends Middleware.Secure<Self, RequestContext.RequestContextService, Security> {
  readonly key: string
  readonly cookieNames: readonly [string, ...ReadonlyArray<string>]
}

/**
 * The middleware behind a tag. It supplies the `RequestId` itself where no outer middleware did: the response and the logs
 * have it. For handlers that use the id there is {@link RequestId}.
 *
 * - `trustInbound`, `header`, `generate`: of the id that it supplies, as in `RequestId.middlewareWith`.
 *
 * Fails with `SessionConfigError` when the store's cookie has another name than the tag says: the document would lie.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Self>(
  tag: AnyTag<Self>,
  options: Id.Options = {}
): Layer.Layer<Self, SessionConfigError, SessionStore> =>
  Layer.effect(
    tag,
    Effect.flatMap(SessionStore, (store) => {
      if (!tag.cookieNames.includes(store.config.name)) {
        return Effect.fail(
          new SessionConfigError({
            mistakes: [{
              path: "cookieName",
              message: `the API says that the session's cookie is ${tag.cookieNames.map(quoted).join(" or ")}, `
                + `the store calls it ${quoted(store.config.name)}: give both the same name`
            }]
          })
        )
      }
      const session = Effect.zipRight(Id.ensure(options), RequestContext.beginApi(store))
      return Effect.succeed(Middleware.supplySecure(tag, schemeName, session))
    })
  )

const quoted = (name: string): string => JSON.stringify(name)

// ── the current user ──

/**
 * The class of a middleware that gives handlers the user who has signed in, as {@link SignedInTag} makes it.
 *
 * @since 1.0.0
 * @category models
 */
export type SignedInTagClass<
  Self,
  Name extends string,
  Provides extends Middleware.AnyTag,
  Failure extends Middleware.AnySchema
> = Middleware.ProvidingClass<Self, Name, Provides, Schema.Union<[typeof NotSignedIn, typeof ReadError, Failure]>>

/**
 * Makes the tag of a middleware that gives handlers the app's own user. Its endpoints answer anonymous requests with a 401,
 * and their handlers find the user under the tag that `provides` names.
 *
 * Add it before or after the session's middleware, or without it if the handlers need nothing but the user. The session is
 * loaded once, whoever asks for it. The OpenAPI document shows the 401 and what `SessionError.ReadError` declares. It shows the
 * cookie where the session's middleware is.
 *
 * - `provides`: the app's tag of the current user.
 * - `failure`: the schema of the errors with which the look-up of {@link layerSignedIn} may fail. By default it cannot fail.
 *
 * @example
 * ```ts
 * import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "@effect/platform"
 * import { RequestContextApi } from "effect-session"
 * import { Context, Effect, Layer, type Option, Schema } from "effect"
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}
 *
 * class SignedIn extends RequestContextApi.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}
 *
 * const api = HttpApi.make("shop").add(
 *   HttpApiGroup.make("account")
 *     .add(HttpApiEndpoint.get("me", "/me").addSuccess(Schema.String))
 *     .middleware(SignedIn)
 * )
 *
 * const AccountLive = HttpApiBuilder.group(api, "account", (handlers) =>
 *   handlers.handle("me", () => Effect.map(CurrentUser, ({ name }) => name)))
 *
 * declare const findUser: (id: string) => Effect.Effect<Option.Option<{ readonly name: string }>>
 *
 * // needs a SessionStore
 * const ApiLive = HttpApiBuilder.api(api).pipe(
 *   Layer.provide(AccountLive),
 *   Layer.provide(RequestContextApi.layerSignedIn(SignedIn, findUser))
 * )
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const SignedInTag = <Self>() =>
<
  const Name extends string,
  Provides extends Middleware.AnyTag,
  Failure extends Middleware.AnySchema = typeof Schema.Never
>(
  name: Name,
  options: { readonly provides: Provides; readonly failure?: Failure | undefined }
): SignedInTagClass<Self, Name, Provides, Failure> =>
  // Sound: without a schema of its own the type of one is `Schema.Never`.
  Middleware.providing<Self>()(
    name,
    options.provides,
    Schema.Union(NotSignedIn, ReadError, options.failure ?? Schema.Never as unknown as Failure)
  )

/**
 * Options of {@link layerSignedIn}.
 *
 * - `subject`: the typed subject that the look-up takes (`Subject.make`); by default it takes the text.
 * - `trustInbound`, `header`, `generate`: of the request's id, as in {@link layer}.
 *
 * @since 1.0.0
 * @category models
 */
export interface SignedInOptions<A = string> extends Id.Options {
  readonly subject?: Subject<A> | undefined
}

/** What the request itself provides to the look-up. */
type OfRequest = Middleware.Provided | RequestContext.RequestContext | Id.RequestId

/**
 * The middleware behind a tag of {@link SignedInTag}.
 *
 * - `find`: looks the user of a subject up, once for each request. `None`, for instance for a user who has been deleted since
 *   the sign-in, becomes a 401. It may use the services of the layer, the session and the request, and fail with what the tag
 *   declares as `failure`.
 *
 * @example
 * ```ts
 * import { RequestContextApi, Subject } from "effect-session"
 * import { Context, Effect, Schema } from "effect"
 *
 * const UserId = Schema.String.pipe(Schema.brand("UserId"))
 *
 * class User extends Schema.Class<User>("User")({ id: UserId, name: Schema.String }) {}
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, User>() {}
 *
 * class UsersAreAway extends Schema.TaggedError<UsersAreAway>()("UsersAreAway", {}) {}
 *
 * class SignedIn extends RequestContextApi.SignedInTag<SignedIn>()("SignedIn", {
 *   provides: CurrentUser,
 *   failure: UsersAreAway
 * }) {}
 *
 * class Users extends Effect.Service<Users>()("Users", {
 *   succeed: { find: (id: typeof UserId.Type) => Effect.succeedSome(new User({ id, name: "Ada" })) }
 * }) {}
 *
 * // Layer that needs Users and a SessionStore
 * const SignedInLive = RequestContextApi.layerSignedIn(
 *   SignedIn,
 *   (id) => Effect.flatMap(Users, (users) => users.find(id)),
 *   { subject: Subject.make(UserId) }
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerSignedIn = <Self, User, Failure, R, A = string>(
  tag: Middleware.Providing<Self, User, Failure | NotSignedIn | ReadError>,
  find: (subject: NoInfer<A>) => Effect.Effect<Option.Option<NoInfer<User>>, NoInfer<Failure>, R>,
  options: SignedInOptions<A> = {}
): Layer.Layer<Self, never, SessionStore | Exclude<R, OfRequest>> =>
  Layer.effect(
    tag,
    Effect.map(
      Effect.zip(SessionStore, Effect.context<Exclude<R, OfRequest>>()),
      ([store, services]) => {
        // Sound: without a subject of its own the type of one is `string`.
        const user = userOf((options.subject ?? RequestContext as unknown as Subject<A>).requireSignedIn, find)
        const found = Effect.flatMap(
          Effect.zip(Id.ensure(options), RequestContext.beginApi(store)),
          ([id, session]) =>
            Effect.mapInputContext(user, (request: Context.Context<Middleware.Provided>) =>
              merged(services, request, [
                [RequestContext.RequestContext, session],
                [Id.RequestId, id]
              ]) as Context.Context<R | RequestContext.RequestContext>)
        )
        return Middleware.supply(tag, found)
      }
    )
  )

// ── the request's id ──

/**
 * The middleware for handlers of an `HttpApi` that use `RequestId`. Beside a session's, in any order, it is the same id:
 * whichever runs first makes it (the one that was added last), so that options such as `trustInbound: false` belong into
 * both layers.
 *
 * A path that no endpoint matches runs through no middleware of an API. For the id on its 404, and on every other
 * response, give the outer one to whatever serves the API; the handlers then get its id.
 *
 * @example
 * ```ts
 * import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "@effect/platform"
 * import { RequestContextApi, RequestId } from "effect-session"
 * import { Layer, Schema } from "effect"
 *
 * const api = HttpApi.make("shop").add(
 *   HttpApiGroup.make("support")
 *     .add(HttpApiEndpoint.get("id", "/id").addSuccess(Schema.String))
 *     .middleware(RequestContextApi.RequestId)
 * )
 *
 * const SupportLive = HttpApiBuilder.group(api, "support", (handlers) => handlers.handle("id", () => RequestId.RequestId))
 *
 * const ApiLive = HttpApiBuilder.api(api).pipe(
 *   Layer.provide(SupportLive),
 *   Layer.provide(RequestContextApi.layerRequestId())
 * )
 *
 * // the outer one, for 404s
 * const ServerLive = HttpApiBuilder.serve(RequestId.middleware).pipe(Layer.provide(ApiLive))
 * ```
 *
 * @since 0.2.0
 * @category tags
 */
export class RequestId extends Middleware.providing<RequestId>()(
  "effect-session/RequestContextApi/RequestId",
  Id.RequestId
) {}

/**
 * The middleware behind {@link RequestId}.
 *
 * - `trustInbound`, `header`, `generate`: as in `RequestId.middlewareWith`; where an outer middleware has made the id, it
 *   stays.
 *
 * @since 0.2.0
 * @category layers
 */
export const layerRequestId = (options: Id.Options = {}): Layer.Layer<RequestId> =>
  Layer.succeed(RequestId, Middleware.supply(RequestId, Id.ensure(options)))

// ── requests of other sites ──

/**
 * The middleware that refuses requests which another site has made the browser send, with a 403 that is in the OpenAPI
 * document; the same check as `Csrf.middleware`. Beside a session's it may be added in any order.
 *
 * @example
 * ```ts
 * import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "@effect/platform"
 * import { RequestContextApi, SessionStore } from "effect-session"
 * import { Effect, Layer } from "effect"
 *
 * const api = HttpApi.make("bank").add(
 *   HttpApiGroup.make("money")
 *     .add(HttpApiEndpoint.post("transfer", "/transfer"))
 *     .middleware(RequestContextApi.Csrf)
 * )
 *
 * const MoneyLive = HttpApiBuilder.group(api, "money", (handlers) => handlers.handle("transfer", () => Effect.void))
 *
 * const ApiLive = HttpApiBuilder.api(api).pipe(
 *   Layer.provide(MoneyLive),
 *   Layer.provide(RequestContextApi.layerCsrf()),
 *   Layer.provide(SessionStore.layerMemory())
 * )
 * ```
 *
 * @since 1.0.0
 * @category tags
 */
export class Csrf extends Middleware.checking<Csrf>()(
  "effect-session/RequestContextApi/Csrf",
  Schema.Union(CsrfRefused, SessionStoreError)
) {}

/**
 * The middleware behind {@link Csrf}. The store is for the token of browsers that say nothing of where a request comes from.
 *
 * - `trustedOrigins`, `exempt`: as in `Csrf.Options`.
 *
 * Throws `SessionConfigError` when a trusted origin is not an origin.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerCsrf = (options: CsrfCheck.Options = {}): Layer.Layer<Csrf, never, SessionStore> => {
  const check = CsrfCheck.checkApi(options)
  return Layer.effect(
    Csrf,
    Effect.map(
      SessionStore,
      (store) => Middleware.check(check(Effect.zipRight(Id.ensure({}), RequestContext.beginApi(store))))
    )
  )
}

// ── the document ──

type Requirements = ReadonlyArray<OpenApi.OpenAPISecurityRequirement>

/**
 * A list of alternatives. What one alternative names applies together; in Effect 3 the platform puts an alternative there for
 * each middleware, although all of them apply.
 */
const corrected = (alternatives: Requirements, isRequired: boolean): Array<OpenApi.OpenAPISecurityRequirement> => {
  if (!alternatives.some((alternative) => schemeName in alternative)) return [...alternatives]
  const others = alternatives.map(({ [schemeName]: _session, ...others }) => others)
    .filter((alternative) => Object.keys(alternative).length > 0)
  if (others.length === 0) return isRequired ? [{ [schemeName]: [] }] : [{ [schemeName]: [] }, {}]
  const withSession = others.map((other) => ({ ...other, [schemeName]: [] }))
  return isRequired ? withSession : [...withSession, ...others]
}

/** The schema has the name of its class in a document of Effect 3, and a longer one in a document of Effect 4. */
const schemaOfNotSignedIn = new RegExp(`"#/components/schemas/${NotSignedIn.name}(Encoded)?"`)

/** An operation that is only for users who have signed in: it declares the error. */
const isForUsers = ({ responses }: Partial<OpenApi.OpenAPISpecOperation>): boolean =>
  schemaOfNotSignedIn.test(JSON.stringify(responses?.[401] ?? {}))

/**
 * Corrects an OpenAPI document: the session is optional wherever a tag's middleware is (`security: [{ "session": [] }, {}]`),
 * and beside another security the other one alone is enough. It stays required where an operation declares `NotSignedIn`.
 *
 * @example
 * ```ts
 * import { HttpApi, OpenApi } from "@effect/platform"
 * import { RequestContextApi } from "effect-session"
 *
 * const api = HttpApi.make("shop").annotate(OpenApi.Transform, RequestContextApi.openApiTransform)
 * ```
 *
 * @since 0.2.0
 * @category documents
 */
export const openApiTransform = (document: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  // Sound: the platform gives the document that it made.
  const { paths, security, ...rest } = document as unknown as OpenApi.OpenAPISpec
  const correctedPaths = Object.entries(paths).map(([path, operations]) =>
    [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => // an `Override` may have left it out
        [
          method,
          "security" in operation
            ? { ...operation, security: corrected(operation.security, isForUsers(operation)) }
            : operation
        ])
      )
    ] as const
  )
  return { ...rest, paths: Object.fromEntries(correctedPaths), security: corrected(security, false) }
}
