/**
 * Middlewares of RPCs: the platform's classes for them, and what a layer gives for one.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import type * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { unhandled } from "effect/Types"

export type AnyTag = Context.Key<any, any>

export type AnySchema = Schema.Top

/** The class has the tag of its service, so that its layer knows what to provide. */
interface WithTag<Provides> {
  readonly provides: Provides
}

export type ProvidingClass<Self, Name extends string, Provides extends AnyTag, Failure extends AnySchema> =
  & RpcMiddleware.ServiceClass<Self, Name, Context.Service.Identifier<Provides>, Failure, never, never, false>
  & WithTag<Provides>

/** The class of a middleware that gives handlers a service, or fails. */
export const providing =
  <Self>() =>
  <const Name extends string, Provides extends AnyTag, Failure extends AnySchema = Schema.Never>(
    name: Name,
    provides: Provides,
    error?: Failure
  ): ProvidingClass<Self, Name, Provides, Failure> =>
    Object.assign(
      RpcMiddleware.Service<Self, { readonly provides: Context.Service.Identifier<Provides> }>()(name, { error }),
      { provides }
    )

/** A middleware surrounds the handler. */
type Around<Failure> = (
  handler: Effect.Effect<RpcMiddleware.SuccessValue, Failure | unhandled, any>,
  options: any
) => Effect.Effect<RpcMiddleware.SuccessValue, unhandled | Failure, Scope>

/** Any class that {@link providing} makes for the service. */
export interface Providing<Self, Service, Failure>
  extends Context.Key<Self, Around<Failure>>, WithTag<Context.Key<any, Service>>
{}

/** What a layer gives for the class. */
export const supply = <Self, Service, Failure>(
  { provides }: Providing<Self, Service, Failure>,
  service: Effect.Effect<Service, Failure>
): Around<Failure> =>
(handler) => Effect.flatMap(service, (service) => Effect.provideService(handler, provides, service))
