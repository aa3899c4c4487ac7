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
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Either, Exit, Layer, Logger, LogLevel, Option, Redacted, Schema, type Scope } from "effect"
import {
  KeyRing,
  RequestContext,
  RequestContextApi,
  RequestId,
  Revocation,
  SessionBackend,
  SessionConfig,
  SessionError,
  SessionEvents,
  SessionKey,
  Sessions,
  SessionStore,
  Subject
} from "effect-session"
import { randomBytes } from "node:crypto"
import { inspect } from "node:util"
import { errorsOf } from "../src/internal/edition/cause.js"
import * as memory from "../src/internal/memory/backend.js"
import * as memoryRevocation from "../src/internal/memory/revocation.js"
import { expectNoSecret, keep, keepKey, marked, textsOf, write, writeError } from "./support/secrets.js"
import { observed } from "./support/tracing.js"

const userValue = marked("value")
const nestedValue = marked("nested")
const newerValue = marked("newer")
/** Who has signed in. Events and the app's own code may name it, and nothing else. */
const subject = marked("subject")
const plainKey = randomBytes(64)
const oldKey = randomBytes(64)
keep(userValue, nestedValue, newerValue, subject)
for (const key of [plainKey, oldKey]) keepKey(key)

/** The kinds of events that were published. Their handler gets them in a later turn of the event loop. */
const eventsWritten = async () => {
  await new Promise((resolve) => setTimeout(resolve, 100))
  return new Set(textsOf("event").flatMap((text) => /"_tag":"(\w+)"/.exec(text)?.slice(1) ?? []))
}

/** An event says who has signed in. */
const isShown = (where: string, secret: string) => where === "event" && secret === subject

// ── where it would be ──

const loggers = Layer.mergeAll(
  Logger.replace(
    Logger.defaultLogger,
    Logger.make((entry) => {
      write("log", Logger.stringLogger.log(entry), Logger.logfmtLogger.log(entry), Logger.jsonLogger.log(entry))
      write("log", Logger.structuredLogger.log(entry), entry.message, entry.cause, Cause.pretty(entry.cause))
    })
  ),
  Logger.minimumLogLevel(LogLevel.All)
)

const tracing = Layer.setTracer(observed({
  began: ({ attributes, name }) => write("span", name, attributes),
  attribute: (key, value) => write("span", key, value),
  event: (event, attributes) => write("span", event, attributes),
  ended: (exit) => {
    // what exporters make an event of
    if (Exit.isFailure(exit)) {
      write("span", Cause.pretty(exit.cause, { renderErrorCause: true }))
      for (const error of Cause.prettyErrors(exit.cause)) write("span", error.message, error.stack ?? "")
    }
  }
}))

const surroundings = Layer.merge(loggers, tracing)

// ── the run ──

const Plain = SessionKey.make("plain", Schema.String)
const Profile = SessionKey.make("profile", Schema.Struct({ name: Schema.String, list: Schema.Array(Schema.String) }))
const WrongProfile = SessionKey.make("profile", Schema.Struct({ name: Schema.Number, list: Schema.Array(Schema.Int) }))
const Newer = SessionKey.make("newer", Schema.String, { from: SessionKey.previous(Schema.String, (text) => text) })
const Older = SessionKey.make("newer", Schema.String)
const Refusing = SessionKey.make(
  "refusing",
  Schema.String.pipe(Schema.filter((text) => text.startsWith("value") ? `not ${text}` : true))
)
const Throwing = SessionKey.make(
  "plain",
  Schema.transform(Schema.String, Schema.String, {
    strict: true,
    encode: (text): string => {
      throw new Error(`cannot encode ${text}`)
    },
    decode: (text): string => {
      throw new Error(`cannot decode ${text}`)
    }
  })
)
const Anything = SessionKey.make("anything", Schema.Unknown)
const Patched = SessionKey.struct({ plain: Plain, refusing: Refusing })
const Numbered = Subject.make(Schema.NumberFromString)

const profile = { name: nestedValue, list: [nestedValue] }

