/**
 * The ways in which an app takes the socket of a request over.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"

/** Properties of a request that run `before` ahead of them. */
export const upgradesAfter = (
  { upgrade }: HttpServerRequest,
  before: Effect.Effect<void>
): PropertyDescriptorMap => ({ upgrade: { value: Effect.zipRight(before, upgrade) } })
