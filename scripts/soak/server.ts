/**
 * The server of a soak, in a process of its own: carries out the scripts of the requests, and answers the questions of its
 * parent about them and about its heap.
 */
import { HttpApp, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Context, Effect, Exit, Layer, Option, Schema, Stream } from "effect"
import { RequestContext, RequestId, SessionKey, Sessions, SessionStore } from "effect-session"
import { SessionStoreError } from "effect-session/SessionError"
import { createServer } from "node:http"
import { writeHeapSnapshot } from "node:v8"
import { Journal, type Recorder } from "./journal.js"
import type { Answer, Question, Result, Script, Setup, Step, Value } from "./script.js"
import { storeOf } from "./stores.js"

const setup = JSON.parse(process.argv[2]) as Setup
const journal = new Journal()

// ── what a script's steps do ──

const Count = SessionKey.make("count", Schema.Int)
const textKey = (name: string) => SessionKey.make(name, Schema.String)

const values = Effect.gen(function*() {
  const found: Record<string, Value> = {}
  for (const name of yield* RequestContext.keys) {
    const value: Option.Option<Value> =
      yield* (name === "count" ? RequestContext.get(Count) : RequestContext.get(textKey(name)))
    if (Option.isSome(value)) found[name] = value.value
  }
  return found
})

const done: Result = { value: null }

const burn = (millis: number): void => {
  const end = performance.now() + millis
  while (performance.now() < end);
}

const carryOut = (
  step: Step
): Effect.Effect<
  Result,
  { readonly _tag: string },
  RequestContext.RequestContext | Sessions.Sessions | Sessions.SessionList
> => {
  switch (step.op) {
    case "read":
      return Effect.gen(function*() {
        const found = yield* values
        const signedIn = yield* RequestContext.signedIn
        const id = yield* RequestContext.sessionId
        return {
          values: found,
          subject: Option.match(signedIn, { onNone: () => null, onSome: ({ subject }) => subject }),
          id: Option.getOrNull(id)
        }
      })
    case "insert":
      return Effect.as(RequestContext.insert(textKey(step.key), step.value), done)
    case "remove":
      return Effect.map(RequestContext.remove(textKey(step.key)), (value) => ({ value: Option.getOrNull(value) }))
    case "clear":
      return Effect.as(RequestContext.clear, done)
    case "modify":
      return Effect.map(
        RequestContext.modify(Count, (count) => {
          const next = Option.getOrElse(count, () => 0) + 1
          return [next, Option.some(next)]
        }),
        (value) => ({ value })
      )
    case "renew":
      return Effect.as(RequestContext.renew, done)
    case "remember":
      return Effect.as(RequestContext.setExpiry(step.persistent ? "30 days" : "browser-session"), done)
    case "signIn":
      return Effect.as(RequestContext.bind(step.subject), done)
    case "signOut":
      return Effect.as(RequestContext.flush, done)
    case "list":
      return Effect.map(Sessions.list(step.subject), (sessions) => ({
        ids: sessions.map(({ id }) => id).sort(),
        current: sessions.find(({ current }) => current)?.id ?? null
      }))
    case "revoke":
      return Effect.map(Sessions.revoke(step.subject, step.id), (value) => ({ value }))
    case "revokeOthers":
      return Effect.map(Sessions.revokeOthers(step.subject), (value) => ({ value: value ?? null }))
    case "commit":
      return Effect.as(RequestContext.commit, done)
    case "sleep":
      return Effect.as(Effect.sleep(step.millis), done)
    case "burn":
      return Effect.sync(() => {
        burn(step.millis)
        return done
      })
  }
}

/** A step that fails is reported, and the script goes on. */
const recorded = (recorder: Recorder, step: Step) =>
  Effect.suspend(() => {
    recorder.begin()
    return Effect.map(
      Effect.catchAll(carryOut(step), ({ _tag }) => Effect.succeed<Result>({ error: _tag })),
      (result) => recorder.end(result)
    )
  })

// ── the app ──

const recorders = new WeakMap<object, Recorder>()