/** Everything that can go wrong in a handler, told to whoever may be told. */
const failures = Effect.gen(function*() {
  const circular: Record<string, unknown> = { value: userValue }
  circular["self"] = circular
  const attempts: ReadonlyArray<Effect.Effect<unknown, unknown, RequestContext.RequestContext>> = [
    RequestContext.get(WrongProfile),
    RequestContext.modify(WrongProfile, (current) => [1, current]),
    RequestContext.get(Throwing),
    RequestContext.get(Older),
    RequestContext.insert(Refusing, userValue),
    RequestContext.insert(Throwing, userValue),
    RequestContext.insert(Anything, circular),
    RequestContext.insert(Anything, { value: userValue, date: new Date() }),
    RequestContext.insert(Anything, [userValue, 1n]),
    RequestContext.insert(Plain, userValue.repeat(40_000)),
    RequestContext.getStruct(SessionKey.struct({ plain: Plain, profile: WrongProfile })),
    RequestContext.patch(Patched, { plain: Option.some(userValue), refusing: Option.some(userValue) }),
    RequestContext.update(WrongProfile, () => ({ name: 1, list: [] })),
    Numbered.bind(userValue as never) as Effect.Effect<void, unknown, RequestContext.RequestContext>,
    RequestContext.remove(WrongProfile)
  ]
  for (const attempt of attempts) {
    const exit = yield* Effect.exit(Effect.withSpan(attempt, "attempt"))
    if (Exit.isSuccess(exit)) continue
    yield* Effect.logError("an attempt failed", exit.cause)
    yield* Effect.logDebug(exit.cause)
    for (const error of errorsOf(exit.cause)) {
      yield* Effect.logWarning(error)
      yield* Effect.annotateLogs(Effect.logTrace("annotated"), { error })
      writeError("error", error)
    }
    write("error", exit.cause, Cause.pretty(exit.cause, { renderErrorCause: true }))
  }
})

const routes = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/write",
    Effect.gen(function*() {
      yield* RequestContext.insert(Plain, userValue)
      yield* RequestContext.insert(Profile, profile)
      yield* RequestContext.insert(Newer, newerValue)
      yield* Effect.logInfo("written")
      return HttpServerResponse.text("written")
    })
  ),
  HttpRouter.get("/read", Effect.as(RequestContext.get(Plain), HttpServerResponse.text("read"))),
  HttpRouter.get("/failures", Effect.as(failures, HttpServerResponse.text("handled"))),
  HttpRouter.get("/decode", Effect.as(RequestContext.get(WrongProfile), HttpServerResponse.text("never"))),
  HttpRouter.get("/encode", Effect.as(RequestContext.insert(Refusing, userValue), HttpServerResponse.text("never"))),
  HttpRouter.get(
    "/orDie",
    Effect.as(Effect.orDie(RequestContext.get(WrongProfile)), HttpServerResponse.text("never"))
  ),
  HttpRouter.post("/renew", Effect.as(RequestContext.renew, HttpServerResponse.text("renewed"))),
  HttpRouter.post("/sign-in", Effect.as(RequestContext.bind(subject), HttpServerResponse.text("signed in"))),
  HttpRouter.get("/user", Effect.as(RequestContext.requireSignedIn, HttpServerResponse.text("signed in"))),
  HttpRouter.post("/revoke", Effect.as(Sessions.revokeAll(subject), HttpServerResponse.text("revoked"))),
  HttpRouter.post("/flush", Effect.as(RequestContext.flush, HttpServerResponse.text("flushed"))),
  HttpRouter.post(
    "/modify",
    Effect.as(RequestContext.modify(Plain, () => [1, Option.some(userValue)]), HttpServerResponse.text("modified"))
  ),
  HttpRouter.post(
    "/commit",
    Effect.zipRight(
      RequestContext.insert(Plain, `${userValue}!`),
      Effect.as(RequestContext.commit, HttpServerResponse.text("saved"))
    )
  ),
  HttpRouter.get(
    "/context",
    Effect.map(RequestContext.RequestContext, (context) => {
      write("error", JSON.stringify(Object.keys(context)))
      return HttpServerResponse.text("context")
    })
  )
)

const serve = (store: Layer.Layer<SessionStore.SessionStore, unknown>) => {
  const app = routes.pipe(RequestContext.middleware, RequestId.middleware)
  return requester(app as HttpApp.Default<unknown, SessionStore.SessionStore | Scope.Scope>, store)
}

const requester = (
  app: HttpApp.Default<unknown, SessionStore.SessionStore | Scope.Scope>,
  store: Layer.Layer<SessionStore.SessionStore, unknown>
) => {
  const { handler } = toWeb(app, store)
  return async (path: string, cookie = "", method = path === "/read" || !posts.has(path) ? "GET" : "POST") => {
    const response = await handler(new Request(`http://localhost${path}`, { method, headers: { cookie } }))
    const setCookies = response.headers.getSetCookie()
    for (const header of setCookies) remember(header.split(";")[0])
    const body = await response.text()
    if (response.status >= 400) {
      write(
        `body of ${response.status}`,
        body,
        JSON.stringify([...response.headers].filter(([name]) => name !== "set-cookie"))
      )
    }
    return { status: response.status, body, cookie: setCookies.map((header) => header.split(";")[0]).join("; ") }
  }
}

