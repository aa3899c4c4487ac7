/**
 * The session for RPCs over HTTP (`@effect/rpc`): a middleware whose handlers get `RequestContext`, and one whose handlers
 * get the app's own user.
 *
 * Both hand over the session of the HTTP request that carries the RPC. The app that serves the RPCs therefore needs
 * `RequestContext.middleware` or `RequestContext.layerRouter`, as any other app does.
 *
 * @since 1.0.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Middleware from "./internal/edition/rpcMiddleware.js"
import { userOf } from "./internal/http/currentUser.js"
import * as RequestContext from "./RequestContext.js"
import type { RequestId } from "./RequestId.js"
import { NotSignedIn, ReadError } from "./SessionError.js"
import type { Subject } from "./Subject.js"

/** The session of the HTTP request: the RPC's fiber has the context of the request's. No type can ask for it. */
const session: Effect.Effect<RequestContext.RequestContextService> = Effect.withFiberRuntime((fiber) => {
  const found = Context.getOption(fiber.currentContext, RequestContext.RequestContext)
  return found._tag === "Some"
    ? Effect.succeed(found.value)
    : Effect.zipRight(Effect.logError(noSession), Effect.die(new Error(noSession)))
})

const noSession = "an RPC has no session: give the app that serves the RPCs RequestContext.middleware and "
  + "RequestId.middleware, or RequestContext.layerRouter and RequestId.layerRouter"

// ── the session ──

/**
 * The middleware for RPCs whose handlers use the session.
 *
 * What an RPC changes is saved when the response is ready. Over HTTP every response is a 200, even if the RPC fails, so that
 * what the RPC has changed before it fails is saved.
 *
 * With a serialization that sends results one by one (`layerNdjson`, `layerMsgPack`), the head of the response may leave with
 * the first result. Over a WebSocket it has left already. From then on the rules for streams hold: a change that needs a
 * cookie, such as a sign-in, fails with `SessionClosed`.
 *
 * @example
 * ```ts
 * import { HttpLayerRouter } from "@effect/platform"
 * import { Rpc, RpcGroup, RpcSerialization, RpcServer } from "@effect/rpc"
 * import { RequestContext, RequestId, SessionError, SessionKey, SessionStore } from "effect-session"
 * import * as RequestContextRpc from "effect-session/RequestContextRpc"
 * import { Layer, Schema } from "effect"
 *
 * const Theme = SessionKey.make("theme", Schema.String).withDefault(() => "light")
 *
 * class Rpcs extends RpcGroup.make(
 *   Rpc.make("theme", { success: Schema.String, error: SessionError.ReadError })
 * ).middleware(RequestContextRpc.Session) {}
 *
 * const RpcsLive = Rpcs.toLayer({
 *   theme: () => RequestContext.get(Theme)
 * })
 *
 * const AppLive = RpcServer.layerHttpRouter({ group: Rpcs, path: "/rpc", protocol: "http" }).pipe(
 *   Layer.provide(RpcsLive),
 *   Layer.provide(RequestContextRpc.layer),
 *   Layer.provide(RpcSerialization.layerJson),
 *   Layer.provide(RequestContext.layerRouter),
 *   Layer.provide(RequestId.layerRouter),
 *   Layer.provide(SessionStore.layerMemory())
 * )
 *
 * const { dispose, handler } = HttpLayerRouter.toWebHandler(AppLive)
 * ```
 *
 * @since 1.0.0
 * @category tags
 */
export class Session extends Middleware.providing<Session>()(
  "effect-session/RequestContextRpc/Session",
  RequestContext.RequestContext
) {}

/**
 * The middleware behind {@link Session}. It needs no store, because it uses the session of the HTTP request. If the request has
 * no session, the RPC dies, and the error that is logged says what to add.
 *
 * @since 1.0.0
 * @category layers
 */
export const layer: Layer.Layer<Session> = Layer.succeed(Session, Middleware.supply(Session, session))

// ── the current user ──

/**
 * The class of a middleware that gives handlers the user who has signed in, as {@link SignedInTag} makes it.
 *
 * @since 1.0.0
 * @category models
 */
export type SignedInTagClass<
  Self,
  Name extends string,
  Provides extends Middleware.AnyTag,
  Failure extends Middleware.AnySchema
