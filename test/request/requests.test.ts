/**
 * What an attacker, a race or an unusual app makes of a request: each of these was once otherwise.
 */
import { HttpApp, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  Context,
  Duration,
  Effect,
  Either,
  Fiber,
  Layer,
  Logger,
  Metric,
  Option,
  ParseResult,
  Schedule,
  Schema,
  Stream,
  TestClock
} from "effect"
import {
  KeyRing,
  RequestContext,
  RequestId,
  SessionConfig,
  SessionError,
  SessionKey,
  SessionStore
} from "effect-session"
import * as Sessions from "effect-session/Sessions"
import * as Util from "node:util"
import * as cookieStore from "../../src/internal/cookie/cookieStore.js"
import { RequestSession } from "../../src/internal/request/requestSession.js"
import * as backendStore from "../../src/internal/server/serverStore.js"
import { cookieOf, countingStore } from "../support/counting.js"
import { serve } from "../support/server.js"
import { settle, stage } from "../support/stage.js"

const A = SessionKey.make("a", Schema.String)
const B = SessionKey.make("b", Schema.String)
const Count = SessionKey.make("count", Schema.Int)

const { text } = HttpServerResponse
const memory = (options: SessionStore.MemoryOptions = {}) => SessionStore.layerMemory({ secure: false, ...options })
const insert = (value: string) => Effect.as(RequestContext.insert(A, value), text("ok"))
const read = Effect.map(RequestContext.get(A), (value) => text(Option.getOrElse(value, () => "nobody")))
const both = Effect.map(
  Effect.all([RequestContext.get(A), RequestContext.get(B)]),
  (values) => text(values.map(Option.getOrNull).join(" "))
)

describe("a request within a request", () => {
  const inner = HttpRouter.empty.pipe(
    HttpRouter.post("/set", insert("sub")),
    RequestContext.middleware,
    RequestId.middleware
  )
  const subRequest = Effect.map(
    HttpServerRequest.HttpServerRequest,
    ({ headers }) =>
      new Request("http://localhost/set", { method: "POST", headers: { cookie: headers["cookie"] ?? "" } })
  )

  it("C11: as an effect in the handler's fiber: what it writes is saved, and its cookie is its own response's", async () => {
    const asEffect = Effect.flatMap(
      subRequest,
      (request) => Effect.provideService(inner, HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request))
    )
    const { logs, request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/begin", Effect.as(RequestContext.insert(B, "b"), text("ok"))),
        HttpRouter.post("/batch", asEffect),
        HttpRouter.get("/both", both)
      ),
      memory()
    )
    const cookie = cookieOf(await request("/begin", { method: "POST" }))
    expect((await request("/batch", { method: "POST", cookie })).status).toBe(200)
    expect(await (await request("/both", { cookie })).text()).toBe("sub b")
    const fresh = await request("/batch", { method: "POST" })
    expect(await (await request("/both", { cookie: cookieOf(fresh) })).text()).toBe("sub ")
    expect(logs.filter(({ level }) => level === "ERROR")).toEqual([])
  })

  it("R3: by a web handler with the context of the outer request: the same id, in its own response too", async () => {
    const outer = Effect.gen(function*() {
      const context = yield* Effect.context<SessionStore.SessionStore>()
      const handler = HttpApp.toWebHandler(
        Effect.provide(inner, Context.omit(HttpServerRequest.HttpServerRequest)(context))
      )
      const request = yield* subRequest
      const response = yield* Effect.promise(() => handler(request))
      return text(`${response.status} ${response.headers.get("x-request-id")}`)
    })
    const { request } = serve(outer, memory())
    const response = await request("/", { headers: { "x-request-id": "outer" } })
    expect([await response.text(), response.headers.get("x-request-id")]).toEqual(["200 outer", "outer"])
  })
})