const posts = new Set(["/write", "/renew", "/sign-in", "/revoke", "/flush", "/modify", "/commit"])

const remember = (pair: string) => {
  const value = pair.slice(pair.indexOf("=") + 1)
  if (value.length > 20) keep(value)
}

const toWeb = (
  app: HttpApp.Default<unknown, SessionStore.SessionStore | Scope.Scope>,
  store: Layer.Layer<SessionStore.SessionStore, unknown>
) => {
  const events = SessionEvents.layerHandler((event) => Effect.sync(() => write("event", event, JSON.stringify(event))))
  const heard = Layer.provideMerge(events, store as Layer.Layer<SessionStore.SessionStore>)
  return HttpApp.toWebHandlerLayer(app, Layer.provideMerge(heard, surroundings))
}

/** A cookie's value with one character changed, near its end. */
const tamper = (cookie: string) => cookie.slice(0, -6) + (cookie.at(-6) === "A" ? "B" : "A") + cookie.slice(-5)

const run = async (store: Layer.Layer<SessionStore.SessionStore, unknown>) => {
  const request = serve(store)
  const { cookie, status } = await request("/write")
  expect(status).toBe(200)
  expect(cookie).toMatch(/^[\w-]+=.{43,}/)
  for (const path of ["/read", "/failures", "/decode", "/encode", "/orDie", "/context"]) await request(path, cookie)
  remember(tamper(cookie))
  for (const value of [tamper(cookie), `${cookie}x`, `${cookie}; ${tamper(cookie)}`, cookie.slice(0, -8)]) {
    await request("/read", value)
    await request("/failures", value)
  }
  const renewed = await request("/renew", cookie)
  await request("/read", cookie)
  await request("/modify", renewed.cookie || cookie)
  await request("/commit", renewed.cookie || cookie)
  await request("/flush", renewed.cookie || cookie)
  await request("/nowhere", cookie)
}

/** Signing in, and the end of all sessions of a subject. */
const runSignIn = async (store: Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown>) => {
  const request = serve(store)
  const { cookie } = await request("/write")
  const first = await request("/sign-in", cookie)
  expect(first.status).toBe(200)
  await request("/user", cookie)
  const again = await request("/sign-in", first.cookie)
  expect((await request("/user", again.cookie)).status).toBe(200)
  expect((await request("/revoke", again.cookie)).status).toBe(200)
  expect((await request("/user", again.cookie)).status).toBe(401)
}

type Trouble = "fails" | "throws" | "dies" | "hangs"

/** Wraps the functions of a store: the armed one is in trouble, and its every word holds what it was given. */
const inTrouble = (trouble: Trouble) => {
  let armed: string | undefined
  const wrap = <Args extends Array<unknown>, A>(
    name: string,
    operation: SessionError.SessionStoreError["operation"],
    f: (...args: Args) => Effect.Effect<A, SessionError.SessionStoreError>
  ) =>
  (...args: Args): Effect.Effect<A, SessionError.SessionStoreError> => {
    if (armed !== name) return f(...args)
    const words = inspect(args, { depth: 9 }) + userValue
    const error = Object.assign(new Error(`duplicate entry ${words}`, { cause: words }), {
      sql: words,
      parameters: args
    })
    switch (trouble) {
      case "fails":
        return Effect.fail(SessionError.SessionStoreError.of(operation, "Unavailable", error))
      case "throws":
        throw error
      case "dies":
        return Effect.delay(Effect.die(error), 1)
      case "hangs":
        return Effect.zipRight(Effect.logTrace("waiting"), Effect.never)
    }
  }
  return { arm: (name: string | undefined) => (armed = name), wrap }
}

const troubled = (trouble: Trouble) => {
  const { backend, index: _ } = memory.make({ maxSessions: 100, maxBytes: 64 * 1024 * 1024 })
  const { arm, wrap } = inTrouble(trouble)
  const layer = SessionStore.layerBackend({ secure: false, storeTimeout: 30, refreshAfter: 0, expiry: "1 hour" }).pipe(
    Layer.provide(Layer.succeed(SessionBackend.SessionBackend, {
      find: wrap("find", "find", backend.find),
      insert: wrap("insert", "insert", backend.insert),
      update: wrap("update", "update", backend.update),
      remove: wrap("remove", "remove", backend.remove),
      removeExpired: backend.removeExpired
    }))
  )
  return { arm, layer }
}