const noteFailure = Effect.withFiberRuntime<void>((fiber) => {
  const request = Context.getOption(fiber.currentContext, HttpServerRequest.HttpServerRequest)
  const recorder = Option.isSome(request) ? recorders.get(request.value.source as object) : undefined
  if (recorder !== undefined) recorder.storeFailed = true
  return Effect.void
})

/** The store, whose failures are noted even where the request that is concerned never learns of them. */
const observed = Layer.map(storeOf(setup), (context) => {
  const store = Context.get(context, SessionStore.SessionStore)
  const noting = <F extends (...call: Array<never>) => Effect.Effect<unknown, unknown, unknown>>(f: F): F =>
    // Sound: the effect is the same, and what it fails with is only looked at.
    ((...call: Parameters<F>) => {
      const effect = f(...call)
      return Exit.isExit(effect)
        ? effect
        : Effect.tapError(effect, (error) => error instanceof SessionStoreError ? noteFailure : Effect.void)
    }) as F
  return Context.add(context, SessionStore.SessionStore, {
    ...store,
    load: noting(store.load),
    save: noting(store.save),
    modify: noting(store.modify),
    end: noting(store.end)
  })
})

const handler = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const recorder = recorders.get(request.source as object)!
  const handled = Effect.gen(function*() {
    const script = (yield* request.json) as Script
    const results = yield* Effect.forEach(script.steps, (step) => recorded(recorder, step))
    if (script.stream === undefined) return HttpServerResponse.unsafeJson(results, { status: script.status })
    const context = yield* Effect.context<RequestContext.RequestContext | Sessions.Sessions | Sessions.SessionList>()
    const body = Stream.fromIterable(script.stream).pipe(
      Stream.mapEffect((step) => recorded(recorder, step)),
      Stream.map((result) => `${JSON.stringify(result)}\n`),
      Stream.rechunk(1),
      Stream.encodeText,
      Stream.provideContext(context)
    )
    return HttpServerResponse.stream(body, { status: script.status, contentType: "application/jsonl" })
  })
  return yield* Effect.onExit(handled, (exit) =>
    Effect.sync(() => {
      recorder.exit = exit._tag === "Success" ? "completed" : Exit.isInterrupted(exit) ? "interrupted" : "failed"
    }))
})

/** Outermost: sees the status that the session decides by, and the end of the request. */
const journaled = <E, R>(app: HttpApp.Default<E, R>) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const recorder = journal.begin(request.headers["x-request-id"])
    recorders.set(request.source as object, recorder)
    yield* HttpApp.appendPreResponseHandler((_, response) => {
      recorder.statuses.push(response.status)
      return Effect.succeed(response)
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => journal.end(recorder, NodeHttpServerRequest.toServerResponse(request).statusCode))
    )
    return yield* app
  })

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/", handler),
  RequestContext.middleware,
  RequestId.middleware,
  journaled
)

// ── the process ──

const send = (answer: Answer): void => void process.send?.(answer, undefined, undefined, () => undefined)

const heap = (snapshot: string | undefined): void => {
  globalThis.gc?.()
  globalThis.gc?.()
  if (snapshot !== undefined) writeHeapSnapshot(snapshot)
  const { heapUsed, rss } = process.memoryUsage()
  send({ answer: "heap", heap: { at: Date.now(), heapUsed, rss } })
}

process.on("message", (question: Question) => {
  if (question.ask === "heap") return heap(question.snapshot)
  const { at, nonce, port } = question
  journal.ask(nonce, port, at, (account) => send({ answer: "account", nonce, account }))
})
process.on("disconnect", () => process.exit(0))

const server = createServer()
server.keepAliveTimeout = 3_600_000 // a connection that the server closed would look like a failure of the store
server.on("connection", (socket) => {
  const { remotePort } = socket
  if (remotePort === undefined) return // the client has reset the connection already
  journal.hasOpened(remotePort)
  socket.on("close", () => journal.hasClosed(remotePort))
})

const announce = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  if (address._tag === "TcpAddress") send({ answer: "listening", port: address.port })
})

const AppLive = Layer.mergeAll(HttpServer.serve(app), Layer.effectDiscard(announce)).pipe(
  Layer.provide(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" })),
  Layer.provide(observed)
)

NodeRuntime.runMain(Layer.launch(AppLive), { disablePrettyLogger: true })
