import {
  type HttpApp,
  HttpClient,
  HttpClientRequest,
  HttpLayerRouter,
  HttpServer,
  HttpServerResponse,
  Socket
} from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Rpc, RpcClient, RpcGroup, RpcSerialization, RpcServer, RpcTest } from "@effect/rpc"
import { Cause, Context, Effect, Exit, Layer, Logger, Option, Schema } from "effect"
import { RequestContext, RequestId, SessionError, SessionKey, SessionStore, Subject } from "effect-session"
import * as RequestContextRpc from "effect-session/RequestContextRpc"
import * as Testing from "effect-session/Testing"
import * as Http from "node:http"
import { WebSocket } from "undici"
import { describe, expect, it } from "vitest"
import { collectLogs } from "./support/collectLogs.js"
import { cookieOf } from "./support/counting.js"
import { rpcWebHandler } from "./support/rpcWebHandler.js"

const Theme = SessionKey.make("theme", Schema.String)

class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}

class UsersAreAway extends Schema.TaggedError<UsersAreAway>()("UsersAreAway", {}) {}

class SignedIn extends RequestContextRpc.SignedInTag<SignedIn>()("SignedIn", {
  provides: CurrentUser,
  failure: UsersAreAway
}) {}

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const me = Rpc.make("me", { success: Schema.Array(Schema.String) })

class Rpcs extends RpcGroup.make(
  Rpc.make("signIn", { payload: { user: Schema.String } }).middleware(RequestContextRpc.Session),
  Rpc.make("paint", { payload: { theme: Schema.String }, error: Refused }).middleware(RequestContextRpc.Session),
  Rpc.make("theme", { success: Schema.String }).middleware(RequestContextRpc.Session),
  me.middleware(SignedIn),
  me.prefix("inner.").middleware(SignedIn).middleware(RequestContextRpc.Session),
  me.prefix("outer.").middleware(RequestContextRpc.Session).middleware(SignedIn)
) {}

const twice = Effect.gen(function*() {
  const again = yield* Effect.orDie(RequestContext.requireSignedIn)
  return [(yield* CurrentUser).name, again.subject]
})

const RpcsLive = Rpcs.toLayer({
  signIn: ({ user }) => Effect.orDie(RequestContext.bind(user)),
  paint: ({ theme }) =>
    Effect.zipRight(
      Effect.orDie(RequestContext.insert(Theme, theme)),
      theme === "refused" ? new Refused() : Effect.void
    ),
  theme: () => Effect.orDie(Effect.map(RequestContext.get(Theme), Option.getOrElse(() => "none"))),
  me: () => Effect.map(CurrentUser, ({ name }) => [name]),
  "inner.me": () => twice,
  "outer.me": () => twice
})

const SignedInLive = RequestContextRpc.layerSignedIn(SignedIn, (id) =>
  id === "away"
    ? new UsersAreAway()
    // the look-up has the session, too
    : Effect.map(Effect.orDie(RequestContext.sessionId), () =>
      id === "deleted" ? Option.none() : Option.some({ name: id })))

let loads = 0
const store = (options: SessionStore.MemoryOptions = {}) =>
  Layer.map(SessionStore.layerMemory({ secure: false, ...options }), (context) => {
    const memory = Context.get(context, SessionStore.SessionStore)
    return Context.add(context, SessionStore.SessionStore, {
      ...memory,
      load: (tokens, now) => {
        loads++
        return memory.load(tokens, now)
      }
    })
  })

const Live = Layer.mergeAll(RpcsLive, RequestContextRpc.layer, SignedInLive)

type Web = (request: Request) => Promise<Response>
interface Running {
  readonly handler: Web
  readonly dispose: () => Promise<void>
}

const withSession = (app: HttpApp.Default) => app.pipe(RequestContext.middleware, RequestId.middleware)

const silent = Logger.remove(Logger.defaultLogger)

const hosts = {
  HttpLayerRouter: (serialization: typeof RpcSerialization.layerJson, options?: SessionStore.MemoryOptions): Running =>
    HttpLayerRouter.toWebHandler(
      RpcServer.layerHttpRouter({ group: Rpcs, path: "/rpc", protocol: "http" }).pipe(
        Layer.provide(Live),
        Layer.provide(serialization),
        Layer.provide(RequestContext.layerRouter),
        Layer.provide(RequestId.layerRouter),
        Layer.provide(store(options)),
        Layer.provideMerge(silent)
      ),
      { disableLogger: true }
    ),
  HttpApp: (serialization: typeof RpcSerialization.layerJson, options?: SessionStore.MemoryOptions): Running => {
    const store = storeOf(options)
    return rpcWebHandler(
      Rpcs,
      Layer.mergeAll(Layer.provide(Live, Layer.succeedContext(store)), serialization, silent),
      (app) => Effect.provide(withSession(app), store)
    )
  }
}

/** One store for all requests of a web handler, whose middleware may need nothing but the platform's services. */
const storeOf = (options: SessionStore.MemoryOptions | undefined) =>
  Effect.runSync(Effect.scoped(Layer.build(store({ ...options, cleanupInterval: Infinity }))))

