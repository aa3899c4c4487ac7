/**
 * Middlewares of an `HttpApi`: the platform's classes for them, and what a layer gives for one.
 */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import type * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"

/** What the request itself provides. */
export type Provided = HttpRouter.HttpRouter.Provided

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in the platform
export type AnyTag = Context.Tag<any, any>

export type AnySchema = Schema.Schema.All

type Securities = Record<string, HttpApiSecurity.HttpApiSecurity>

// ── a service by what the request proves itself with ──

export type SecureClass<Self, Name extends string, Provides extends AnyTag, Security extends Securities> =
  HttpApiMiddleware.TagClass<Self, Name, { readonly provides: Provides; readonly security: Security }>

export const secure = <Self>() =>
<const Name extends string, Provides extends AnyTag, Security extends Securities>(
  name: Name,
  provides: Provides,
  security: Security
): SecureClass<Self, Name, Provides, Security> =>
  HttpApiMiddleware.Tag<Self>()(name, { provides, security }) as SecureClass<Self, Name, Provides, Security>

/** Any class that {@link secure} makes for the service. */
export type Secure<Self, Service, Security extends Securities> = Context.Tag<
  Self,
  HttpApiMiddleware.HttpApiMiddlewareSecurity<Security, Service, never>
>

/** What a layer gives for the class: the service, whatever the request proves itself with. */
export const supplySecure = <Self, Service, const Name extends string>(
  _tag: Secure<Self, Service, { readonly [K in Name]: HttpApiSecurity.ApiKey }>,
  name: Name,
  service: Effect.Effect<Service, never, Provided>
): HttpApiMiddleware.HttpApiMiddlewareSecurity<
  { readonly [K in Name]: HttpApiSecurity.ApiKey },
  Service,
  never
> => ({ [name]: () => service }) as never

// ── a service, or an error ──

export type ProvidingClass<Self, Name extends string, Provides, Failure extends AnySchema> = HttpApiMiddleware.TagClass<
  Self,
  Name,
  { readonly provides: Provides; readonly failure: Failure }
>

export const providing =
  <Self>() =>
  <const Name extends string, Provides extends AnyTag, Failure extends AnySchema = typeof Schema.Never>(
    name: Name,
    provides: Provides,
    failure?: Failure
  ): ProvidingClass<Self, Name, Provides, Failure> =>
    HttpApiMiddleware.Tag<Self>()(
      name,
      failure === undefined ? { provides } : { provides, failure }
    ) as ProvidingClass<Self, Name, Provides, Failure>

/** Any class that {@link providing} makes for the service. */
export type Providing<Self, Service, Failure> = Context.Tag<Self, HttpApiMiddleware.HttpApiMiddleware<Service, Failure>>

/** What a layer gives for the class. */
export const supply = <Self, Service, Failure>(
  _tag: Providing<Self, Service, Failure>,
  service: Effect.Effect<Service, Failure, Provided>
): HttpApiMiddleware.HttpApiMiddleware<Service, Failure> => service

// ── nothing, or an error ──

export type CheckingClass<Self, Name extends string, Failure extends AnySchema> = HttpApiMiddleware.TagClass<
  Self,
  Name,
  { readonly failure: Failure }
>

export const checking = <Self>() =>
<const Name extends string, Failure extends AnySchema>(
  name: Name,
  failure: Failure
): CheckingClass<Self, Name, Failure> =>
  HttpApiMiddleware.Tag<Self>()(name, { failure }) as CheckingClass<Self, Name, Failure>

/** What a layer gives for the class. */
export const check = <Failure>(
  passes: Effect.Effect<void, Failure, Provided>
): HttpApiMiddleware.HttpApiMiddleware<void, Failure> => passes
