/**
 * For the tests of apps and of adapters: sessions without HTTP, a client that keeps cookies as a browser does, and stores
 * that fail, die, hang, answer late, count and yield. No test runner is needed.
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mapServices } from "./internal/edition/layers.js"
import * as memoryBackend from "./internal/memory/backend.js"
import * as decorate from "./internal/testing/decorate.js"
import { CookieJar } from "./internal/testing/jar.js"
import * as testContext from "./internal/testing/testContext.js"
import * as RequestContext from "./RequestContext.js"
import { RequestId } from "./RequestId.js"
import { SessionBackend, SubjectIndex } from "./SessionBackend.js"
import {
  type SessionConfigError,
  type SessionSchemaError,
  SessionStoreError,
  type TooManySessions
} from "./SessionError.js"
import type { SessionKey } from "./SessionKey.js"
import type { SessionList, Sessions } from "./Sessions.js"
import * as SessionStore from "./SessionStore.js"

// ── sessions without HTTP ──

/**
 * A value that a session is to have from the start; made by {@link value}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry<R = never> {
  /** @internal */
  readonly insertInto: (
    context: RequestContext.RequestContextService
  ) => Effect.Effect<void, SessionSchemaError | RequestContext.WriteError, R>
}

/**
 * An entry for {@link layerTest}: the value goes through the key's schema, as by `RequestContext.insert`.
 *
 * @example
 * ```ts run
 * import { RequestContext, SessionKey } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Option, Schema } from "effect"
 * import assert from "node:assert/strict"
 *
 * const Since = SessionKey.make("since", Schema.Date)
 * const Theme = SessionKey.make("theme", Schema.Literal("light", "dark"))
 *
 * const session = Testing.layerTest({
 *   contents: [Testing.value(Since, new Date(0)), Testing.value(Theme, "dark")]
 * })
 *
 * const theme = await Effect.runPromise(Effect.provide(RequestContext.get(Theme), session))
 * assert.deepEqual(theme, Option.some("dark"))
 * ```
 *
 * @since 0.1.0
 * @category sessions
 */
export const value = <A, I, R>(key: SessionKey<A, I, R, unknown>, value: A): Entry<R> => ({
  insertInto: (context) => context.insert(key, value)
})

/**
 * The session that {@link layerTest} starts with.
 *
 * - `contents`: what the session holds at the start; without contents and subject there is no session yet.
 * - `subject`: who is signed in, since this instant (see `RequestContext.bind`).
 * - `requestId`: default `test-request`.
 * - `options`: of the Memory store underneath.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestOptions<R = never> {
  readonly contents?: ReadonlyArray<Entry<R>> | undefined
  readonly subject?: string | undefined
  readonly requestId?: string | undefined
  readonly options?: SessionStore.MemoryOptions | undefined
}

/**
 * How a request of {@link layerTest} ended.
 *
 * - `status`: the one given, or 503 where the session could not be saved.
 * - `cookie`: whether the response would set the session's cookie, remove it, or leave it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Responded {
  readonly status: number
  readonly cookie: "set" | "removed" | "none"
}

/**
 * The tag behind {@link respond}.
 *
 * @since 0.1.0
 * @category tags
 */
export class TestSession extends Context.Tag("effect-session/Testing/TestSession")<
  TestSession,
  { readonly respond: (status: number) => Effect.Effect<Responded> }
>() {}

/**
 * A session for the unit test of a handler, without HTTP: over a Memory store of its own, with the contents given.
 *
 * `RequestContext.get` shows what the session holds within the request; after {@link respond} the effect is in the same
 * browser's next request, and sees what was really saved.
 *
 * Building it fails as `RequestContext.insert` does where a value does not encode.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Option, Schema } from "effect"
 *
 * const Cart = SessionKey.make("cart", Schema.Array(Schema.String))
 *
 * const addTea = RequestContext.modify(Cart, (cart) => [
 *   undefined,
 *   Option.some([...Option.getOrElse(cart, () => []), "tea"])
 * ])
 *
 * const test = Effect.gen(function*() {
 *   yield* addTea
 *   return yield* RequestContext.get(Cart) // milk, tea
 * }).pipe(Effect.provide(Testing.layerTest({ contents: [Testing.value(Cart, ["milk"])] })))
 * ```
 *
 * @since 0.1.0
 * @category sessions
 */
