/**
 * The session for `HttpApi`: a middleware whose handlers get `RequestContext`, and whose cookie is in the OpenAPI document;
 * and one whose handlers get `RequestId`.
 *
 * @since 0.1.0
 */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as OpenApi from "@effect/platform/OpenApi"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as CsrfCheck from "./Csrf.js"
import * as RequestContext from "./RequestContext.js"
import * as Id from "./RequestId.js"
import { CsrfRefused, SessionConfigError, SessionStoreError } from "./SessionError.js"
import { SessionStore } from "./SessionStore.js"

/**
 * The class of a session middleware for `HttpApi`, as `Tag` makes it.
 *
 * - `cookieNames`: what the store's cookie may be called; the first is in the OpenAPI document.
 *
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string> =
  & HttpApiMiddleware.TagClass<Self, Name, {
    readonly provides: typeof RequestContext.RequestContext
    readonly security: { readonly session: HttpApiSecurity.ApiKey }
  }>
  & { readonly cookieNames: readonly [string, ...ReadonlyArray<string>] }

/** The name of the security scheme in the OpenAPI document. */
const schemeName = "session"

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
 *     .add(HttpApiEndpoint.get("count", "/cart/count").addSuccess(Schema.Number))
 *     .addError(SessionError.ReadError)
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
  const tag = HttpApiMiddleware.Tag<Self>()(name, {
    provides: RequestContext.RequestContext,
    security: { [schemeName]: security }
  })
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
interface AnyTag<Self> extends Context.Tag<Self, Service> {
  readonly key: string
  readonly cookieNames: readonly [string, ...ReadonlyArray<string>]
}

type Service = HttpApiMiddleware.HttpApiMiddlewareSecurity<
  { readonly session: HttpApiSecurity.ApiKey },
  RequestContext.RequestContextService,
  never
>

/**
 * The middleware behind a tag. It supplies the `RequestId` itself where no outer middleware did: the response and the logs
 * have it. For handlers that use the id there is {@link RequestId}.
 *
 * - `trustInbound`: of the id that it supplies, as in `RequestId.middlewareWith`.
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
      return Effect.succeed<Service>({ session: () => session })
    })
  )

const quoted = (name: string): string => JSON.stringify(name)

// ── the request's id ──

/**
 * The middleware for handlers of an `HttpApi` that use `RequestId`. Beside a session's, in any order, it is the same id:
 * whichever runs first makes it (the one that was added last), so that `trustInbound: false` belongs into both layers.
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
export class RequestId extends HttpApiMiddleware.Tag<RequestId>()("effect-session/RequestContextApi/RequestId", {
  provides: Id.RequestId
}) {}

/**
 * The middleware behind {@link RequestId}.
 *
 * - `trustInbound`: as in `RequestId.middlewareWith`; where an outer middleware has made the id, it stays.
 *
 * @since 0.2.0
 * @category layers
 */
export const layerRequestId = (options: Id.Options = {}): Layer.Layer<RequestId> =>
  Layer.succeed(RequestId, Id.ensure(options))

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
 * @since 0.3.0
 * @category tags
 */
export class Csrf extends HttpApiMiddleware.Tag<Csrf>()("effect-session/RequestContextApi/Csrf", {
  failure: Schema.Union(CsrfRefused, SessionStoreError)
}) {}

/**
 * The middleware behind {@link Csrf}. The store is for the token of browsers that say nothing of where a request comes from.
 *
 * - `trustedOrigins`, `exempt`: as in `Csrf.Options`.
 *
 * Throws `SessionConfigError` when a trusted origin is not an origin.
 *
 * @since 0.3.0
 * @category layers
 */
export const layerCsrf = (options: CsrfCheck.Options = {}): Layer.Layer<Csrf, never, SessionStore> => {
  const check = CsrfCheck.checkApi(options)
  return Layer.effect(
    Csrf,
    Effect.map(SessionStore, (store) => check(Effect.zipRight(Id.ensure({}), RequestContext.beginApi(store))))
  )
}

// ── the document ──

type Requirements = ReadonlyArray<OpenApi.OpenAPISecurityRequirement>

/** A list of alternatives; the platform puts one there for each middleware, although all of them apply. */
const withAnonymous = (alternatives: Requirements): Array<OpenApi.OpenAPISecurityRequirement> => {
  const others = alternatives.filter((alternative) => !(schemeName in alternative))
  if (others.length === alternatives.length) return [...alternatives]
  return others.length === 0
    ? [{ [schemeName]: [] }, {}]
    : [...others.map((other) => ({ ...other, [schemeName]: [] })), ...others]
}

/**
 * Corrects an OpenAPI document: the session is optional wherever a tag's middleware is (`security: [{ "session": [] }, {}]`),
 * and beside another security the other one alone is enough.
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
  const corrected = Object.entries(paths).map(([path, operations]) =>
    [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => // an `Override` may have left it out
        [method, "security" in operation ? { ...operation, security: withAnonymous(operation.security) } : operation])
      )
    ] as const
  )
  return { ...rest, paths: Object.fromEntries(corrected), security: withAnonymous(security) }
}