const serializations = { json: RpcSerialization.layerJson, ndjson: RpcSerialization.layerNdjson }

/** A client in a browser of its own. */
const clientOf = (handler: Web, serialization: typeof RpcSerialization.layerJson) =>
  Effect.gen(function*() {
    const browser = yield* Testing.browser(handler, { origin: "http://localhost" })
    const protocol = yield* RpcClient.makeProtocolHttp(
      HttpClient.mapRequestInput(browser.client, HttpClientRequest.prependUrl("http://localhost/rpc"))
    ).pipe(Effect.provide(serialization))
    const client = yield* RpcClient.make(Rpcs, { flatten: true }).pipe(
      Effect.provideService(RpcClient.Protocol, protocol)
    )
    return { browser, client }
  })

const failureOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

for (const [host, start] of Object.entries(hosts)) {
  for (const [format, serialization] of Object.entries(serializations)) {
    const run = (
      test: (kit: Effect.Effect.Success<ReturnType<typeof clientOf>>) => Effect.Effect<void, unknown>,
      options?: SessionStore.MemoryOptions
    ) =>
    async () => {
      const { dispose, handler } = start(serialization, options)
      await clientOf(handler, serialization).pipe(Effect.flatMap(test), Effect.scoped, Effect.runPromise)
      await dispose()
    }

    describe(`RPCs in ${host}, ${format}`, () => {
      it(
        "U3: handlers get the session of the HTTP request, and a sign-in in one is there in the next",
        run(({ browser, client }) =>
          Effect.gen(function*() {
            expect(yield* client("theme", undefined)).toBe("none")
            yield* client("paint", { theme: "dark" })
            yield* client("signIn", { user: "ada" })
            expect(yield* client("theme", undefined)).toBe("dark")
            expect(yield* browser.jar.cookies).toHaveLength(1)
          })
        )
      )

      for (const rpc of ["me", "inner.me", "outer.me"]) {
        it(
          `U3: handlers get the user who has signed in, with one load (${rpc})`,
          run(({ client }) =>
            Effect.gen(function*() {
              yield* client("signIn", { user: "ada" })
              loads = 0
              expect([yield* client(rpc as "me", undefined), loads]).toEqual([
                rpc === "me" ? ["ada"] : ["ada", "ada"],
                1
              ])
            })
          )
        )
      }

      it(
        "U3: without a user an RPC fails with NotSignedIn, and with what the look-up fails with, typed",
        run(({ client }) =>
          Effect.gen(function*() {
            expect(failureOf(yield* Effect.exit(client("me", undefined)))).toBeInstanceOf(SessionError.NotSignedIn)
            yield* client("signIn", { user: "deleted" })
            expect(failureOf(yield* Effect.exit(client("me", undefined)))).toBeInstanceOf(SessionError.NotSignedIn)
            yield* client("signIn", { user: "away" })
            expect(failureOf(yield* Effect.exit(client("me", undefined)))).toBeInstanceOf(UsersAreAway)
          })
        )
      )

      it(
        "U3: what an RPC has changed before it fails is saved, because its response is a 200",
        run(({ client }) =>
          Effect.gen(function*() {
            expect(failureOf(yield* Effect.exit(client("paint", { theme: "refused" })))).toBeInstanceOf(Refused)
            expect(yield* client("theme", undefined)).toBe("refused")
          })
        )
      )

      it(
        "U3: with disabled sessions an RPC for users fails with SessionDisabled",
        run(({ client }) =>
          Effect.gen(function*() {
            expect(failureOf(yield* Effect.exit(client("me", undefined)))).toBeInstanceOf(SessionError.SessionDisabled)
          }), { enable: false })
      )
    })
  }

  it(`U3: the RPCs of one HTTP request share one load (${host})`, async () => {
    const { dispose, handler } = start(RpcSerialization.layerNdjson)
    const post = (cookie: string, ...calls: ReadonlyArray<readonly [tag: string, payload?: unknown]>) =>
      handler(
        new Request("http://localhost/rpc", {
          method: "POST",
          headers: { "content-type": "application/ndjson", cookie },
          body: calls.map(([tag, payload = null], id) =>
            `${JSON.stringify({ _tag: "Request", id: String(id), tag, payload, headers: [] })}\n`
          ).join("")
        })
      )
    const cookie = cookieOf(await post("", ["signIn", { user: "ada" }]))
    loads = 0
    const response = await post(cookie, ["me"], ["outer.me"], ["theme"])
    const lines = (await response.text()).trim().split("\n")
    expect(lines.map((line) => JSON.parse(line).exit.value)).toEqual([["ada"], ["ada", "ada"], "none"])
    expect(loads).toBe(1)
    await dispose()
  })
}