export const layerTest = <R = never>(
  options: TestOptions<R> = {}
): Layer.Layer<
  RequestContext.RequestContext | RequestId | TestSession | SessionStore.SessionStore | Sessions | SessionList,
  SessionConfigError | SessionSchemaError | TooManySessions | RequestContext.WriteError,
  R
> => {
  const { contents = [], options: storeOptions, requestId = "test-request", subject } = options
  const session = Layer.effectContext(Effect.gen(function*() {
    const store = yield* SessionStore.SessionStore
    const context = new testContext.TestContext(store)
    for (const entry of contents) yield* entry.insertInto(context)
    if (subject !== undefined) yield* context.bind(subject)
    if (contents.length > 0 || subject !== undefined) yield* context.respond(200)
    return Context.make(RequestContext.RequestContext, context as RequestContext.RequestContextService).pipe(
      Context.add(RequestId, requestId),
      Context.add(TestSession, { respond: (status) => context.respond(status) })
    )
  }))
  // Without the clean-up: a sleeping fiber makes TestClock warn of a test that forgot to move it.
  return Layer.provideMerge(session, SessionStore.layerMemory({ cleanupInterval: Duration.infinity, ...storeOptions }))
}

/**
 * Ends the request as a response with this status (default 200) would: the session is saved, or its changes dropped. What
 * follows in the test is the next request of the same browser, with the cookie that the response set or removed.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Schema } from "effect"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const test = Effect.gen(function*() {
 *   yield* RequestContext.flush
 *   const { cookie } = yield* Testing.respond() // removed
 *   const user = yield* RequestContext.get(User) // none
 *   return { cookie, user }
 * }).pipe(Effect.provide(Testing.layerTest({ contents: [Testing.value(User, "ada")] })))
 * ```
 *
 * @since 0.1.0
 * @category sessions
 */
export const respond = (status = 200): Effect.Effect<Responded, never, TestSession> =>
  Effect.flatMap(TestSession, (session) => session.respond(status))

// ── a browser's cookies ──

/**
 * A cookie as a jar keeps it.
 *
 * - `expiresAt`: milliseconds since the epoch; undefined if the cookie ends with the browser.
 * - `hostOnly`: sent to the host that set it, and not to its subdomains.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: "strict" | "lax" | "none" | undefined
  readonly partitioned: boolean
  readonly expiresAt: number | undefined
}

/**
 * The cookies of one browser, kept and sent as RFC 6265bis says: name, path, domain, Secure, expiry, the `__Host-` and
 * `__Secure-` prefixes, size limits. Time is Effect's `Clock`: `TestClock` lets cookies expire.
 *
 * - `cookies`: those that have not expired. `get`: the first of them with a name.
 * - `header`: the Cookie header of a request to the URL; none where there is nothing to send.
 * - `store`: takes in the Set-Cookie headers of a response of the URL; what a browser would refuse is not kept.
 * - `closeBrowser`: forgets what has no expiry. `clear`: forgets everything.
 *
 * Every request counts as one from the same site, because there is no page: the jar keeps `SameSite`, but sends every cookie.
 *
 * @since 0.1.0
 * @category models
 */
export interface Jar {
  readonly cookies: Effect.Effect<ReadonlyArray<StoredCookie>>
  readonly get: (name: string) => Effect.Effect<Option.Option<StoredCookie>>
  readonly header: (url: string | URL) => Effect.Effect<Option.Option<string>>
  readonly store: (url: string | URL, setCookies: ReadonlyArray<string>) => Effect.Effect<void>
  readonly closeBrowser: Effect.Effect<void>
  readonly clear: Effect.Effect<void>
}