describe("one session a request", () => {
  const handle = (app: HttpApp.Default<unknown, SessionStore.SessionStore>, store = memory()) =>
    HttpApp.toWebHandlerLayer(app, store).handler
  const get = (cookie = "") => new Request("http://localhost/", { headers: { cookie } })

  it("M13: layers that are built side by side lose no commit and no id", async () => {
    const session = Layer.provide(RequestContext.layer, RequestId.layer)
    for (const layers of [Layer.mergeAll(session, RequestId.layer), Layer.mergeAll(RequestId.layer, session)]) {
      const response = await handle(Effect.provide(insert("x"), layers))(get())
      expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(response.headers.get("x-request-id")).toHaveLength(36)
    }
  })

  it("M13: layers that are used twice in one request give one session and one id", async () => {
    const twice = Effect.gen(function*() {
      const layers = RequestContext.layer.pipe(Layer.provideMerge(RequestId.layer))
      const first = yield* Effect.provide(Effect.zipRight(RequestContext.insert(A, "1"), RequestId.RequestId), layers)
      const second = yield* Effect.provide(Effect.zipRight(RequestContext.insert(B, "2"), RequestId.RequestId), layers)
      return text(String(first === second))
    })
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const response = await HttpApp.toWebHandlerLayer(twice, layer).handler(get())
    expect(await response.text()).toBe("true")
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken().insert).toBe(1)
  })

  it("M13: a mounted app that passes and the one that takes over have one session, and its data", async () => {
    const first = HttpRouter.empty.pipe(
      HttpRouter.mountApp(
        "/shop",
        Effect.zipRight(insert("first"), Effect.fail("pass" as const)).pipe(RequestContext.middleware)
      )
    )
    const app = Effect.catchIf(
      first,
      (error) => error === "pass",
      () => Effect.as(RequestContext.insert(B, "second"), text("ok")).pipe(RequestContext.middleware)
    ).pipe(RequestId.middleware)
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const response = await HttpApp.toWebHandlerLayer(app, layer).handler(new Request("http://localhost/shop"))
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken().insert).toBe(1)
  })

  it("M13: an app that is tried again commits once", async () => {
    let tries = 0
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const app = Effect.suspend(() =>
      tries++ === 0 ? Effect.zipRight(RequestContext.insert(A, "a"), Effect.fail("once")) : insert("again")
    ).pipe(RequestContext.middleware, RequestId.middleware, Effect.retry(Schedule.recurs(1)))
    const response = await HttpApp.toWebHandlerLayer(app, layer).handler(get())
    expect([tries, taken().insert, response.headers.getSetCookie().length]).toEqual([2, 1, 1])
  })

  it("M13: the same web Request given twice is two requests", async () => {
    const handler = handle(insert("x").pipe(RequestContext.middleware, RequestId.middleware))
    const request = get()
    for (const response of [await handler(request), await handler(request)]) {
      expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(response.headers.get("x-request-id")).toHaveLength(36)
    }
  })
})

describe("what a client sends", () => {
  it("M4: no header of a handshake turns off the dropping at 500", async () => {
    const buy = Effect.zipRight(RequestContext.insert(A, "paid"), Effect.die("the payment failed"))
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/begin", Effect.as(RequestContext.insert(B, "b"), text("ok"))),
        HttpRouter.all("/buy", buy),
        HttpRouter.get("/read", read)
      ),
      memory()
    )
    const cookie = cookieOf(await request("/begin", { method: "POST" }))
    for (
      const [method, headers] of [
        ["POST", { upgrade: "x" }],
        ["POST", { upgrade: "websocket", connection: "upgrade" }],
        ["GET", { upgrade: "websocket" }],
        ["GET", { upgrade: "websocket", connection: "keep-alive, not-upgrade" }],
        ["GET", { upgrade: "h2c", connection: "Upgrade" }],
        ["GET", { upgrade: "websocket", connection: "Upgrade" }]
      ] as const
    ) {
      expect((await request("/buy", { method, cookie, headers })).status).toBe(500)
      expect([method, headers, await (await request("/read", { cookie })).text()]).toEqual([method, headers, "nobody"])
    }
  })

  it("M8: what stands in another cookie's value is no cookie: __Host- keeps its promise", async () => {
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/attacker", insert("attacker")),
        HttpRouter.post("/victim", insert("victim")),
        HttpRouter.get("/read", read)
      ),
      SessionStore.layerMemory()
    )
    const attacker = cookieOf(await request("/attacker", { method: "POST" }))
    const victim = cookieOf(await request("/victim", { method: "POST" }))
    for (const header of [`theme=dark, ${attacker}; ${victim}`, `theme=dark,${attacker}; ${victim}`]) {
      expect(await (await request("/read", { cookie: header })).text()).toBe("victim")
    }
  })
})

