/**
 * The session for `HttpApi`: a middleware whose handlers get `RequestContext`, and whose cookie is in the OpenAPI document;
 * and one whose handlers get `RequestId`.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import * as RequestContext from "./RequestContext.js"
import * as Id from "./RequestId.js"
import { SessionConfigError } from "./SessionError.js"
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
  & HttpApiMiddleware.ServiceClass<Self, Name, {
    readonly requires: never
    readonly provides: RequestContext.RequestContext
    readonly error: never
    readonly clientError: never
    readonly requiredForClient: false
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
 * import { RequestContextApi, SessionError } from "effect-session"
 * import { Schema } from "effect"
 * import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
 *
 * class Session extends RequestContextApi.Tag<Session>()("Session", { cookieName: ["__Host-shop", "shop"] }) {}
 *
 * const api = HttpApi.make("shop").add(
 *   HttpApiGroup.make("cart")
 *     .add(HttpApiEndpoint.get("count", "/cart/count", { success: Schema.Number, error: SessionError.ReadError }))
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
  const tag = HttpApiMiddleware.Service<Self, { readonly provides: RequestContext.RequestContext }>()(name, {
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
interface AnyTag<Self> extends Context.Key<Self, Service> {
  readonly key: string
  readonly cookieNames: readonly [string, ...ReadonlyArray<string>]
}

type Service = HttpApiMiddleware.HttpApiMiddlewareSecurity<
  { readonly session: HttpApiSecurity.ApiKey },
  RequestContext.RequestContext,
  never,
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
      const session = Effect.andThen(Id.ensure(options), RequestContext.beginApi(store))
      return Effect.succeed<Service>({
        session: (handler) =>
          Effect.flatMap(session, (context) => Effect.provideService(handler, RequestContext.RequestContext, context))
      })
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
 * import { RequestContextApi, RequestId } from "effect-session"
 * import { Layer, Schema } from "effect"
 * import { HttpRouter } from "effect/http"
 * import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
 *
 * const api = HttpApi.make("shop").add(
 *   HttpApiGroup.make("support")
 *     .add(HttpApiEndpoint.get("id", "/id", { success: Schema.String }))
 *     .middleware(RequestContextApi.RequestId)
 * )
 *
 * const SupportLive = HttpApiBuilder.group(api, "support", (handlers) => handlers.handle("id", () => RequestId.RequestId))
 *
 * const ApiLive = HttpApiBuilder.layer(api).pipe(
 *   Layer.provide(SupportLive),
 *   Layer.provide(RequestContextApi.layerRequestId())
 * )
 *
 * // the outer one, for 404s
 * const ServerLive = HttpRouter.serve(ApiLive, { middleware: RequestId.middleware })
 * ```
 *
 * @since 0.2.0
 * @category tags
 */
export class RequestId extends HttpApiMiddleware.Service<RequestId, { readonly provides: Id.RequestId }>()(
  "effect-session/RequestContextApi/RequestId"
) {}

/**
 * The middleware behind {@link RequestId}.
 *
 * - `trustInbound`: as in `RequestId.middlewareWith`; where an outer middleware has made the id, it stays.
 *
 * @since 0.2.0
 * @category layers
 */
export const layerRequestId = (options: Id.Options = {}): Layer.Layer<RequestId> =>
  Layer.succeed(
    RequestId,
    (handler) => Effect.flatMap(Id.ensure(options), (id) => Effect.provideService(handler, Id.RequestId, id))
  )

// ── the document ──

type Requirements = ReadonlyArray<OpenApi.OpenAPISecurityRequirement>

/** A list of alternatives; each that names the session is also there without it. */
const withAnonymous = (alternatives: Requirements): Array<OpenApi.OpenAPISecurityRequirement> => {
  const without = alternatives.filter((alternative) => schemeName in alternative)
    .map(({ [schemeName]: _, ...others }) => others)
  return [...alternatives, ...without]
}

/**
 * Corrects an OpenAPI document: the session is optional wherever a tag's middleware is (`security: [{ "session": [] }, {}]`),
 * and beside another security the other one alone is enough.
 *
 * @example
 * ```ts
 * import { RequestContextApi } from "effect-session"
 * import { HttpApi, OpenApi } from "effect/http-api"
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
