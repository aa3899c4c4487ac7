/**
 * The ways in which an app takes the socket of a request over.
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

/** Properties of a request that run `before` ahead of them. */
export const upgradesAfter = (
  request: HttpServerRequest,
  before: Effect.Effect<void>
): PropertyDescriptorMap => {
  const { upgrade, upgradeWith } = request
  return {
    upgrade: { value: Effect.andThen(before, upgrade) },
    upgradeWith: {
      value: (options: Parameters<typeof upgradeWith>[0]) =>
        Effect.andThen(before, Effect.suspend(() => upgradeWith.call(request, options)))
    }
  }
}