/**
 * How a jar treats its origins.
 *
 * - `trustLoopback`: Secure cookies also over plain HTTP where the host is `localhost` or a loopback address, as Chrome
 *   and Firefox have it; default true.
 *
 * @since 0.1.0
 * @category models
 */
export interface JarOptions {
  readonly trustLoopback?: boolean | undefined
}

/**
 * An empty jar.
 *
 * @example
 * ```ts run
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Option, TestClock, TestContext } from "effect"
 * import assert from "node:assert/strict"
 *
 * const program = Effect.gen(function*() {
 *   const jar = yield* Testing.makeJar()
 *   yield* jar.store("https://shop.test/login", ["__Host-session=abc; Path=/; Secure; HttpOnly; Max-Age=3600"])
 *   assert.deepEqual(yield* jar.header("https://shop.test/cart"), Option.some("__Host-session=abc"))
 *   assert.deepEqual(yield* jar.header("https://www.shop.test/"), Option.none())
 *   yield* TestClock.adjust("1 hour")
 *   assert.deepEqual(yield* jar.cookies, [])
 * })
 *
 * await Effect.runPromise(Effect.provide(program, TestContext.TestContext))
 * ```
 *
 * @since 0.1.0
 * @category browsers
 */
export const makeJar = (options: JarOptions = {}): Effect.Effect<Jar> =>
  Effect.sync(() => {
    const jar = new CookieJar(options.trustLoopback ?? true)
    const cookies = Effect.map(Clock.currentTimeMillis, (now): ReadonlyArray<StoredCookie> => jar.live(now))
    return {
      cookies,
      get: (name) => Effect.map(cookies, (all) => Option.fromNullable(all.find((cookie) => cookie.name === name))),
      header: (url) => Effect.map(Clock.currentTimeMillis, (now) => Option.fromNullable(jar.header(new URL(url), now))),
      store: (url, setCookies) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          for (const header of setCookies) jar.set(new URL(url), header, now)
        }),
      closeBrowser: Effect.sync(() => jar.close()),
      clear: Effect.sync(() => jar.clear())
    }
  })

/**
 * An `HttpClient` that keeps the jar's cookies, `NodeHttpServer.layerTest`'s for one. A request with a Cookie header of its
 * own is sent as it is.
 *
 * Apply it last: it has to see the whole URL, and what is mapped onto the request afterwards it does not.
 *
 * Of several cookies with one name in one response the client sees the last.
 *
 * @example
 * ```ts
 * import { HttpClient } from "@effect/platform"
 * import * as Testing from "effect-session/Testing"
 * import { Effect } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   const jar = yield* Testing.makeJar()
 *   const client = Testing.withJar(yield* HttpClient.HttpClient, jar)
 *   yield* client.post("/session")
 *   return yield* client.get("/session") // with the cookie that the first response set
 * })
 * ```
 *
 * @since 0.1.0
 * @category browsers
 */
export const withJar: {
  (jar: Jar): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E, R>
  <E, R>(client: HttpClient.HttpClient.With<E, R>, jar: Jar): HttpClient.HttpClient.With<E, R>
} = dual(
  2,
  <E, R>(client: HttpClient.HttpClient.With<E, R>, jar: Jar): HttpClient.HttpClient.With<E, R> =>
    HttpClient.tap(
      HttpClient.mapRequestEffect(client, withCookies(jar)),
      (response) =>
        Option.match(HttpClientRequest.toUrl(response.request), {
          onNone: () => Effect.void,
          onSome: (url) => jar.store(url, Cookies.toSetCookieHeaders(response.cookies))
        })
    )
)

const withCookies = (jar: Jar) => (request: HttpClientRequest.HttpClientRequest) =>
  Option.match(HttpClientRequest.toUrl(request), {
    onNone: () => Effect.succeed(request),
    onSome: (url) =>
      request.headers["cookie"] !== undefined
        ? Effect.succeed(request)
        : Effect.map(
          jar.header(url),
          Option.match({
            onNone: () => request,
            onSome: (cookie) => HttpClientRequest.setHeader(request, "cookie", cookie)
          })
        )
  })