describe("signing in", () => {
  it("C10: where the session has ended meanwhile, the sign-in begins a new one, with this request's changes", async () => {
    const change = Effect.gen(function*() {
      yield* RequestContext.signedIn
      yield* RequestContext.insert(B, "before")
      yield* Sessions.revokeAll("ada")
      yield* RequestContext.bind("ada")
      return text("changed")
    })
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post(
          "/sign-in",
          Effect.zipRight(RequestContext.insert(A, "old"), Effect.as(RequestContext.bind("ada"), text("in")))
        ),
        HttpRouter.post("/password", change),
        HttpRouter.get("/both", both),
        HttpRouter.get(
          "/who",
          Effect.map(RequestContext.signedIn, (who) => text(Option.isSome(who) ? who.value.subject : "nobody"))
        )
      ),
      memory()
    )
    const cookie = cookieOf(await request("/sign-in", { method: "POST" }))
    const changed = cookieOf(await request("/password", { method: "POST", cookie }))
    expect(changed).not.toBe(cookie)
    expect(await (await request("/who", { cookie: changed })).text()).toBe("ada")
    expect(await (await request("/both", { cookie: changed })).text()).toBe(" before")
    expect(await (await request("/who", { cookie })).text()).toBe("nobody")
  })

  it.effect("C10: ended between its load and its save, likewise", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, store, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "old"))
      const session = request(token)
      yield* session.insert(B, "b")
      const remove = hold("remove", "before")
      const signing = yield* Effect.fork(session.bind("ada"))
      yield* remove.reached
      yield* store.end({ token, session: undefined }, 0)
      yield* remove.release
      yield* Fiber.join(signing)
      expect(Option.map(yield* session.signedIn, ({ subject }) => subject)).toEqual(Option.some("ada"))
      const { token: fresh } = yield* finish(session, token)
      expect(yield* stored(fresh!)).toEqual({ b: "\"b\"" })
    }))

  it.effect("C10: an anonymous session's data comes along; of one subject nothing goes to another", () =>
    Effect.gen(function*() {
      const { begin, store, stored, visit } = stage({ expiry: "1 hour" })
      const anonymous = yield* begin((session) => session.insert(A, "cart"))
      const ada = (yield* visit(anonymous, (session) => session.bind("ada"))).token!
      expect(yield* stored(ada)).toEqual({ a: "\"cart\"" })
      const again = (yield* visit(ada, (session) => Effect.zipRight(session.setExpiry("30 days"), session.bind("ada"))))
        .token!
      expect(yield* stored(again)).toEqual({ a: "\"cart\"" })
      const bob = (yield* visit(again, (session) => Effect.zipRight(session.insert(B, "new"), session.bind("bob"))))
        .token!
      expect(yield* stored(bob)).toEqual({ b: "\"new\"" })
      expect(yield* store.load([bob], 0)).toMatchObject({ session: { own: false, owner: { subject: "bob" } } })
      expect(yield* stored(again)).toBeUndefined()
    }))

  it.effect("C10: nor when the copy had to be made again", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, store, stored, visit } = stage({ expiry: "1 hour" })
      const ada = yield* begin((session) => Effect.zipRight(session.insert(A, "ada's"), session.bind("ada")))
      const session = request(ada)
      yield* session.get(A)
      const remove = hold("remove", "before")
      const signing = yield* Effect.fork(session.bind("bob"))
      yield* remove.reached
      yield* visit(ada, (other) => Effect.zipRight(other.insert(B, "ada's"), other.setExpiry("30 days")))
      yield* remove.release
      yield* Fiber.join(signing)
      const { token } = yield* finish(session, ada)
      expect(yield* stored(token!)).toEqual({})
      expect(yield* store.load([token!], 0)).toMatchObject({ session: { own: false, owner: { subject: "bob" } } })
    }))
})

