/**
 * Middlewares for single routes of an `HttpLayerRouter`, one for each group of routes.
 *
 * The platform builds one layer once for each app: two groups of routes behind one middleware would share what the first was
 * given, its store among it. Fresh layers are built for each group that uses them.
 */
import type * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as Layer from "effect/Layer"

type AnyLayer = Layer.Layer<unknown, unknown, unknown>

/** The middleware with layers that no two groups of routes share; what it is combined with shares nothing either. */
export const unshared = <M extends { readonly layer: unknown; readonly combine: unknown }>(middleware: M): M => {
  const combine = middleware.combine as (this: M, other: HttpLayerRouter.Middleware<never>) => M
  return Object.assign(Object.create(Object.getPrototypeOf(middleware) as object), middleware, {
    layer: Layer.fresh(middleware.layer as AnyLayer),
    combine: (other: HttpLayerRouter.Middleware<never>) => unshared(combine.call(middleware, other))
  }) as M
}
