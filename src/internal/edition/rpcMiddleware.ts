/**
 * Middlewares of RPCs: the platform's classes for them, and what a layer gives for one.
 */
import * as RpcMiddleware from "@effect/rpc/RpcMiddleware"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in the platform
export type AnyTag = Context.Tag<any, any>

export type AnySchema = Schema.Schema.All

export type ProvidingClass<Self, Name extends string, Provides extends AnyTag, Failure extends AnySchema> =
  RpcMiddleware.TagClass<Self, Name, { readonly provides: Provides; readonly failure: Failure }>

/** The class of a middleware that gives handlers a service, or fails. */
export const providing =
  <Self>() =>
  <const Name extends string, Provides extends AnyTag, Failure extends AnySchema = typeof Schema.Never>(
    name: Name,
    provides: Provides,
    failure?: Failure
  ): ProvidingClass<Self, Name, Provides, Failure> =>
    RpcMiddleware.Tag<Self>()(
      name,
      failure === undefined ? { provides } : { provides, failure }
    ) as ProvidingClass<Self, Name, Provides, Failure>

/** Any class that {@link providing} makes for the service. */
export type Providing<Self, Service, Failure> = Context.Tag<Self, RpcMiddleware.RpcMiddleware<Service, Failure>>

/** What a layer gives for the class. */
export const supply = <Self, Service, Failure>(
  _tag: Providing<Self, Service, Failure>,
  service: Effect.Effect<Service, Failure>
): RpcMiddleware.RpcMiddleware<Service, Failure> =>
() => service