describe("times", () => {
  const month = { session: { idleMillis: Duration.toMillis("30 days"), own: true } }
  const minutes = { session: { idleMillis: Duration.toMillis("5 minutes"), own: true } }

  it.effect("E4: a refresh gives way to another request's own expiry: without a write", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("20 minutes")
      yield* visit(token, (session) =>
        Effect.zipRight(session.get(A), visit(token, (other) => other.setExpiry("30 days"))))
      expect(yield* store.load([token], 0)).toMatchObject(month)
    }))

  it.effect("E4: with a write, which is saved all the same", () =>
    Effect.gen(function*() {
      const { begin, store, stored, visit } = stage({ expiry: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("2 hours")
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.setExpiry("5 minutes"))
          yield* session.insert(B, "b")
        }))
      expect(yield* store.load([token], 0)).toMatchObject(minutes)
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"" })
    }))

  it.effect("E4: after a write that never read", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, store, visit } = stage({ expiry: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("2 hours")
      const session = request(token)
      yield* session.insert(B, "b")
      const update = hold("update", "after")
      const finishing = yield* Effect.fork(finish(session, token))
      yield* update.reached
      yield* visit(token, (other) => other.setExpiry("5 minutes"))
      yield* update.release
      yield* Fiber.join(finishing)
      expect(yield* store.load([token], 0)).toMatchObject(minutes)
    }))

  it.effect("E3: a write whose refresh gave way to another write is refreshed in a second step", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("30 minutes")
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* store.save({
            base: { token, session: undefined },
            patch: { clear: false, set: new Map([["c", "1"]]), remove: new Set(), expiry: undefined, maxBytes: 1000 },
            renew: false,
            ifVersion: undefined,
            owner: undefined
          }, 0)
          yield* session.insert(B, "b")
        }))
      yield* TestClock.adjust("45 minutes")
      const now = Duration.toMillis("75 minutes")
      expect((yield* store.load([token], now))._tag).toBe("Found")
    }))

  it.effect("S4: a socket or a stream that outlives its session reads nothing of it and writes nothing to it", () =>
    Effect.gen(function*() {
      const { begin, request, stored } = stage({ expiry: "1 hour", absoluteExpiry: "2 hours" })
      const token = yield* begin((session) => session.insert(A, "admin"))
      const socket = request(token)
      yield* socket.upgrade
      expect(yield* socket.get(A)).toEqual(Option.some("admin"))
      yield* TestClock.adjust("3 hours")
      expect([yield* socket.get(A), yield* socket.keys, yield* socket.sessionId]).toEqual([
        Option.none(),
        [],
        Option.none()
      ])
      yield* socket.insert(B, "late")
      expect(yield* stored(token)).toBeUndefined()
    }))
})

describe("values of older versions that have outgrown the limit", () => {
  const CartV1 = SessionKey.make("cart", Schema.Array(Schema.String))
  const Cart = SessionKey.make("cart", Schema.Array(Schema.Struct({ sku: Schema.String, quantity: Schema.Int })), {
    from: SessionKey.previous(Schema.Array(Schema.String), (skus) => skus.map((sku) => ({ sku, quantity: 1 })))
  })
  const skus = (count: number) => Array.from({ length: count }, (_, i) => `sku-00000${i}`)

  it.effect("S7: are read and stay as they are; what is written beside them is saved, the session refreshed", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({ maxSessionBytes: 200, expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(CartV1, skus(10)))
      const before = yield* stored(token)
      for (let visits = 0; visits < 6; visits++) {
        yield* TestClock.adjust("20 minutes")
        const { value, verdict } = yield* visit(token, (session) => session.get(Cart))
        expect([visits, Option.isSome(value), verdict.cookie._tag]).toEqual([visits, true, "Set"])
      }
      const { verdict } = yield* visit(token, (session) => Effect.zipRight(session.get(Cart), session.insert(B, "b")))
      expect(verdict.failure).toBeUndefined()
      expect(yield* stored(token)).toEqual({ ...before, b: "\"b\"" })
    }))

  it.effect("K6: the same in a cookie", () =>
    Effect.gen(function*() {
      const config = Either.getOrThrow(SessionConfig.resolve({ secure: false }, "client"))
      const store = cookieStore.make(config, yield* KeyRing.generate, "")
      const request = (token?: string) =>
        new RequestSession(store, {
          cookie: token === undefined ? undefined : `${config.name}=${token}`,
          userAgent: undefined
        })
      const first = request()
      yield* first.insert(CartV1, skus(120))
      const sent = (yield* first.finish(true)).cookie
      const second = request(sent._tag === "Set" ? sent.token : "")
      expect(Option.isSome(yield* second.get(Cart))).toBe(true)
      yield* second.insert(B, "b")
      const { cookie, failure } = yield* second.finish(true)
      expect(failure).toBeUndefined()
      const third = request(cookie._tag === "Set" ? cookie.token : "")
      expect([yield* third.get(B), yield* third.get(CartV1)]).toEqual([Option.some("b"), Option.some(skus(120))])
    }))
})