describe("RPCs", () => {
  it("U3: over a WebSocket they have the session of the handshake, and what needs a cookie fails", async () => {
    const SignIn = HttpLayerRouter.add(
      "POST",
      "/sign-in",
      Effect.gen(function*() {
        yield* RequestContext.bind("ada")
        return HttpServerResponse.empty()
      }).pipe(Effect.orDie)
    )
    const ServerLive = RpcServer.layerHttpRouter({ group: Rpcs, path: "/rpc" }).pipe(
      Layer.provide(Live),
      Layer.provide(RpcSerialization.layerJson),
      Layer.merge(SignIn),
      Layer.provide(RequestContext.layerRouter),
      Layer.provide(RequestId.layerRouter),
      HttpLayerRouter.serve,
      Layer.provide(store()),
      Layer.provideMerge(NodeHttpServer.layer(Http.createServer, { port: 0, host: "127.0.0.1" })),
      Layer.provideMerge(silent)
    )
    const program = Effect.gen(function*() {
      const { address } = yield* HttpServer.HttpServer
      const host = `127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
      const signIn = yield* Effect.promise(() => fetch(`http://${host}/sign-in`, { method: "POST" }))
      const connect = (cookie: string) =>
        Effect.gen(function*() {
          const client = yield* RpcClient.make(Rpcs, { flatten: true })
          return [
            yield* Effect.exit(client("outer.me", undefined)),
            yield* Effect.exit(client("signIn", { user: "eve" }))
          ] as const
        }).pipe(
          Effect.provide(
            RpcClient.layerProtocolSocket().pipe(
              Layer.provide(Socket.layerWebSocket(`ws://${host}/rpc`)),
              Layer.provide(Layer.succeed(
                Socket.WebSocketConstructor,
                (url) => new WebSocket(url, { headers: { cookie } }) as unknown as globalThis.WebSocket
              )),
              Layer.provide(RpcSerialization.layerJson)
            )
          ),
          Effect.scoped
        )
      const [user, again] = yield* connect(cookieOf(signIn))
      expect(user).toEqual(Exit.succeed(["ada", "ada"]))
      expect(Exit.isFailure(again) && Cause.squash(again.cause)).toMatchObject({ name: "SessionClosed" })
      const [nobody] = yield* connect("")
      expect(failureOf(nobody)).toBeInstanceOf(SessionError.NotSignedIn)
    })
    await program.pipe(Effect.provide(ServerLive as Layer.Layer<HttpServer.HttpServer>), Effect.runPromise)
  })

  it("U3: an RPC in a request without a session dies, and says what to add", async () => {
    const lines: Array<string> = []
    const { dispose, handler } = rpcWebHandler(
      Rpcs,
      Layer.mergeAll(Layer.provide(Live, store()), RpcSerialization.layerJson, collectLogs(lines))
    )
    const exits = await clientOf(handler, RpcSerialization.layerJson).pipe(
      Effect.flatMap(({ client }) =>
        Effect.all([Effect.exit(client("theme", undefined)), Effect.exit(client("me", undefined))])
      ),
      Effect.scoped,
      Effect.runPromise
    )
    for (const exit of exits as ReadonlyArray<Exit.Exit<unknown, unknown>>) {
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({
        message: expect.stringContaining("RequestContext.middleware")
      })
    }
    expect(lines.filter((line) => line.startsWith("ERROR") && line.includes("RequestContext.middleware"))).toHaveLength(
      2
    )
    await dispose()
  })

  it("U3: in a test without HTTP they have the session of the test", async () => {
    const program = Effect.gen(function*() {
      const client = yield* RpcTest.makeClient(Rpcs, { flatten: true })
      return [yield* client("theme", undefined), yield* client("outer.me", undefined)]
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.provideMerge(Live, Testing.layerTest({ subject: "ada", contents: [Testing.value(Theme, "dark")] }))
      )
    )
    expect(await Effect.runPromise(program)).toEqual(["dark", ["ada", "ada"]])
  })

  it("U3: a typed subject reaches the look-up as what its schema decodes", async () => {
    const Account = Subject.make(Schema.NumberFromString.pipe(Schema.int()))
    class Numbered extends RequestContextRpc.SignedInTag<Numbered>()("Numbered", { provides: CurrentUser }) {}
    class Own extends RpcGroup.make(Rpc.make("me", { success: Schema.String }).middleware(Numbered)) {}
    const OwnLive = Layer.merge(
      Own.toLayer({ me: () => Effect.map(CurrentUser, ({ name }) => name) }),
      RequestContextRpc.layerSignedIn(Numbered, (id) => Effect.succeedSome({ name: `user ${id + 1}` }), {
        subject: Account
      })
    )
    const askAs = (subject: string) =>
      Effect.flatMap(RpcTest.makeClient(Own), (client) => client.me()).pipe(
        Effect.scoped,
        Effect.provide(Layer.merge(OwnLive, Testing.layerTest({ subject }))),
        Effect.runPromiseExit
      )
    expect(await askAs("7")).toEqual(Exit.succeed("user 8"))
    expect(failureOf(await askAs("seven"))).toMatchObject({ _tag: "SessionSchemaError", key: "(subject)" })
  })
})