/**
 * A browser in front of a web handler: `fetch` for web responses, `client` for Effect's.
 *
 * - `jar`: its cookies.
 * - `fetch`: takes what the platform's own takes; a path is one of the browser's origin. Interrupting it aborts the request.
 * - `client`: an `HttpClient` over the same handler and jar.
 *
 * @since 0.1.0
 * @category models
 */
export interface Browser {
  readonly jar: Jar
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Effect.Effect<Response>
  readonly client: HttpClient.HttpClient
}

/**
 * What a {@link browser} starts with.
 *
 * - `origin`: of the app; default `https://localhost`.
 * - `jar`: the browser's cookies; default an empty jar.
 *
 * @since 0.1.0
 * @category models
 */
export interface BrowserOptions {
  readonly origin?: string | undefined
  readonly jar?: Jar | undefined
}

/**
 * A browser for a web handler, as `HttpApp.toWebHandlerLayer` makes one. A request with a Cookie header of its own is sent
 * as it is; redirects are not followed (`HttpClient.followRedirects` does).
 *
 * @example
 * ```ts
 * import { HttpApp, HttpRouter, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Schema } from "effect"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.post("/login", Effect.as(RequestContext.insert(User, "ada"), HttpServerResponse.empty())),
 *   HttpRouter.get("/me", Effect.flatMap(RequestContext.get(User), HttpServerResponse.json)),
 *   RequestContext.middleware,
 *   RequestId.middleware
 * )
 *
 * const test = Effect.gen(function*() {
 *   const { handler } = HttpApp.toWebHandlerLayer(app, SessionStore.layerMemory())
 *   const browser = yield* Testing.browser(handler)
 *   yield* browser.fetch("/login", { method: "POST" })
 *   return yield* browser.fetch("/me") // with the session's cookie
 * })
 * ```
 *
 * @since 0.1.0
 * @category browsers
 */
export const browser = (
  handler: (request: Request) => Promise<Response>,
  options: BrowserOptions = {}
): Effect.Effect<Browser> =>
  Effect.gen(function*() {
    const { origin = "https://localhost" } = options
    const jar = options.jar ?? (yield* makeJar())
    const send = (request: Request, signal: AbortSignal): Promise<Response> =>
      handler(new Request(request, { signal: AbortSignal.any([request.signal, signal]) }))
    const client = withJar(
      HttpClient.mapRequest(
        yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer),
        (request) => request.url.startsWith("/") ? HttpClientRequest.prependUrl(request, origin) : request
      ).pipe(
        HttpClient.transformResponse(
          Effect.provideService(FetchHttpClient.Fetch, (input, init) => handler(new Request(input, init)))
        )
      ),
      jar
    )
    return {
      jar,
      client,
      fetch: (input, init) =>
        Effect.gen(function*() {
          const request = new Request(input instanceof Request ? input : new URL(input, origin), init)
          if (!request.headers.has("cookie")) {
            const cookie = yield* jar.header(request.url)
            if (Option.isSome(cookie)) request.headers.set("cookie", cookie.value)
          }
          const response = yield* Effect.promise((signal) => send(request, signal))
          yield* jar.store(request.url, response.headers.getSetCookie())
          return response
        })
    }
  })

// ── backends ──

/**
 * The Memory store's backend and index, empty each time it is built: what to put under the stores below.
 *
 * @since 0.1.0
 * @category backends
 */
export const memory: Layer.Layer<SessionBackend | SubjectIndex> = Layer.effectContext(Effect.sync(() => {
  const { backend, index } = memoryBackend.make({ maxSessions: 1_000_000, maxBytes: 512 * 1024 * 1024 })
  return Context.make(SessionBackend, backend).pipe(Context.add(SubjectIndex, index))
}))