describe("a session over a limit that was lowered since", () => {
  it.effect("S7: is changed, renewed and signed in as ever, as long as it does not grow", () =>
    Effect.gen(function*() {
      const before = stage({ maxSessionBytes: 200 })
      const old = yield* before.begin((session) => session.insert(A, "a".repeat(150)))
      const config = Either.getOrThrow(SessionConfig.resolve({ secure: false, maxSessionBytes: 100 }, "server"))
      const store = backendStore.make(config, before.backend)
      const visit = (token: string, handler: (session: RequestSession) => Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          const session = new RequestSession(store, {
            cookie: `session=${token}`,
            userAgent: undefined
          })
          const exit = yield* Effect.exit(handler(session))
          const { cookie, failure } = yield* session.finish(true)
          expect(failure).toBeUndefined()
          return { exit, token: cookie._tag === "Set" ? cookie.token : token }
        })
      const smaller = yield* visit(old, (s) => Effect.zipRight(s.get(A), s.insert(A, "a".repeat(140))))
      expect(smaller.exit._tag).toBe("Success")
      const modified = yield* visit(old, (s) => s.modify(A, () => [1, Option.some("a".repeat(130))]))
      expect(modified.exit._tag).toBe("Success")
      const larger = yield* visit(old, (s) => Effect.zipRight(s.get(A), s.insert(B, "b")))
      expect(larger.exit).toMatchObject({ cause: { error: { _tag: "SessionTooLarge", limit: 100 } } })
      const { token: renewed } = yield* visit(old, (s) => s.renew)
      const { token: bound } = yield* visit(renewed, (s) => s.bind("ada"))
      expect(new Set([old, renewed, bound]).size).toBe(3)
      expect(yield* before.stored(bound)).toEqual({ a: JSON.stringify("a".repeat(130)) })
    }))
})

describe("modify", () => {
  const slow = <A>(value: A) => Effect.as(Effect.yieldNow(), value)

  it.effect("C7: parallel ones of one request lose nothing where the schema takes its time: new sessions, pending keys", () =>
    Effect.gen(function*() {
      const Slow = SessionKey.make(
        "count",
        Schema.transformOrFail(Schema.Int, Schema.Int, { strict: true, decode: slow, encode: slow })
      )
      const increment = (session: RequestSession) =>
        session.modify(Slow, (count) => [undefined, Option.some(Option.getOrElse(count, () => 0) + 1)])
      const remove = (session: RequestSession) => session.modify(Slow, () => [undefined, Option.none()])
      const { begin, request } = stage()
      const pending = request(yield* begin((session) => session.insert(A, "a")))
      yield* pending.insert(Slow, 0)
      for (const session of [request(undefined), pending]) {
        yield* Effect.all(Array.from({ length: 10 }, () => increment(session)), { concurrency: "unbounded" })
        expect(yield* session.get(Slow)).toEqual(Option.some(10))
        yield* Effect.all([increment(session), remove(session), increment(session)], { concurrency: "unbounded" })
        expect([1, 2]).toContain(Option.getOrElse(yield* session.get(Slow), () => 1))
      }
    }))

  it.effect("C9: one that cannot apply to what was loaded is tried on what is there", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ maxSessionBytes: 100 })
      const Number = SessionKey.make("a", Schema.Int)
      const token = yield* begin((session) => session.insert(A, "a".repeat(90)))
      const { value } = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(B)
          yield* session.insert(Count, 1)
          yield* visit(token, (other) => other.insert(Number, 5))
          const decoded = yield* session.modify(Number, (n) => [n, Option.map(n, (n) => n + 1)])
          yield* session.modify(B, () => [undefined, Option.some("b".repeat(50))])
          return decoded
        }))
      expect(value).toEqual(Option.some(5))
    }))

  it.effect("M5: one whose schema hangs keeps no other request of the session waiting", () =>
    Effect.gen(function*() {
      const Hanging = SessionKey.make(
        "hanging",
        Schema.transformOrFail(Schema.String, Schema.String, {
          strict: true,
          decode: ParseResult.succeed,
          encode: () => Effect.never
        })
      )
      const { begin, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const first = yield* Effect.fork(Effect.exit(visit(token, (s) => s.modify(Hanging, () => [1, Option.some("x")]))))
      yield* settle
      const second = yield* Effect.fork(Effect.exit(visit(token, (s) => s.modify(Count, () => [1, Option.some(1)]))))
      yield* TestClock.adjust("5 seconds")
      yield* settle
      expect(yield* Fiber.join(first)).toMatchObject({ cause: { error: { reason: "Timeout" } } })
      // It stood in line behind a time-out, and hears of it at once; the next one has its turn.
      expect((yield* Fiber.join(second))._tag).toBe("Failure")
      expect((yield* visit(token, (session) => session.modify(Count, () => [1, Option.some(1)]))).value).toBe(1)
    }))
})

