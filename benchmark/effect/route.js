/**
 * An app of one route, as an app of this edition writes it.
 */
import { HttpRouter } from "@effect/platform"

export const route = (handler) => HttpRouter.empty.pipe(HttpRouter.get("/", handler))