/**
 * A function of `SessionBackend` or `SubjectIndex`; `insert` stands for that of both.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = "find" | "insert" | "update" | "remove" | "removeExpired" | "list" | "forget"

/**
 * How an operation misbehaves.
 *
 * - `ok`: what it should.
 * - `fails`: a typed `SessionStoreError`, as when the database is away. `dies`: a defect, as from a bug in a driver.
 * - `hangs`: never answers. `late`: does what it should, after this long (by Effect's `Clock`).
 * - `loses-answer`: does what it should, and fails: the connection broke when the answer was on its way.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = "ok" | "fails" | "dies" | "hangs" | "loses-answer" | { readonly late: Duration.DurationInput }

/**
 * The faults by operation; what is not named is `ok`. A single fault is that of every operation.
 *
 * @since 0.1.0
 * @category models
 */
export type Plan = Fault | { readonly [operation in Operation]?: Fault | undefined }

/**
 * The switch of a {@link faulty} backend.
 *
 * @since 0.1.0
 * @category tags
 */
export class Faults extends Context.Tag("effect-session/Testing/Faults")<
  Faults,
  { readonly set: (plan: Plan) => Effect.Effect<void> }
>() {}

const isFault = (plan: Plan): plan is Fault => typeof plan === "string" || "late" in plan

const act = <A>(
  operation: Operation,
  fault: Fault,
  call: () => Effect.Effect<A, SessionStoreError>
): Effect.Effect<A, SessionStoreError> => {
  if (typeof fault === "object") return Effect.zipRight(Effect.sleep(fault.late), Effect.suspend(call))
  // An operation of the index has an error of its own only where it has a name of its own.
  const fail = Effect.suspend(() =>
    Effect.fail(
      SessionStoreError.of(operation === "forget" ? "remove" : operation, "Unavailable", "a fault of the test")
    )
  )
  switch (fault) {
    case "ok":
      return call()
    case "fails":
      return fail
    case "dies":
      return Effect.dieMessage("a fault of the test")
    case "hangs":
      return Effect.never
    case "loses-answer":
      return Effect.zipRight(Effect.suspend(call), fail)
  }
}

/**
 * A backend that is broken as planned (default: not yet), with a switch: {@link breakStore} and {@link heal}.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Layer } from "effect"
 *
 * const Store = Layer.provideMerge(SessionStore.layerBackend(), Testing.faulty(Testing.memory))
 *
 * const test = Effect.gen(function*() {
 *   // … a session is there …
 *   yield* Testing.breakStore({ update: "hangs", find: { late: "3 seconds" } })
 *   // … requests answer 503 …
 *   yield* Testing.heal
 *   // … and recover
 * }).pipe(Effect.provide(Store))
 * ```
 *
 * @since 0.1.0
 * @category backends
 */
export const faulty: {
  (plan?: Plan): <A, E, R>(layer: Layer.Layer<A | SessionBackend, E, R>) => Layer.Layer<
    A | SessionBackend | Faults,
    E,
    R
  >
  <A, E, R>(layer: Layer.Layer<A | SessionBackend, E, R>, plan?: Plan): Layer.Layer<A | SessionBackend | Faults, E, R>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <A, E, R>(
    layer: Layer.Layer<A | SessionBackend, E, R>,
    plan: Plan = "ok"
  ): Layer.Layer<A | SessionBackend | Faults, E, R> =>
    mapServices(layer, (context) => {
      let current = plan
      const faulted = decorate.context(context, (operation, call) =>
        Effect.suspend(() =>
          act(operation, isFault(current) ? current : current[operation] ?? "ok", call)
        ))
      return Context.add(faulted, Faults, {
        set: (plan) =>
          Effect.sync(() => {
            current = plan
          })
      })
    })
)

/**
 * Breaks a {@link faulty} backend as planned, from now on. A call that is in progress goes on as it began.
 *
 * @since 0.1.0
 * @category backends
 */
export const breakStore = (plan: Plan): Effect.Effect<void, never, Faults> =>
  Effect.flatMap(Faults, (faults) => faults.set(plan))