describe("what is told", () => {
  it("S1: a dump of the service shows no token and no value", async () => {
    let dump = ""
    const { logs, request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/", insert("the-value")),
        HttpRouter.get(
          "/",
          Effect.gen(function*() {
            yield* RequestContext.get(A)
            const service = yield* RequestContext.RequestContext
            dump = Util.inspect(service, { depth: 9 }) + JSON.stringify(service) + String(service)
            yield* Effect.logInfo("context", service)
            return text("ok")
          })
        )
      ),
      memory()
    )
    const cookie = cookieOf(await request("/", { method: "POST" }))
    await request("/", { cookie })
    const token = cookie.split("=")[1]
    expect(dump).toContain("RequestContext")
    expect([dump, JSON.stringify(logs)].map((all) => [all.includes(token), all.includes("the-value")]))
      .toEqual([[false, false], [false, false]])
  })

  it("M3: a body that fails on its way accuses no handler of setting our cookie", async () => {
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => void lines.push(JSON.stringify(message)))
    )
    const broken = Stream.concat(Stream.make(new Uint8Array([65])), Stream.fail("broken"))
    const app = Effect.as(RequestContext.insert(A, "x"), HttpServerResponse.stream(broken)).pipe(
      RequestContext.middleware,
      RequestId.middleware
    )
    // As the Node server does it: the sending dies with the response, and the handlers are asked again.
    const sending = HttpApp.toHandled(app, (_request, response) => Effect.die(response))
    const request = HttpServerRequest.fromWeb(new Request("http://localhost/"))
    await Effect.runPromise(
      Effect.exit(Effect.provideService(sending, HttpServerRequest.HttpServerRequest, request)).pipe(
        Effect.provide(Layer.merge(memory(), logger)),
        Effect.scoped
      )
    )
    expect(lines.filter((line) => line.includes("the handler set a cookie"))).toEqual([])
  })

  it("M5: a load that fails is told where it failed, with its cause and the request's id, and counted", async () => {
    const failing = Layer.effect(
      SessionStore.SessionStore,
      Effect.gen(function*() {
        const config = yield* SessionConfig.resolve({ secure: false }, "server")
        const { make } = yield* Effect.promise(() => import("../../src/internal/server/serverStore.js"))
        const error = SessionError.SessionStoreError.of("find", "Unavailable", new TypeError("secret value"))
        const never = () => Effect.fail(error)
        return make(config, { find: never, insert: never, update: never, remove: never, removeExpired: never })
      })
    )
    const failures = Metric.counter("effect_session_store_failures_total", {
      description: "calls to a session store's backend that failed, by operation and reason",
      incremental: true
    }).pipe(
      Metric.tagged("operation", "find"),
      Metric.tagged("reason", "Unavailable")
    )
    const count = () => Effect.runSync(Metric.value(failures)).count
    const before = count()
    const { logs, request } = serve(read, failing)
    const response = await request("/", { cookie: `session=${"A".repeat(43)}`, headers: { "x-request-id": "the-id" } })
    expect(response.status).toBe(503)
    const errors = logs.filter(({ level }) => level === "ERROR").map((log) => log.text)
    expect(errors).toHaveLength(1)
    for (const part of ["find", "TypeError", "the-id"]) expect(errors[0]).toContain(part)
    expect(errors[0]).not.toContain("secret value")
    expect(count()).toBe(before + 1)
  })
})
