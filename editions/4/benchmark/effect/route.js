/**
 * An app of one route, as an app of this edition writes it.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"

export const route = (handler) =>
  Effect.runSync(Effect.scoped(HttpRouter.toHttpEffect(HttpRouter.add("GET", "/", handler))))