/**
 * Repairs a {@link faulty} backend. A call that hangs already does not return.
 *
 * @since 0.1.0
 * @category backends
 */
export const heal: Effect.Effect<void, never, Faults> = breakStore("ok")

/**
 * How often each operation was called.
 *
 * @since 0.1.0
 * @category models
 */
export type CallCounts = { readonly [operation in Operation]: number }

/**
 * The counters of a {@link counting} backend.
 *
 * @since 0.1.0
 * @category tags
 */
export class Counts extends Context.Tag("effect-session/Testing/Counts")<
  Counts,
  { readonly get: Effect.Effect<CallCounts>; readonly reset: Effect.Effect<void> }
>() {}

const noCalls = (): { [operation in Operation]: number } => ({
  find: 0,
  insert: 0,
  update: 0,
  remove: 0,
  removeExpired: 0,
  list: 0,
  forget: 0
})

/**
 * A backend whose calls are counted; {@link counts} returns the numbers.
 *
 * @example
 * ```ts run
 * import { HttpApp, HttpServerResponse } from "@effect/platform"
 * import { RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Layer, Schema } from "effect"
 * import assert from "node:assert/strict"
 *
 * const User = SessionKey.make("user", Schema.String)
 *
 * const app = Effect.as(RequestContext.insert(User, "ada"), HttpServerResponse.empty()).pipe(
 *   RequestContext.middleware,
 *   RequestId.middleware
 * )
 *
 * const Store = Layer.provideMerge(SessionStore.layerBackend(), Testing.counting(Testing.memory))
 *
 * const program = Effect.gen(function*() {
 *   const context = yield* Effect.context<SessionStore.SessionStore>()
 *   const handler = HttpApp.toWebHandler(Effect.provide(app, context))
 *   const browser = yield* Testing.browser((request) => handler(request))
 *   yield* browser.fetch("/")
 *   const { find, insert } = yield* Testing.counts
 *   assert.deepEqual({ find, insert }, { find: 0, insert: 1 }) // a new session: one call
 * })
 *
 * await Effect.runPromise(Effect.provide(program, Store))
 * ```
 *
 * @since 0.1.0
 * @category backends
 */
export const counting = <A, E, R>(
  layer: Layer.Layer<A | SessionBackend, E, R>
): Layer.Layer<A | SessionBackend | Counts, E, R> =>
  mapServices(layer, (context) => {
    let calls = noCalls()
    const counted = decorate.context(context, (operation, call) =>
      Effect.suspend(() => {
        calls[operation] += 1
        return call()
      }))
    return Context.add(counted, Counts, {
      get: Effect.sync(() => ({ ...calls })),
      reset: Effect.sync(() => {
        calls = noCalls()
      })
    })
  })

/**
 * How often each operation of a {@link counting} backend was called since it was built or the counts were reset.
 *
 * @since 0.1.0
 * @category backends
 */
export const counts: Effect.Effect<CallCounts, never, Counts> = Effect.flatMap(Counts, ({ get }) => get)

/**
 * Counts from 0 again.
 *
 * @since 0.1.0
 * @category backends
 */
export const resetCounts: Effect.Effect<void, never, Counts> = Effect.flatMap(Counts, ({ reset }) => reset)

/**
 * A backend that lets other fibers run before and after each call, as a database would: races that a store in memory hides
 * come out.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Layer } from "effect"
 *
 * // counted as well, and broken at will
 * const Backend = Testing.memory.pipe(Testing.yielding, Testing.counting, Testing.faulty())
 *
 * const Store = Layer.provideMerge(SessionStore.layerBackend(), Backend)
 * ```
 *
 * @since 0.1.0
 * @category backends
 */
export const yielding = <A, E, R>(
  layer: Layer.Layer<A | SessionBackend, E, R>
): Layer.Layer<A | SessionBackend, E, R> =>
  mapServices(layer, (context) => decorate.context(context, decorate.yielding))