const troubledRevocation = (trouble: Trouble) => {
  const works = memoryRevocation.make(1000)
  const { arm, wrap } = inTrouble(trouble)
  const revocation: Revocation.RevocationService = {
    check: wrap("check", "check", works.check),
    deny: wrap("deny", "deny", works.deny),
    denyOlder: wrap("denyOlder", "deny", works.denyOlder),
    removeExpired: works.removeExpired
  }
  return {
    arm,
    layer: Layer.provide(revocable({ storeTimeout: 30 }), Layer.succeed(Revocation.Revocation, revocation))
  }
}

/** The cookie store that can revoke. */
const revocable = (options: Partial<SessionStore.CookieOptions> = {}) =>
  Layer.unwrapEffect(Effect.map(
    KeyRing.fromBytes(plainKey),
    (keys) => SessionStore.layerCookieRevocable({ secure: false, keys, expiry: "1 hour", ...options })
  ))

describe("what people can read", () => {
  it("S1: with a server store, logs, spans and errors contain no token, key or session value", async () => {
    await run(SessionStore.layerMemory({ secure: false, maxSessionBytes: 100_000, expiry: "1 hour" }))
    expect(await eventsWritten()).toEqual(new Set(["Created", "Tampered", "TooLarge", "Renewed", "SignedOut"]))
    expectNoSecret(isShown)
  })

  it("K2: with sealed cookies of the current key, an older one or a stranger's, logs, spans and errors contain no secret", async () => {
    const [current, old] = await Effect.runPromise(Effect.all([KeyRing.fromBytes(plainKey), KeyRing.fromBytes(oldKey)]))
    const stranger = Effect.runSync(KeyRing.generate)
    const store = (keys: KeyRing.KeyRing, audience = "") => SessionStore.layerCookie({ secure: false, keys, audience })
    await run(store(current))
    await run(store(KeyRing.withPrevious(current, old)))
    const request = serve(store(KeyRing.withPrevious(current, old)))
    for (const other of [store(old), store(stranger), store(current, "another audience")]) {
      const { cookie } = await serve(other)("/write")
      for (const path of ["/read", "/failures", "/decode"]) await request(path, cookie)
    }
    expect([...await eventsWritten()]).toEqual(expect.arrayContaining(["Created", "Tampered", "Foreign", "SignedOut"]))
    write("key", current, JSON.stringify(current), String(current), inspect(current, { showHidden: true, depth: 9 }))
    expectNoSecret(isShown)
  })

  for (const trouble of ["fails", "throws", "dies", "hangs"] as const) {
    it(`M5: a store that ${trouble} reveals no secret, whatever its driver says`, async () => {
      const { arm, layer } = troubled(trouble)
      const request = serve(layer)
      const { cookie } = await request("/write")
      for (const operation of ["find", "insert", "update", "remove"]) {
        arm(operation)
        for (const path of ["/read", "/failures", "/write", "/modify", "/commit", "/renew", "/flush"]) {
          await request(path, cookie)
        }
        await request("/write")
        arm(undefined)
      }
      expect(textsOf("body of 503")).not.toEqual([])
      expect(await eventsWritten()).toContain("CommitFailed")
      expectNoSecret(isShown)
    })
  }

  it("V7: with revocation, and with sign-ins on a server store, logs, spans and errors contain no secret, and no subject", async () => {
    for (
      const store of [
        Layer.provide(revocable(), Revocation.layerMemory()),
        SessionStore.layerMemory({ secure: false, maxSessionBytes: 100_000, expiry: "1 hour" })
      ]
    ) {
      await run(store)
      await runSignIn(store)
      expect([...await eventsWritten()]).toEqual(expect.arrayContaining(["Created", "SignedIn", "Renewed", "Revoked"]))
      expectNoSecret(isShown)
    }
  })

  for (const trouble of ["fails", "throws", "dies", "hangs"] as const) {
    it(`V7: a store of revocations that ${trouble} reveals no secret, whatever its driver says`, async () => {
      const { arm, layer } = troubledRevocation(trouble)
      const request = serve(layer)
      const cookie = (await request("/sign-in", (await request("/write")).cookie)).cookie
      for (const operation of ["check", "deny", "denyOlder"]) {
        arm(operation)
        const paths = ["/read", "/failures", "/write", "/commit", "/user", "/renew", "/sign-in", "/revoke", "/flush"]
        const statuses = []
        for (const path of paths) statuses.push((await request(path, cookie)).status)
        expect([operation, statuses.includes(503)]).toEqual([operation, true])
        arm(undefined)
      }
      expect(await eventsWritten()).toContain("SignedIn")
      expectNoSecret(isShown)
    })
  }

  it("C2: an HttpApi's responses for errors that its endpoints declare contain no secret", async () => {
    class Session extends RequestContextApi.Tag<Session>()("Session", { cookieName: "session" }) {}
    const api = HttpApi.make("api").add(
      HttpApiGroup.make("group")
        .add(HttpApiEndpoint.post("write", "/write").addSuccess(Schema.Void))
        .add(HttpApiEndpoint.get("decode", "/decode").addSuccess(Schema.Void).addError(SessionError.SessionSchemaError))
        .add(HttpApiEndpoint.get("encode", "/encode").addSuccess(Schema.Void).addError(SessionError.SessionSchemaError))
        .add(HttpApiEndpoint.get("store", "/store").addSuccess(Schema.Void).addError(SessionError.SessionStoreError))
        .middleware(Session)
    )
    const live = HttpApiBuilder.group(api, "group", (handlers) =>
      handlers
        .handle("write", () => Effect.orDie(RequestContext.insert(Profile, profile)))
        .handle("decode", () =>
          Effect.asVoid(RequestContext.get(WrongProfile)).pipe(
            Effect.catchTags({ SessionStoreError: Effect.die, SessionDisabled: Effect.die })
          ))
        .handle("encode", () =>
          RequestContext.insert(Refusing, userValue).pipe(
            Effect.catchIf((error) => error._tag !== "SessionSchemaError", Effect.die)
          ))
        .handle("store", () =>
          Effect.fail(SessionError.SessionStoreError.of("find", "Unavailable", new Error(userValue)))))
    const { handler } = HttpApiBuilder.toWebHandler(
      Layer.mergeAll(
        HttpApiBuilder.api(api).pipe(
          Layer.provide(live),
          Layer.provide(RequestContextApi.layer(Session)),
          Layer.provide(SessionStore.layerMemory({ secure: false })),
          Layer.orDie
        ),
        HttpServer.layerContext
      ).pipe(Layer.provideMerge(surroundings))
    )
    const request = async (path: string, cookie: string, method = "GET") => {
      const response = await handler(new Request(`http://localhost${path}`, { method, headers: { cookie } }))
      for (const header of response.headers.getSetCookie()) remember(header.split(";")[0])
      return {
        status: response.status,
        body: await response.text(),
        cookie: response.headers.getSetCookie()[0]?.split(";")[0]
      }
    }
    const { cookie } = await request("/write", "", "POST")
    const answers = []
    for (const path of ["/decode", "/encode", "/store"]) answers.push(await request(path, cookie!))
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 503])
    expect(JSON.parse(answers[0].body)).toEqual({
      _tag: "SessionSchemaError",
      key: "profile",
      direction: "decode",
      path: "name"
    })
    for (const { body } of answers) write("body of HttpApi", body)
    expectNoSecret(isShown)
  })

  it("F3: messages about a wrong configuration do not show the key, wherever it was pasted", async () => {
    const text = userValue.padEnd(70, "k")
    const yaml = (lines: ReadonlyArray<string>) => ["request_context:", ...lines.map((line) => `  ${line}`)].join("\n")
    const store = (key: string) => ["session_store:", "  type: Cookie", "  value:", `    private_key: ${key}`]
    const mistakes = await Promise.all([
      yaml(["enable: true", `session_config: { name: "${text} " }`, ...store(`"${text}"`)]),
      yaml([`enable: "${text}"`, ...store(`"${text.slice(0, 40)}"`)]),
      yaml([`${text}: 1`.slice(0, 0) + "enable: 1", ...store(`[${[...plainKey].join(", ")}, 256]`)]),
      yaml([...store(`[${[...plainKey].slice(0, 20).join(", ")}]`)]),
      yaml([`session_store: { type: "${text}" }`]),
      yaml([`session_store: { type: Cookie, value: { private_key: { nested: "${text}" } } }`]),
      `request_context: { session_store: { type: Cookie, value: { private_key: "${text}" `
    ].map((yaml) => Effect.runPromise(Effect.either(SessionConfig.fromYaml(yaml)))))
    const refusedKeys = await Promise.all([
      KeyRing.fromUtf8(Redacted.make(userValue)),
      KeyRing.derive(Redacted.make(userValue.slice(0, 20))),
      KeyRing.fromBytes(plainKey.subarray(0, 60))
    ].map((ring) => Effect.runPromise(Effect.either(ring)) as Promise<never>))
    for (const refused of refusedKeys) mistakes.push(refused)
    expect(mistakes.every(Either.isLeft)).toBe(true)
    for (const mistake of mistakes) if (Either.isLeft(mistake)) writeError("configuration", mistake.left)
    expectNoSecret(isShown)
  })
})
