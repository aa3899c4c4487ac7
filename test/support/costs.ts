/**
 * What a request costs, in a process of its own: the heap that it allocates over a bare handler, and its calls of the store and
 * of node:crypto. Run with `--expose-gc` and a young generation that holds a whole batch; prints one line of JSON.
 */
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApp,
  HttpRouter,
  HttpServer,
  HttpServerResponse
} from "@effect/platform"
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import {
  Csrf,
  Flash,
  KeyRing,
  Migration,
  RequestContext,
  RequestContextApi,
  Revocation,
  Session,
  SessionEvents,
  SessionKey,
  type Sessions,
  SessionStore
} from "effect-session"
import Crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { PerformanceObserver } from "node:perf_hooks"

const Count = SessionKey.make("count", Schema.Number)

const read = Effect.map(RequestContext.get(Count), Option.getOrElse(() => 0))
const answer = (count: number) => HttpServerResponse.text(String(count))
const untouched = Effect.succeed(answer(0))

const bareApp = HttpRouter.empty.pipe(HttpRouter.get("/untouched", untouched))

const Notice = Flash.make("notice", Schema.String)

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/untouched", untouched),
  HttpRouter.get("/read", Effect.map(read, answer)),
  HttpRouter.post("/read", Effect.map(read, answer)),
  HttpRouter.get("/flash", Effect.zipRight(Flash.take(Notice), Effect.map(read, answer))),
  HttpRouter.get(
    "/count",
    Effect.flatMap(read, (count) => Effect.as(RequestContext.insert(Count, count + 1), answer(count)))
  )
)

const migration = Migration.cookieSession({
  name: "old",
  keys: [Redacted.make("the key of cookie-session")],
  schema: Schema.Struct({ count: Schema.Number }),
  into: ({ count }) => RequestContext.insert(Count, count)
})

const signIn = Effect.zipRight(RequestContext.bind("ada"), Effect.as(RequestContext.insert(Count, 1), answer(1)))

const signedInRoutes = HttpRouter.empty.pipe(
  HttpRouter.get("/sign-in", signIn),
  HttpRouter.get("/read", Effect.map(read, answer)),
  HttpRouter.get("/user", Effect.zipRight(RequestContext.requireSignedIn, Effect.map(read, answer)))
)

const apps = {
  plain: Session.middleware(routes),
  csrf: routes.pipe(Csrf.middleware, Session.middleware),
  moving: routes.pipe(Migration.middleware(migration), Session.middleware),
  signedIn: Session.middleware(signedInRoutes)
}

// ── an HttpApi with the app's own user ──

class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, { readonly name: string }>() {}

class ApiSession extends RequestContextApi.Tag<ApiSession>()("ApiSession", { cookieName: "session" }) {}

class SignedIn extends RequestContextApi.SignedInTag<SignedIn>()("SignedIn", { provides: CurrentUser }) {}

const api = HttpApi.make("api").add(
  HttpApiGroup.make("account")
    .add(HttpApiEndpoint.get("signIn", "/sign-in").addSuccess(Schema.Unknown))
    .add(HttpApiEndpoint.get("read", "/read").addSuccess(Schema.Unknown))
    .add(HttpApiEndpoint.get("user", "/user").addSuccess(Schema.Unknown).middleware(SignedIn))
    .middleware(ApiSession)
)

const ada = Effect.succeedSome({ name: "ada" })

const AccountLive = HttpApiBuilder.group(api, "account", (handlers) =>
  handlers
    .handleRaw("signIn", () => Effect.orDie(signIn))
    .handleRaw("read", () => Effect.orDie(Effect.map(read, answer)))
    .handleRaw("user", () => Effect.orDie(Effect.zipRight(CurrentUser, Effect.map(read, answer)))))

const apiHandler = (store: Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown>): Handler =>
  HttpApiBuilder.toWebHandler(
    Layer.merge(
      HttpApiBuilder.api(api).pipe(
        Layer.provide(AccountLive),
        Layer.provide(RequestContextApi.layer(ApiSession)),
        Layer.provide(RequestContextApi.layerSignedIn(SignedIn, () => ada)),
        Layer.provide(store),
        Layer.orDie
      ),
      HttpServer.layerContext
    )
  ).handler

