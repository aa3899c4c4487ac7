/**
 * What a request costs, in a process of its own: the heap that it allocates over a bare handler, and its calls of the store and
 * of node:crypto. Run with `--expose-gc` and a young generation that holds a whole batch; prints one line of JSON.
 */
import { HttpApp, HttpRouter, HttpServerResponse } from "@effect/platform"
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import {
  Csrf,
  Flash,
  KeyRing,
  Migration,
  RequestContext,
  Revocation,
  Session,
  SessionEvents,
  SessionKey,
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

const apps = {
  plain: Session.middleware(routes),
  csrf: routes.pipe(Csrf.middleware, Session.middleware),
  moving: routes.pipe(Migration.middleware(migration), Session.middleware)
}

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

const withCountedStore = <E>(layer: Layer.Layer<SessionStore.SessionStore, E>) =>
  Layer.map(layer, (context) => {
    const store = Context.get(context, SessionStore.SessionStore)
    return Context.make(SessionStore.SessionStore, {
      ...store,
      load: counted("load", store.load),
      save: counted("save", store.save),
      end: counted("end", store.end),
      modify: counted("modify", store.modify)
    })
  })

for (const name of ["createCipheriv", "createDecipheriv", "createHmac", "createHash", "hash"] as const) {
  const original = Crypto[name] as ((...args: ReadonlyArray<never>) => unknown) | undefined
  if (original !== undefined) Object.assign(Crypto, { [name]: counted(name, original) })
}
syncBuiltinESMExports()

interface Variant {
  readonly name: string
  readonly url: string
  readonly method: string
  readonly handler: (request: Request) => Promise<Response>
  readonly headers: Record<string, string>
}

const batch = 200

let collections = 0
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ["gc"] })

/** The bytes that one request allocates; undefined when garbage was collected in between. */
const allocated = async ({ handler, headers, method, url }: Variant): Promise<number | undefined> => {
  const requests = Array.from({ length: batch }, () => new Request(url, { headers, method }))
  globalThis.gc!()
  await new Promise((resolve) => setTimeout(resolve, 10))
  collections = 0
  const before = process.memoryUsage().heapUsed
  for (const request of requests) await handler(request)
  const after = process.memoryUsage().heapUsed
  await new Promise((resolve) => setTimeout(resolve, 10))
  return collections === 0 ? (after - before) / batch : undefined
}

const variants: Array<Variant> = [{
  name: "bare",
  url: "http://localhost/untouched",
  method: "GET",
  handler: HttpApp.toWebHandlerLayer(bareApp, Layer.empty).handler,
  headers: {}
}]
/** Whose calls are counted, and whose allocations are not measured: each request begins a session, which the memory store keeps. */
const starts: Array<Variant> = []

/** Hears of every event; what it does with one is the app's to pay. */
const audit = SessionEvents.layerHandler(() => Effect.void)

const setups = [
  ...Object.entries(stores).map(([name, store]) => ({
    name,
    app: apps.plain,
    layer: withCountedStore(store),
    paths: name === "memory" ? ["untouched", "read", "count", "flash", "POST read"] : ["untouched", "read", "count"]
  })),
  { name: "csrf", app: apps.csrf, layer: withCountedStore(stores.memory), paths: ["POST read"] },
  { name: "moving", app: apps.moving, layer: withCountedStore(stores.memory), paths: ["untouched"] },
  {
    name: "renewing",
    app: apps.plain,
    layer: withCountedStore(SessionStore.layerMemory({ secure: false, expiry: "1 hour", renewEvery: "30 minutes" })),
    paths: ["read"]
  },
  {
    name: "heard memory",
    app: apps.plain,
    layer: Layer.provideMerge(audit, withCountedStore(stores.memory)),
    paths: ["read"]
  },
  {
    name: "heard cookie",
    app: apps.plain,
    layer: Layer.provideMerge(audit, withCountedStore(stores.cookie)),
    paths: []
  }
]

for (const { app, layer, name, paths } of setups) {
  const { handler } = HttpApp.toWebHandlerLayer(app, layer)
  const [cookie] = (await handler(new Request("http://localhost/count"))).headers.getSetCookie()
  const headers = { "x-request-id": "test" }
  starts.push({ name: `${name} start`, url: "http://localhost/count", method: "GET", handler, headers })
  for (const what of paths) {
    const [path, method = "GET"] = what.split(" ").reverse()
    variants.push({
      name: `${name} ${what}`,
      url: `http://localhost/${path}`,
      method,
      handler,
      headers: {
        ...headers,
        cookie: cookie.split(";")[0],
        ...(method === "POST" ? { "sec-fetch-site": "same-origin" } : {})
      }
    })
  }
}

for (const { handler, headers, method, url } of variants) {
  for (let i = 0; i < 1500; i++) await handler(new Request(url, { headers, method }))
}

const samples = new Map(variants.map(({ name }): [string, Array<number>] => [name, []]))
const callsOf: Record<string, Record<string, number>> = {}
for (let round = 0; round < 9; round++) {
  for (const variant of variants) {
    const { name } = variant
    calls = {}
    const bytes = await allocated(variant)
    callsOf[name] = Object.fromEntries(Object.entries(calls).map(([call, count]) => [call, count / batch]))
    if (bytes !== undefined) samples.get(name)!.push(bytes)
  }
}

const callsOfStarts: Record<string, { calls: Record<string, number> }> = {}
for (const { handler, headers, method, name, url } of starts) {
  calls = {}
  for (let i = 0; i < batch; i++) await handler(new Request(url, { headers, method }))
  await new Promise((resolve) => setTimeout(resolve, 100)) // what a subscriber costs is paid when it gets the event
  callsOfStarts[name] = {
    calls: Object.fromEntries(Object.entries(calls).map(([call, count]) => [call, count / batch]))
  }
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