> = Middleware.ProvidingClass<Self, Name, Provides, Schema.Union<[typeof NotSignedIn, typeof ReadError, Failure]>>

/**
 * Makes the tag of a middleware that gives handlers the app's own user. Its RPCs fail with `NotSignedIn` when nobody has
 * signed in, and their handlers find the user under the tag that `provides` names. Clients get the error with its type.
 *
 * Add it before or after {@link Session}, or without it. The session is loaded once for all RPCs of a request.
 *
 * - `provides`: the app's tag of the current user.
 * - `failure`: the schema of the errors with which the look-up of {@link layerSignedIn} may fail. By default it cannot fail.
 *
 * @example
 * ```ts
 * import { Rpc, RpcGroup } from "@effect/rpc"
 * import * as RequestContextRpc from "effect-session/RequestContextRpc"
 * import { Context, Effect, type Option, Schema } from "effect"
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}
 *
 * class SignedIn extends RequestContextRpc.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}
 *
 * class Rpcs extends RpcGroup.make(Rpc.make("me", { success: Schema.String })).middleware(SignedIn) {}
 *
 * const RpcsLive = Rpcs.toLayer({ me: () => Effect.map(CurrentUser, ({ name }) => name) })
 *
 * declare const findUser: (id: string) => Effect.Effect<Option.Option<{ readonly name: string }>>
 *
 * const SignedInLive = RequestContextRpc.layerSignedIn(SignedIn, findUser)
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const SignedInTag = <Self>() =>
<
  const Name extends string,
  Provides extends Middleware.AnyTag,
  Failure extends Middleware.AnySchema = typeof Schema.Never
>(
  name: Name,
  options: { readonly provides: Provides; readonly failure?: Failure | undefined }
): SignedInTagClass<Self, Name, Provides, Failure> =>
  // Sound: without a schema of its own the type of one is `Schema.Never`.
  Middleware.providing<Self>()(
    name,
    options.provides,
    Schema.Union(NotSignedIn, ReadError, options.failure ?? Schema.Never as unknown as Failure)
  )

/** What the HTTP request itself provides to the look-up. */
type OfRequest = RequestContext.RequestContext | RequestId

/**
 * The middleware behind a tag of {@link SignedInTag}.
 *
 * - `find`: looks the user of a subject up, once for each RPC. `None`, for instance for a user who has been deleted since the
 *   sign-in, becomes `NotSignedIn`. It may use the services of the layer and the session, and fail with what the tag declares
 *   as `failure`.
 * - `subject`: the typed subject that `find` takes (`Subject.make`); by default it takes the text.
 *
 * @example
 * ```ts
 * import { Subject } from "effect-session"
 * import * as RequestContextRpc from "effect-session/RequestContextRpc"
 * import { Context, Effect, Option, Schema } from "effect"
 *
 * const UserId = Schema.NumberFromString.pipe(Schema.int(), Schema.brand("UserId"))
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly id: typeof UserId.Type }>() {}
 *
 * class SignedIn extends RequestContextRpc.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}
 *
 * const SignedInLive = RequestContextRpc.layerSignedIn(SignedIn, (id) => Effect.succeed(Option.some({ id })), {
 *   subject: Subject.make(UserId)
 * })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerSignedIn = <Self, User, Failure, R, A = string>(
  tag: Middleware.Providing<Self, User, Failure | NotSignedIn | ReadError>,
  find: (subject: NoInfer<A>) => Effect.Effect<Option.Option<NoInfer<User>>, NoInfer<Failure>, R>,
  options: { readonly subject?: Subject<A> | undefined } = {}
): Layer.Layer<Self, never, Exclude<R, OfRequest>> =>
  Layer.effect(
    tag,
    Effect.map(Effect.context<Exclude<R, OfRequest>>(), (services) => {
      // Sound: without a subject of its own the type of one is `string`.
      const user = userOf((options.subject ?? RequestContext as unknown as Subject<A>).requireSignedIn, find)
      const found = Effect.flatMap(session, () =>
        Effect.mapInputContext(
          user,
          (request: Context.Context<never>) =>
            Context.merge(services, request) as unknown as Context.Context<R | RequestContext.RequestContext>
        ))
      return Middleware.supply(tag, found)
    })
  )
