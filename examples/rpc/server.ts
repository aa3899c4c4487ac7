/**
 * RPCs over HTTP whose handlers have the session and the current user.
 *
 * Start it with `npm run example -- rpc`, and run its client in a second terminal with `npm run example -- rpc/client`. The users
 * are those of examples/web.
 */
import { HttpLayerRouter } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { RpcSerialization, RpcServer } from "@effect/rpc"
import { Config, Effect, Layer, Option, Schema } from "effect"
import { RequestContext, Session, SessionKey, SessionStore } from "effect-session"
import * as RequestContextRpc from "effect-session/RequestContextRpc"
import { createServer } from "node:http"
import { User, UserId } from "../web/session.js"
import { checkPassword, findUser } from "../web/users.js"
import { CurrentUser, Rpcs, SignedIn, WrongPassword } from "./rpcs.js"

const Count = SessionKey.make("count", Schema.Int).withDefault(() => 0)

const RpcsLive = Rpcs.toLayer({
  signIn: ({ email, password }) =>
    Effect.gen(function*() {
      const account = yield* checkPassword(email, password)
      if (Option.isNone(account)) return yield* new WrongPassword()
      // The call declares no error of the session, so that a store that fails is a defect, which the client sees as one.
      yield* Effect.orDie(User.bind(account.value.id))
    }),
  count: () => RequestContext.update(Count, (count) => count + 1),
  me: () => Effect.map(CurrentUser, ({ name }) => name),
  signOut: () => Effect.orDie(RequestContext.flush)
})

const SignedInLive = RequestContextRpc.layerSignedIn(SignedIn, (id) => Effect.succeed(findUser(UserId.make(id))))

// A response of JSON is sent when the call has ended, so that its head can still carry the cookie.
const AppLive = RpcServer.layerHttpRouter({ group: Rpcs, path: "/rpc", protocol: "http" }).pipe(
  Layer.provide(RpcsLive),
  Layer.provide(RequestContextRpc.layer),
  Layer.provide(SignedInLive),
  Layer.provide(RpcSerialization.layerJson),
  Layer.provide(Session.layerRouter)
)

HttpLayerRouter.serve(AppLive, { disableLogger: true }).pipe(
  Layer.provide(SessionStore.layerDevelopment()),
  Layer.provide(NodeHttpServer.layerConfig(createServer, {
    port: Config.withDefault(Config.integer("PORT"), 3000),
    host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
  })),
  Layer.launch,
  NodeRuntime.runMain
)
