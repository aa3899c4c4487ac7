/**
 * Middlewares of an `HttpApi`: the platform's classes for them, and what a layer gives for one.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import type * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Schema from "effect/Schema"
import type { unhandled } from "effect/Types"

/** What the request itself provides. */
export type Provided = HttpRouter.Provided

export type AnyTag = Context.Key<any, any>

export type AnySchema = Schema.Top

type Securities = Record<string, HttpApiSecurity.HttpApiSecurity>

type Class<Self, Name extends string, Id, Failure extends AnySchema, Security extends Securities> =
  HttpApiMiddleware.ServiceClass<Self, Name, {
    readonly requires: never
    readonly provides: Id
    readonly error: Failure
    readonly clientError: never
    readonly requiredForClient: false
    readonly security: Security
  }>

/** A middleware surrounds the handler. */
type Around<Id, Failure> = (
  handler: Effect.Effect<HttpServerResponse, unhandled, Id>,
  options: any
) => Effect.Effect<HttpServerResponse, unhandled | Failure, Provided>

/** The class has the tag of its service, so that its layer knows what to provide. */
interface WithTag<Provides> {
  readonly provides: Provides
}

const around = <Service, Failure>(
  { provides }: WithTag<Context.Key<any, Service>>,
  service: Effect.Effect<Service, Failure, Provided>
): Around<any, Failure> =>
(handler) => Effect.flatMap(service, (service) => Effect.provideService(handler, provides, service))

/**
 * An `HttpApi` of Effect 4 finds the status of an error by the schema that is listed, and not by the members of a union: a union
 * by itself would be a 500.
 */
const listed = <Failure extends AnySchema>(failure: Failure): Failure =>
  membersOf(failure) as ReadonlyArray<AnySchema> as unknown as Failure

const membersOf = (schema: AnySchema): ReadonlyArray<AnySchema> =>
  "members" in schema ? (schema.members as ReadonlyArray<AnySchema>).flatMap(membersOf) : [schema]

// ── a service by what the request proves itself with ──

export type SecureClass<Self, Name extends string, Provides extends AnyTag, Security extends Securities> =
  & Class<Self, Name, Context.Service.Identifier<Provides>, never, Security>
  & WithTag<Provides>

export const secure = <Self>() =>
<const Name extends string, Provides extends AnyTag, Security extends Securities>(
  name: Name,
  provides: Provides,
  security: Security
): SecureClass<Self, Name, Provides, Security> =>
  Object.assign(
    HttpApiMiddleware.Service<Self, { readonly provides: Context.Service.Identifier<Provides> }>()(name, { security }),
    { provides }
  )

/** Any class that {@link secure} makes for the service. */
export interface Secure<Self, Service, Security extends Securities>
  extends Context.Key<Self, { readonly [K in keyof Security]: Around<any, never> }>, WithTag<Context.Key<any, Service>>
{}

/** What a layer gives for the class: the service, whatever the request proves itself with. */
export const supplySecure = <Self, Service, const Name extends string>(
  tag: Secure<Self, Service, { readonly [K in Name]: HttpApiSecurity.ApiKey }>,
  name: Name,
  service: Effect.Effect<Service, never, Provided>
): { readonly [K in Name]: Around<any, never> } => ({ [name]: around(tag, service) }) as never

// ── a service, or an error ──

export type ProvidingClass<Self, Name extends string, Provides extends AnyTag, Failure extends AnySchema> =
  & Class<Self, Name, Context.Service.Identifier<Provides>, Failure, never>
  & WithTag<Provides>

export const providing =
  <Self>() =>
  <const Name extends string, Provides extends AnyTag, Failure extends AnySchema = never>(
    name: Name,
    provides: Provides,
    error?: Failure
  ): ProvidingClass<Self, Name, Provides, Failure> =>
    Object.assign(
      HttpApiMiddleware.Service<Self, { readonly provides: Context.Service.Identifier<Provides> }>()(
        name,
        error === undefined ? {} : { error: listed(error) }
      ),
      { provides }
    )

/** Any class that {@link providing} makes for the service. */
export interface Providing<Self, Service, Failure>
  extends Context.Key<Self, Around<any, Failure>>, WithTag<Context.Key<any, Service>>
{}

/** What a layer gives for the class. */
export const supply = <Self, Service, Failure>(
  tag: Providing<Self, Service, Failure>,
  service: Effect.Effect<Service, Failure, Provided>
): Around<any, Failure> => around(tag, service)

// ── nothing, or an error ──

export type CheckingClass<Self, Name extends string, Failure extends AnySchema> = Class<
  Self,
  Name,
  never,
  Failure,
  never
>

export const checking = <Self>() =>
<const Name extends string, Failure extends AnySchema>(
  name: Name,
  error: Failure
): CheckingClass<Self, Name, Failure> => HttpApiMiddleware.Service<Self>()(name, { error: listed(error) })

/** What a layer gives for the class. */
export const check = <Failure>(passes: Effect.Effect<void, Failure, Provided>): Around<never, Failure> => (handler) =>
  Effect.andThen(passes, handler)
