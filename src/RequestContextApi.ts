/**
 * The session for `HttpApi`: a middleware whose handlers get `RequestContext`, and whose cookie is in the OpenAPI document.
 *
 * @since 0.1.0
 */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RequestContext from "./RequestContext.js"
import { SessionConfigError } from "./SessionError.js"
import { SessionStore } from "./SessionStore.js"

/**
 * The class of a session middleware for `HttpApi`, as `Tag` makes it.
 *
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string> = HttpApiMiddleware.TagClass<Self, Name, {
  readonly provides: typeof RequestContext.RequestContext
  readonly security: { readonly session: HttpApiSecurity.ApiKey }
}>

/**
 * Makes a tag whose endpoints name the cookie `cookieName` in the OpenAPI document. Anonymous requests pass: a session is
 * no authentication by itself.
 *
 * @example
 * ```ts
 * import { HttpApi, HttpApiEndpoint, HttpApiGroup } from "@effect/platform"
 * import { RequestContextApi, SessionError } from "effect-session"
 * import { Schema } from "effect"
 *
 * class Session extends RequestContextApi.Tag<Session>()("Session", { cookieName: "__Host-shop" }) {}
 *
 * const api = HttpApi.make("shop").add(
 *   HttpApiGroup.make("cart")
 *     .add(HttpApiEndpoint.get("count", "/cart/count").addSuccess(Schema.Number))
 *     .addError(SessionError.SessionStoreError)
 *     .middleware(Session)
 * )
 *
 * // Layer that needs a SessionStore, whose cookie must have that name
 * const SessionLive = RequestContextApi.layer(Session)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const Tag =
  <Self>() => <const Name extends string>(name: Name, options: { readonly cookieName: string }): TagClass<Self, Name> =>
    HttpApiMiddleware.Tag<Self>()(name, {
      provides: RequestContext.RequestContext,
      security: { session: HttpApiSecurity.apiKey({ in: "cookie", key: options.cookieName }) }
    })

/**
 * The tag for the default cookie, `__Host-session`.
 *
 * @since 0.1.0
 * @category tags
 */
export class Session extends Tag<Session>()("effect-session/RequestContextApi/Session", {
  cookieName: "__Host-session"
}) {}

/** What `layer` takes: any class that `Tag` made. */
interface AnyTag<Self> extends Context.Tag<Self, Service> {
  readonly key: string
  readonly security: { readonly session: HttpApiSecurity.ApiKey }
}

type Service = HttpApiMiddleware.HttpApiMiddlewareSecurity<
  { readonly session: HttpApiSecurity.ApiKey },
  RequestContext.RequestContextService,
  never
>

/**
 * The middleware behind a tag. It supplies the `RequestId` itself where no outer middleware did: the response and the logs
 * have it.
 *
 * Fails with `SessionConfigError` when the store's cookie has another name than the tag says: the document would lie.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Self>(tag: AnyTag<Self>): Layer.Layer<Self, SessionConfigError, SessionStore> =>
  Layer.effect(
    tag,
    Effect.flatMap(SessionStore, (store) => {
      const { key } = tag.security.session
      if (store.config.name !== key) {
        return Effect.fail(
          new SessionConfigError({
            mistakes: [{
              path: "cookieName",
              message: `the API says that the session's cookie is ${JSON.stringify(key)}, the store calls it `
                + `${JSON.stringify(store.config.name)}: give both the same name`
            }]
          })
        )
      }
      const session = RequestContext.beginApi(store)
      return Effect.succeed<Service>({ session: () => session })
    })
  )