let calls: Record<string, number> = {}

const counted = <A extends Array<any>, B>(name: string, f: (...args: A) => B) => (...args: A): B => {
  calls[name] = (calls[name] ?? 0) + 1
  return f(...args)
}

const keys = Effect.runSync(KeyRing.generate)

const countedRevocation = Layer.map(Revocation.layerMemory(), (context) => {
  const revocation = Context.get(context, Revocation.Revocation)
  return Context.make(Revocation.Revocation, {
    ...revocation,
    check: counted("check", revocation.check),
    deny: counted("deny", revocation.deny)
  })
})

const stores = {
  memory: SessionStore.layerMemory({ secure: false, expiry: "1 hour" }),
  cookie: SessionStore.layerCookie({ secure: false, expiry: "1 hour", keys }),
  revocable: SessionStore.layerCookieRevocable({ secure: false, expiry: "1 hour", keys }).pipe(
    Layer.provide(countedRevocation)
  )
}

/** How old a session already is when it is saved, in milliseconds. */
let age = 0

const aged = (save: SessionStore.Save): SessionStore.Save => {
  const { expiry } = save.patch
  if (age === 0 || expiry === undefined) return save
  const times = {
    ...expiry,
    createdAt: expiry.createdAt - age,
    refreshedAt: expiry.refreshedAt - age,
    expiresAt: expiry.expiresAt - age
  }
  return { ...save, patch: { ...save.patch, expiry: times } }
}

const withCountedStore = <Services, E>(layer: Layer.Layer<Services, E>) =>
  Layer.map(layer, (context: Context.Context<Services>) => {
    const store = Context.unsafeGet(context, SessionStore.SessionStore)
    return Context.add(context, SessionStore.SessionStore, {
      ...store,
      load: counted("load", store.load),
      save: counted("save", (save, now) => store.save(aged(save), now)),
      end: counted("end", store.end),
      modify: counted("modify", store.modify)
    })
  })

for (const name of ["createCipheriv", "createDecipheriv", "createHmac", "createHash", "hash"] as const) {
  const original = Crypto[name] as ((...args: ReadonlyArray<never>) => unknown) | undefined
  if (original !== undefined) Object.assign(Crypto, { [name]: counted(name, original) })
}
syncBuiltinESMExports()

type Handler = (request: Request) => Promise<Response>

interface Variant {
  readonly name: string
  readonly handler: Handler
  readonly requests: (count: number) => Promise<ReadonlyArray<Request>>
}

const batch = 200

const always = (url: string, init: RequestInit) => async (count: number): Promise<ReadonlyArray<Request>> =>
  Array.from({ length: count }, () => new Request(url, init))

let collections = 0
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ["gc"] })

/** The bytes that one request allocates; undefined when garbage was collected in between. */
const allocated = async (handler: Handler, requests: ReadonlyArray<Request>): Promise<number | undefined> => {
  globalThis.gc!()
  await new Promise((resolve) => setTimeout(resolve, 10))
  collections = 0
  const before = process.memoryUsage().heapUsed
  for (const request of requests) await handler(request)
  const after = process.memoryUsage().heapUsed
  await new Promise((resolve) => setTimeout(resolve, 10))
  return collections === 0 ? (after - before) / batch : undefined
}

const headers = { "x-request-id": "test" }

const variants: Array<Variant> = [{
  name: "bare",
  handler: HttpApp.toWebHandlerLayer(bareApp, Layer.empty).handler,
  requests: always("http://localhost/untouched", {})
}]
/** Whose calls are counted, and whose allocations are not measured: each request begins a session, which the memory store keeps. */
const starts: Array<Variant> = []

/** Hears of every event; what it does with one is the app's to pay. */
const audit = SessionEvents.layerHandler(() => Effect.void)

const web = (app: (typeof apps)[keyof typeof apps], layer: Layer.Layer<SessionStore.SessionStore, unknown>): Handler =>
  // sound: the store provides what is left open
  HttpApp.toWebHandlerLayer(app as typeof apps.plain, layer).handler

const memory = withCountedStore<SessionStore.SessionStore | Sessions.Sessions, unknown>(stores.memory)

