/**
 * An HttpApi whose handlers have the current user, with a page of its OpenAPI document.
 *
 * Start it with `npm run example -- http-api`, open http://127.0.0.1:3000/docs, or run its client in a second terminal with
 * `npm run example -- http-api/client`. The users are those of examples/web.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer, Option, Schema } from "effect"
import { RequestContext, RequestContextApi, SessionKey, Sessions, SessionStore } from "effect-session"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiSwagger } from "effect/http-api"
import { createServer } from "node:http"
import { User as Subject, UserId } from "../web/session.js"
import { checkPassword, findUser } from "../web/users.js"
import { api, CurrentUser, SignedIn, User, WrongPassword } from "./api.js"

const Notes = SessionKey.make("notes", Schema.Array(Schema.String)).withDefault(() => [])

const AccountLive = HttpApiBuilder.group(api, "account", (handlers) =>
  handlers
    .handle("signIn", ({ payload: { email, password } }) =>
      Effect.gen(function*() {
        const account = yield* checkPassword(email, password)
        if (Option.isNone(account)) return yield* new WrongPassword()
        yield* Subject.bind(account.value.id)
        return new User(account.value)
      }))
    .handle("me", () => CurrentUser)
    .handle("signOut", () => RequestContext.flush)
    .handle("signOutEverywhere", () =>
      Effect.gen(function*() {
        const { subject } = yield* Effect.orDie(RequestContext.requireSignedIn) // the middleware has seen to it
        return (yield* Sessions.revokeAll(subject)) ?? 0 // a server store counts them
      })))

const NotesLive = HttpApiBuilder.group(api, "notes", (handlers) =>
  handlers
    .handle("list", () => RequestContext.get(Notes))
    .handle("add", ({ payload: { text } }) => RequestContext.update(Notes, (notes) => [...notes, text].slice(-20))))

/** The look-up runs once for each request. None, for a user who has been deleted, is a 401. */
const SignedInLive = RequestContextApi.layerSignedIn(
  SignedIn,
  (id) => Effect.succeed(Option.map(findUser(UserId.make(id)), (account) => new User(account)))
)

const ApiLive = HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }).pipe(
  Layer.provide(AccountLive),
  Layer.provide(NotesLive),
  Layer.provide(SignedInLive),
  Layer.provide(RequestContextApi.layerCsrf()),
  Layer.provide(RequestContextApi.layer(RequestContextApi.Session))
)

HttpRouter.serve(Layer.merge(ApiLive, HttpApiSwagger.layer(api, { path: "/docs" })), { disableLogger: true }).pipe(
  Layer.provide(SessionStore.layerDevelopment()),
  Layer.provide(NodeHttpServer.layerConfig(createServer, {
    port: Config.withDefault(Config.Int("PORT"), 3000),
    host: Config.withDefault(Config.String("HOST"), "127.0.0.1")
  })),
  Layer.launch,
  NodeRuntime.runMain
)
