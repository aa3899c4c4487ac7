/**
 * What becomes of the changes of a request whose client goes away: decided by what the server had seen by the time that the
 * handler ended, and not by when the client gave up.
 */
import { HttpApp, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import { RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"
import * as Http from "node:http"

const Value = SessionKey.make("value", Schema.String)
const Count = SessionKey.make("count", Schema.Int)

/** Lets the handler of a request go on that waits. */
type GoOn = () => void

const waiting = new Map<string, (goOn: GoOn) => void>()
/** for each request, who is to know with which statuses its response was made, once it has ended on the server */
const ending = new Map<string, (statuses: ReadonlyArray<number>) => void>()

const nameOf = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ url }) => new URL(url, "http://localhost").searchParams.get("name") ?? ""
)

/** What a request does, if anything, before it waits until it is let go. */
const held = <E, R>(before: (name: string) => Effect.Effect<void, E, R>) =>
  Effect.gen(function*() {
    const name = yield* nameOf
    const gate = yield* Deferred.make<void>()
    yield* before(name)
    waiting.get(name)?.(() => Deferred.unsafeDone(gate, Exit.void))
    yield* Deferred.await(gate)
    return HttpServerResponse.text("changed")
  })

/** Outside of the session's middleware, which would run once more behind a handler that is appended inside. */
const observed = <E, R>(app: HttpApp.Default<E, R>) =>
  Effect.gen(function*() {
    const name = yield* nameOf
    const statuses: Array<number> = []
    yield* HttpApp.appendPreResponseHandler((_, response) => {
      statuses.push(response.status)
      return Effect.succeed(response)
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => ending.get(name)?.(statuses)))
    return yield* app
  })

const change = held((name) =>
  Effect.zipRight(
    RequestContext.insert(Value, name),
    RequestContext.modify(Count, (count) => [undefined, Option.some(Option.getOrElse(count, () => 0) + 1)])
  )
)

const untouched = held(() => Effect.void)

const show = Effect.gen(function*() {
  const value = yield* RequestContext.get(Value)
  const count = yield* RequestContext.get(Count)
  return HttpServerResponse.unsafeJson([Option.getOrNull(value), Option.getOrNull(count)])
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", show),
  HttpRouter.post("/start", Effect.as(RequestContext.insert(Value, "before"), HttpServerResponse.empty())),
  HttpRouter.post("/change", change),
  HttpRouter.head("/change", change),
  HttpRouter.post("/untouched", untouched),
  RequestContext.middleware,
  RequestId.middleware,
  observed
)

/** Set by a test that holds a save of the store; called when the save has begun. */
let saving: ((goOn: () => void) => void) | undefined

/** The store, whose saves wait where a test wants them to. */
const store = Layer.map(SessionStore.layerMemory({ secure: false }), (context) => {
  const service = Context.get(context, SessionStore.SessionStore)
  return Context.add(context, SessionStore.SessionStore, {
    ...service,
    save: (save, now) => {
      const begun = saving
      if (begun === undefined) return service.save(save, now)
      saving = undefined
      return Effect.zipRight(
        Effect.async<void>((resume) => begun(() => resume(Effect.void))),
        Effect.suspend(() => service.save(save, now))
      )
    }
  })
})

describe("a client that goes away", () => {
  const scope = Effect.runSync(Scope.make())
  const server = Http.createServer()
  let origin = ""

  beforeAll(async () => {
    const live = HttpServer.serve(app).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" })),
      Layer.provide(store)
    )
    const { address } = Context.get(await Effect.runPromise(Layer.buildWithScope(live, scope)), HttpServer.HttpServer)
    server.on("request", (_, response) => response.on("close", () => server.emit("request-closed")))
    // Node itself listens first, and has ended its side of the connection by then.
    server.on("connection", (socket) => socket.on("end", () => server.emit("client-has-gone")))
    if (address._tag === "TcpAddress") origin = `http://127.0.0.1:${address.port}`
  })

  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const begin = async () => {
    const response = await fetch(`${origin}/start`, { method: "POST" })
    const cookie = response.headers.getSetCookie()[0].split(";")[0]
    const shown = async () => (await fetch(origin, { headers: { cookie } })).json()
    return { cookie, shown }
  }

  /** A request whose handler has made its changes and waits; its client is still there. */
  const send = async (name: string, cookie: string, { method = "POST", path = "/change" } = {}) => {
    const held = new Promise<GoOn>((resolve) => waiting.set(name, resolve))
    const ended = new Promise<ReadonlyArray<number>>((resolve) => ending.set(name, resolve))
    const request = Http.request(`${origin}${path}?name=${name}`, { method, agent: false, headers: { cookie } })
    request.on("error", () => undefined)
    request.end()
    return { request, ended, goOn: await held }
  }

  it("M4: a handler that ends before the server notices that its client has gone has completed, and its changes are saved", async () => {
    const { cookie, shown } = await begin()
    const { ended, goOn, request } = await send("late", cookie)
    // The client goes first. The server learns of it when it next reads from its sockets, and the handler ends before that.
    request.destroy()
    goOn()
    expect(await ended).toEqual([200])
    expect(await shown()).toEqual(["late", 1])
  })

  it("M4: a handler that is interrupted because its client has gone saves nothing but what modify has saved", async () => {
    const { cookie, shown } = await begin()
    const { ended, goOn, request } = await send("early", cookie)
    request.destroy()
    expect(await ended).toEqual([499])
    goOn()
    expect(await shown()).toEqual(["before", 1])
  })

  it("M4: when the client goes away while its changes are being saved, they are saved, and the request ends on the server", async () => {
    const { cookie, shown } = await begin()
    const save = new Promise<() => void>((resolve) => saving = resolve)
    const { ended, goOn, request } = await send("saved", cookie)
    goOn()
    const finishSave = await save
    const closed = new Promise((resolve) => server.once("request-closed", resolve))
    request.destroy()
    await closed
    finishSave()
    expect(await ended).toEqual([200])
    expect(await shown()).toEqual(["saved", 1])
  })

  it("M4: a request whose handler ends between the end of its connection and the report of it is saved, and ends", async () => {
    const { cookie, shown } = await begin()
    const { ended, goOn, request } = await send("between", cookie)
    server.once("client-has-gone", goOn)
    request.destroy()
    expect(await ended).toEqual([200])
    expect(await shown()).toEqual(["between", 1])
  })

  it("M4: a HEAD whose handler ends between the end of its connection and the report of it ends as well", async () => {
    const { cookie, shown } = await begin()
    const { ended, goOn, request } = await send("head", cookie, { method: "HEAD" })
    server.once("client-has-gone", goOn)
    request.destroy()
    expect(await ended).toEqual([200])
    expect(await shown()).toEqual(["head", 1])
  })

  it("M4: a request that does not use the session ends as well when its client has just gone", async () => {
    const { ended, goOn, request } = await send("untouched", "", { path: "/untouched" })
    server.once("client-has-gone", goOn)
    request.destroy()
    expect(await ended).toEqual([200])
  })

  it("M4: a request whose save ends between the end of its connection and the report of it ends as well", async () => {
    const { cookie, shown } = await begin()
    const save = new Promise<() => void>((resolve) => saving = resolve)
    const { ended, goOn, request } = await send("saved between", cookie)
    goOn()
    server.once("client-has-gone", await save)
    request.destroy()
    expect(await ended).toEqual([200])
    expect(await shown()).toEqual(["saved between", 1])
  })
})
