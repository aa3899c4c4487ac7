/**
 * The app that shop.test.ts tests. It leaves its store to whoever serves it.
 */
import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { Effect, Schema } from "effect"
import { RequestContext, Session, SessionKey } from "effect-session"

export const Cart = SessionKey.make("cart", Schema.Array(Schema.String)).withDefault(() => [])

export const addTea = RequestContext.update(Cart, (cart) => [...cart, "tea"])

const account = Effect.map(RequestContext.requireSignedIn, ({ subject }) => HttpServerResponse.text(subject))

export const app = HttpRouter.empty.pipe(
  HttpRouter.post("/cart", Effect.as(addTea, HttpServerResponse.empty())),
  HttpRouter.get("/cart", Effect.map(RequestContext.get(Cart), (cart) => HttpServerResponse.text(cart.join()))),
  HttpRouter.post("/sign-in", Effect.as(RequestContext.bind("ada"), HttpServerResponse.empty())),
  HttpRouter.post("/sign-out", Effect.as(RequestContext.flush, HttpServerResponse.empty())),
  HttpRouter.get("/account", account),
  Session.middleware
)