const renewing = SessionStore.layerMemory({ secure: false, expiry: "1 hour", renewEvery: "30 minutes" })

/** `start`: the path that begins a session. */
const setups: ReadonlyArray<
  {
    readonly name: string
    readonly handler: Handler
    readonly start: string
    readonly paths: ReadonlyArray<string>
  }
> = [
  ...Object.entries(stores).map(([name, store]) => ({
    name,
    handler: web(apps.plain, withCountedStore<SessionStore.SessionStore, unknown>(store)),
    start: "count",
    paths: name === "memory" ? ["untouched", "read", "count", "flash", "POST read"] : ["untouched", "read", "count"]
  })),
  { name: "csrf", handler: web(apps.csrf, memory), start: "count", paths: ["POST read"] },
  { name: "moving", handler: web(apps.moving, memory), start: "count", paths: ["untouched"] },
  { name: "signed in", handler: web(apps.signedIn, memory), start: "sign-in", paths: ["read", "user"] },
  { name: "api", handler: apiHandler(memory), start: "sign-in", paths: ["read", "user"] },
  {
    name: "renewing",
    handler: web(apps.plain, withCountedStore(renewing)),
    start: "count",
    paths: ["read", "due read"]
  },
  {
    name: "heard memory",
    handler: web(apps.plain, Layer.provideMerge(audit, memory)),
    start: "count",
    paths: ["read"]
  },
  {
    name: "heard cookie",
    handler: web(apps.plain, Layer.provideMerge(audit, withCountedStore(stores.cookie))),
    start: "count",
    paths: []
  }
]

for (const { handler, name, paths, start } of setups) {
  const begin = async () => {
    const [cookie] = (await handler(new Request(`http://localhost/${start}`, { headers }))).headers.getSetCookie()
    return cookie.split(";")[0]
  }
  const cookie = await begin()
  if (start === "count") {
    starts.push({ name: `${name} start`, handler, requests: always("http://localhost/count", { headers }) })
  }
  for (const what of paths) {
    const [path, how = "GET"] = what.split(" ").reverse()
    const url = `http://localhost/${path}`
    const requests = how === "due"
      // each of them is the first of its session in a period
      ? async (count: number) => {
        const due: Array<Request> = []
        age = 31 * 60_000
        while (due.length < count) due.push(new Request(url, { headers: { ...headers, cookie: await begin() } }))
        age = 0
        return due
      }
      : always(url, {
        method: how,
        headers: { ...headers, cookie, ...(how === "POST" ? { "sec-fetch-site": "same-origin" } : {}) }
      })
    variants.push({ name: `${name} ${what}`, handler, requests })
  }
}

for (const { handler, name, requests } of variants) {
  for (const request of await requests(1500)) {
    const { status } = await handler(request)
    if (status !== 200) throw new Error(`${name}: a request was answered with ${status}`)
  }
}

const perRequest = (): Record<string, number> =>
  Object.fromEntries(Object.entries(calls).map(([call, count]) => [call, count / batch]))

const samples = new Map(variants.map(({ name }): [string, Array<number>] => [name, []]))
const callsOf: Record<string, Record<string, number>> = {}
for (let round = 0; round < 9; round++) {
  for (const { handler, name, requests } of variants) {
    const prepared = await requests(batch)
    calls = {}
    const bytes = await allocated(handler, prepared)
    callsOf[name] = perRequest()
    if (bytes !== undefined) samples.get(name)!.push(bytes)
  }
}

const callsOfStarts: Record<string, { calls: Record<string, number> }> = {}
for (const { handler, name, requests } of starts) {
  calls = {}
  for (const request of await requests(batch)) await handler(request)
  await new Promise((resolve) => setTimeout(resolve, 100)) // what a subscriber costs is paid when it gets the event
  callsOfStarts[name] = { calls: perRequest() }
}

const median = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
const bare = median(samples.get("bare")!)
console.log(JSON.stringify({
  ...callsOfStarts,
  ...Object.fromEntries(
    variants.slice(1).map(({ name }) => [
      name,
      { kilobytes: (median(samples.get(name)!) - bare) / 1024, calls: callsOf[name] }
    ])
  )
}))
process.exit() // the stores clean up for ever
