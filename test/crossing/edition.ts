/**
 * What one edition of the library does with a store that another edition uses, too. This source is the same in both editions;
 * `worker.ts` runs it in a process of its own.
 */
import { HttpApp, HttpServerRequest, HttpServerResponse, KeyValueStore } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect, Layer, Option, Schema } from "effect"
import { KeyRing, RequestContext, RequestId, Revocation, SessionKey, Sessions, SessionStore } from "effect-session"
import * as Files from "effect-session/SessionStore/KeyValueStore"
import { type Place as Shared, storeAt } from "../support/storeAt.js"

export type Place = Shared | { readonly dialect: "cookie"; readonly secret: string } | {
  readonly dialect: "files"
  readonly directory: string
}

/** - `texts`: the values as they are stored, by their keys. */
export interface Answer {
  readonly cookie: string
  readonly body: unknown
  readonly texts: Readonly<Record<string, string>>
}

export const actions = ["write", "read", "signIn", "list", "renew", "signOut", "refuse"] as const

export type Action = typeof actions[number]

const storeOf = (
  place: Place
): Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, unknown> => {
  switch (place.dialect) {
    case "cookie":
      return Layer.merge(
        Layer.unwrapEffect(
          Effect.map(KeyRing.derive(place.secret), (keys) =>
            // What one process revokes is not known in the other one: no action here asks for it.
            Layer.provide(SessionStore.layerCookieRevocable({ keys, secure: false }), Revocation.layerMemory()))
        ),
        // A sealed cookie has no index.
        Layer.merge(
          Layer.succeed(Sessions.Sessions, {} as Sessions.SessionsService),
          Layer.succeed(Sessions.SessionList, {} as Sessions.SessionListService)
        )
      )
    case "files":
      return Files.layer({ secure: false, cleanupInterval: Infinity }).pipe(
        Layer.provide(KeyValueStore.layerFileSystem(place.directory)),
        Layer.provide(NodeContext.layer)
      )
    default:
      return storeAt(place)
  }
}

// ── the values ──

const Person = Schema.Struct({
  name: Schema.String,
  nick: Schema.optional(Schema.String),
  age: Schema.NullOr(Schema.Number),
  born: Schema.Date
})

const When = SessionKey.make("when", Schema.Date)
const Big = SessionKey.make("big", Schema.BigInt)
const Some = SessionKey.make("some", Schema.Option(Schema.String))
const None = SessionKey.make("none", Schema.Option(Schema.String))
const Absent = SessionKey.make("absent", Person)
const Undefined = SessionKey.make("undefined", Person)
const Numbers = SessionKey.make("numbers", Schema.Array(Schema.Number))
const Anything = SessionKey.make("anything", Schema.Unknown)
const Null = SessionKey.make("null", Schema.NullOr(Schema.String))
const NaNs = SessionKey.make("nan", Schema.Struct({ at: Schema.Array(Schema.Number) }))

const born = new Date(86_400_000)
const anything = { list: [1, "two", null, { three: 3 }], "": true, nan: "NaN" }

const write = Effect.gen(function*() {
  yield* RequestContext.insert(When, new Date(1_700_000_000_123))
  yield* RequestContext.insert(Big, 12_345_678_901_234_567_890n)
  yield* RequestContext.insert(Some, Option.some("NaN"))
  yield* RequestContext.insert(None, Option.none())
  yield* RequestContext.insert(Absent, { name: "Ada", age: null, born })
  yield* RequestContext.insert(Undefined, { name: "Grace", nick: undefined, age: 1.5e-9, born })
  yield* RequestContext.insert(Numbers, [0, -0.5, 1e21, Number.MAX_SAFE_INTEGER])
  yield* RequestContext.insert(Anything, anything)
  yield* RequestContext.insert(Null, null)
})

/** What was read, in a form that both editions write in the same way. */
const read = Effect.gen(function*() {
  const value = <A>(key: SessionKey.SessionKey<A, any>) => Effect.map(RequestContext.get(key), Option.getOrUndefined)
  const some = yield* value(Some)
  const none = yield* value(None)
  const absent = yield* value(Absent)
  const undefineds = yield* value(Undefined)
  const person = (value: typeof Person.Type | undefined) =>
    value === undefined ? "nobody" : [value.name, value.nick === undefined, value.age, value.born.getTime()]
  return {
    when: (yield* value(When))?.getTime(),
    big: String(yield* value(Big)),
    some: some === undefined ? "nothing" : Option.getOrNull(some),
    none: none === undefined ? "nothing" : Option.isNone(none),
    absent: person(absent),
    undefined: person(undefineds),
    numbers: yield* value(Numbers),
    anything: yield* value(Anything),
    null: yield* value(Null)
  }
})

/** Inserts what is not JSON: each must be refused, in both editions (row C1). */
const refuse = Effect.gen(function*() {
  const outcomes: Array<string> = []
  for (const at of [[NaN], [1, Infinity], [-Infinity]]) {
    outcomes.push((yield* Effect.exit(RequestContext.insert(NaNs, { at })))._tag)
  }
  for (const value of [new Date(0), 1n, () => 1, { a: NaN }]) {
    outcomes.push((yield* Effect.exit(RequestContext.insert(Anything, value)))._tag)
  }
  return outcomes
})

const perform = (action: Action) => {
  switch (action) {
    case "write":
      return Effect.as(write, null)
    case "read":
      return read
    case "signIn":
      return Effect.as(RequestContext.bind("ada"), null)
    case "list":
      return Effect.map(
        Effect.flatMap(Sessions.SessionList, (sessions) => sessions.list("ada")),
        (listed) => listed.length
      )
    case "renew":
      return Effect.as(RequestContext.renew, null)
    case "signOut":
      return Effect.as(RequestContext.flush, null)
    case "refuse":
      return refuse
  }
}

const app = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const body = yield* perform(request.url.slice(1) as Action)
  return yield* HttpServerResponse.json(body)
}).pipe(RequestContext.middleware, RequestId.middleware)

const tokensOf = (cookie: string): ReadonlyArray<string> =>
  cookie.split("; ").filter((pair) => pair.startsWith("session=")).map((pair) => pair.slice("session=".length))

const textsOf = (cookie: string) =>
  Effect.flatMap(SessionStore.SessionStore, (store) => store.load(tokensOf(cookie), Date.now())).pipe(
    Effect.map((loaded) => loaded._tag === "Found" ? Object.fromEntries(loaded.session.data) : {})
  )

export interface Edition {
  readonly visit: (action: Action, cookie: string) => Promise<Answer>
  readonly close: () => Promise<void>
}

/** The edition that this module is of, over the store at a place. */
export const open = async (place: Place): Promise<Edition> => {
  const { dispose, handler } = HttpApp.toWebHandlerLayer(
    Effect.suspend(() => app) as HttpApp.Default<unknown, never>,
    storeOf(place) as unknown as Layer.Layer<never>
  )
  const texts = HttpApp.toWebHandlerLayer(
    Effect.flatMap(
      HttpServerRequest.HttpServerRequest,
      (request) => Effect.flatMap(textsOf(request.headers["cookie"] ?? ""), (texts) => HttpServerResponse.json(texts))
    ) as HttpApp.Default<
      unknown,
      never
    >,
    storeOf(place) as unknown as Layer.Layer<never>
  )
  const send = (handler: unknown, action: string, cookie: string): Promise<Response> =>
    (handler as (request: Request) => Promise<Response>)(
      new Request(`http://localhost/${action}`, { headers: cookie === "" ? {} : { cookie } })
    )
  return {
    visit: async (action, cookie) => {
      const response = await send(handler, action, cookie)
      if (response.status !== 200) throw new Error(`${action} ended with ${response.status}`)
      const set = response.headers.getSetCookie().map((header) => header.split(";")[0])
      const next = set.length === 0 ? cookie : /^[^=]*=$/.test(set[0]) ? "" : set[0]
      return { cookie: next, body: await response.json(), texts: await (await send(texts.handler, "", next)).json() }
    },
    close: async () => {
      await dispose()
      await texts.dispose()
    }
  }
}
