/**
 * Sessions of the real packages, made over HTTP, are moved into ours over HTTP.
 */
import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import { Migration, RequestContext, SessionBackend, SessionKey, SessionStore } from "effect-session"
import { SessionStoreError } from "effect-session/SessionError"
import { sealData } from "iron-session"
import { createHmac } from "node:crypto"
import * as Util from "node:util"
import * as memoryBackend from "../../src/internal/memory/backend.js"
import { listen } from "../support/server.js"
import { browser, oldCookieSession, oldExpress, oldIron, secret } from "./old.js"

const Cart = SessionKey.make("cart", Schema.Array(Schema.String))

const schema = Schema.Struct({
  user: Schema.optional(Schema.String),
  cart: Schema.optional(Schema.Array(Schema.String))
})

const into = ({ cart = [], user }: typeof schema.Type) =>
  Effect.gen(function*() {
    yield* RequestContext.insert(Cart, cart)
    if (user !== undefined) yield* RequestContext.bind(user)
  })

const me = Effect.gen(function*() {
  const signedIn = yield* RequestContext.signedIn
  const cart = yield* RequestContext.get(Cart)
  return yield* HttpServerResponse.json({
    user: Option.match(signedIn, { onNone: () => null, onSome: ({ subject }) => subject }),
    cart: Option.getOrElse(cart, () => [])
  })
})

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/me", me),
  HttpRouter.get("/untouched", HttpServerResponse.json({})),
  HttpRouter.get("/raw", Effect.sync(() => HttpServerResponse.raw(Response.json({})))),
  HttpRouter.get("/broken", HttpServerResponse.json({}, { status: 500 })),
  HttpRouter.post("/logout", Effect.zipRight(RequestContext.flush, HttpServerResponse.json({})))
)

const logs: Array<string> = []
const console = vi.spyOn(globalThis.console, "log").mockImplementation((...texts) =>
  void logs.push(Util.format(...texts))
)
afterAll(() => console.mockRestore())

const options = { secure: false, name: "sid" }

/** The new app, with a way to move sessions. */
const newApp = <E, R>(
  migration: Migration.Migration<E, R>,
  store: Layer.Layer<SessionStore.SessionStore, unknown> = SessionStore.layerMemory(options)
) => listen(routes.pipe(Migration.middleware(migration)), store)

const signedIn = { user: "ada", cart: ["tea"] }
const nobody = { user: null, cart: [] }
const secrets = [Redacted.make("a newer secret"), Redacted.make(secret)]

interface Case {
  readonly row: string
  readonly library: string
  readonly cookies: ReadonlyArray<string>
  readonly start: () => Promise<{
    readonly port: number
    readonly close: () => Promise<void>
    readonly migration: (more?: { keep?: boolean }) => Migration.Migration<unknown, any>
  }>
}

const cases: ReadonlyArray<Case> = [
  {
    row: "G1",
    library: "express-session",
    cookies: ["connect.sid"],
    start: async () => {
      const old = await oldExpress()
      return {
        ...old,
        migration: (more) =>
          Migration.expressSession({
            secrets,
            lookUp: (id) => Effect.promise(() => old.get(id)),
            forget: (id) => Effect.promise(() => old.destroy(id)),
            schema,
            into,
            ...more
          })
      }
    }
  },
  {
    row: "G2",
    library: "cookie-session",
    cookies: ["old", "old.sig"],
    start: async () => ({
      ...await oldCookieSession(),
      migration: (more) => Migration.cookieSession({ keys: secrets, name: "old", schema, into, ...more })
    })
  },
  {
    row: "G3",
    library: "iron-session",
    cookies: ["iron"],
    start: async () => ({
      ...await oldIron(),
      migration: (more) =>
        Migration.ironSession({ password: Redacted.make(secret), name: "iron", schema, into, ...more })
    })
  }
]

for (const { cookies, library, row, start } of cases) {
  describe(library, () => {
    let old: Awaited<ReturnType<Case["start"]>>
    let app: Awaited<ReturnType<typeof newApp>>
    let keeping: Awaited<ReturnType<typeof newApp>>
    beforeAll(async () => {
      old = await start()
      app = await newApp(old.migration())
      keeping = await newApp(old.migration({ keep: true }))
    })
    afterAll(() => Promise.all([old.close(), app.close(), keeping.close()]))

    it(`${row}: a user of ${library} stays signed in, with the data, and the old cookie is gone after one request`, async () => {
      const { names, value, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      expect(names()).toEqual(cookies)
      const first = await visit(app.port, "/me")
      expect(first.body).toEqual(signedIn)
      expect(names()).toEqual(["sid"])
      expect(first.headers.get("cache-control")).toContain("no-store")
      const token = value("sid")
      expect((await visit(app.port, "/me")).body).toEqual(signedIn)
      expect(value("sid")).toBe(token) // moved once
    })

    it(`${row}: a handler that does not touch the session moves it too`, async () => {
      const { names, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      await visit(app.port, "/untouched")
      expect(names()).toEqual(["sid"])
      expect((await visit(app.port, "/me")).body).toEqual(signedIn)
    })

    it("G4: a cookie that was changed anywhere is no session, and stays as it is", async () => {
      const { header, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      const cookie = header()!
      for (let at = cookie.indexOf("=") + 1; at < cookie.length; at++) {
        // the last character of base64 may have bits that mean nothing
        if ("; =".includes(cookie[at]) || cookie.length === at + 1 || cookie[at + 1] === ";") continue
        const changed = `${cookie.slice(0, at)}${cookie[at] === "A" ? "B" : "A"}${cookie.slice(at + 1)}`
        const response = await visit(app.port, "/me", { cookie: changed })
        expect([at, response.status, response.body]).toEqual([at, 200, nobody])
        expect(response.setCookies).toEqual([])
      }
    })

    it("G4: no malformed cookie is answered with anything but an empty session", async () => {
      const { visit } = browser()
      const [name] = cookies
      const values = [
        "",
        "s:",
        "s:.",
        "s:a.",
        "s%3Aa.b",
        "s:%ff.%ff",
        "%",
        "{}",
        "e30=",
        "e30=; old.sig=",
        `e30=; old.sig=${"A".repeat(27)}`,
        "Fe26.2",
        "Fe26.2*******~2",
        "Fe26.2*1*a*b*c**d*e~2",
        "Fe26.2*__proto__*a*b*c**d*e~2",
        "A".repeat(8_000),
        "*".repeat(4_000)
      ]
      for (const value of values) {
        const response = await visit(app.port, "/me", { cookie: `${name}=${value}` })
        expect([value, response.status, response.body]).toEqual([value, 200, nobody])
        expect(response.setCookies).toEqual([])
      }
    })

    it("G5: a session of ours counts, and the old cookie beside it is removed unread", async () => {
      const { header, names, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      const olds = header()!
      await visit(app.port, "/me")
      const both = await visit(app.port, "/me", { cookie: `${olds}; ${header()}` })
      expect(both.body).toEqual(signedIn)
      expect(both.setCookies.map((line) => line.split("=")[0]).sort()).toEqual(cookies)
      await visit(app.port, "/logout", { method: "POST" })
      expect(names()).toEqual([])
    })

    it("G5: a web response that the handler returns as it is takes the old cookie along", async () => {
      const { header, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      const olds = header()!
      await visit(app.port, "/me")
      const raw = await visit(app.port, "/raw", { cookie: `${olds}; ${header()}` })
      expect(raw.body).toEqual({})
      expect(raw.setCookies.map((line) => line.split("=")[0]).sort()).toEqual(cookies)
    })

    it("G5: a session that has ended is not brought back by the old cookie", async () => {
      const { header, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      const olds = header()!
      await visit(app.port, "/me")
      const ours = header()!
      await visit(app.port, "/logout", { method: "POST" })
      expect((await visit(app.port, "/me", { cookie: `${olds}; ${ours}` })).body).toEqual(nobody)
    })

    it("G6: a handler that fails after the session was moved signs nobody out", async () => {
      const { names, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      expect((await visit(app.port, "/broken")).status).toBe(500)
      expect(names()).toEqual(["sid"])
      expect((await visit(app.port, "/me")).body).toEqual(signedIn)
    })

    it("G7: with keep, a deploy that is rolled back finds the user signed in, and so does the next one", async () => {
      const { names, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      expect((await visit(keeping.port, "/me")).body).toEqual(signedIn)
      expect(names()).toEqual([...cookies, "sid"].sort())
      expect((await visit(old.port, "/me")).body).toEqual(signedIn)
      expect((await visit(keeping.port, "/me")).body).toEqual(signedIn)
    })

    it("G7: with keep, signing out of the new app signs out of the old one", async () => {
      const { names, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      await visit(keeping.port, "/me")
      await visit(keeping.port, "/logout", { method: "POST" })
      expect(names()).toEqual([])
      expect((await visit(old.port, "/me")).body).toEqual(nobody)
      expect((await visit(keeping.port, "/me")).body).toEqual(nobody)
    })

    it("G8: no log, response or dump shows a secret or a cookie", async () => {
      const { header, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      const cookie = header()!
      const migration = old.migration()
      await visit(app.port, "/me")
      const value = cookie.slice(cookie.indexOf("=") + 1)
      for (
        const text of [...logs, Util.inspect(migration, { depth: 9, showHidden: true }), JSON.stringify(migration)]
      ) {
        expect(text).not.toContain(secret)
        expect(text).not.toContain(value)
      }
    })
  })
}

describe("what a store or a schema refuses", () => {
  it("G1: of two secrets either opens, and data whose time is over do not", async () => {
    const asked: Array<string> = []
    const data = { cookie: { expires: new Date(Date.now() + 60_000).toISOString() }, user: "ada", cart: ["tea"] }
    let answer: unknown = data
    const app = await newApp(Migration.expressSession({
      secrets,
      lookUp: (id) => Effect.sync(() => (asked.push(id), answer)),
      schema,
      into
    }))
    const cookieOf = (id: string, key: string) =>
      `connect.sid=${
        encodeURIComponent(`s:${id}.${createHmac("sha256", key).update(id).digest("base64").replace(/=+$/, "")}`)
      }`
    const ask = async (cookie: string) => (await browser().visit(app.port, "/me", { cookie })).body
    expect(await ask(cookieOf("a.b", secret))).toEqual(signedIn)
    expect(await ask(cookieOf("a.b", "a newer secret"))).toEqual(signedIn)
    asked.length = 0
    expect(await ask(cookieOf("a.b", "another"))).toEqual(nobody)
    expect(asked).toEqual([]) // nobody makes the old store look for an id that was not signed
    const invalid = [
      null,
      undefined,
      "text",
      17,
      { ...data, cookie: { expires: new Date(0).toISOString() } },
      { ...data, cookie: { expires: new Date(0) } },
      { ...data, cookie: { expires: "soon" } }
    ]
    for (const each of invalid) {
      answer = each
      expect(await ask(cookieOf("a.b", secret))).toEqual(nobody)
    }
    answer = { ...data, cookie: { expires: null } } // until the browser is closed
    expect(await ask(cookieOf("a.b", secret))).toEqual(signedIn)
    await app.close()
  })

  it("G2: of two keys either opens, and no cookie opens without its signature, or with that of another name", async () => {
    const app = await newApp(Migration.cookieSession({ keys: secrets, name: "old", schema, into }))
    const value = Buffer.from(JSON.stringify(signedIn)).toString("base64")
    const sign = (text: string, key: string) => createHmac("sha1", key).update(text).digest("base64url")
    const ask = async (...signatures: ReadonlyArray<string>) => {
      const cookie = [`old=${value}`, ...signatures.map((signature) => `old.sig=${signature}`)].join("; ")
      return (await browser().visit(app.port, "/me", { cookie })).body
    }
    expect(await ask(sign(`old=${value}`, secret))).toEqual(signedIn)
    expect(await ask(sign(`old=${value}`, "a newer secret"))).toEqual(signedIn)
    expect(await ask("A".repeat(27), sign(`old=${value}`, secret))).toEqual(signedIn) // another path has a cookie of the name
    expect(await ask()).toEqual(nobody)
    expect(await ask(sign(`other=${value}`, secret))).toEqual(nobody)
    expect(await ask(sign(value, secret))).toEqual(nobody)
    expect(await ask(sign(`old=${value}`, "another"))).toEqual(nobody)
    await app.close()
  })

  it("G3: a seal opens with the password of its id, and not after its end", async () => {
    const other = "another-password-of-the-old-app-0123456789"
    const app = await newApp(Migration.ironSession({
      password: { 1: Redacted.make(secret), 2: Redacted.make(other) },
      name: "iron",
      schema,
      into
    }))
    const ask = async (password: string | Record<string, string>, ttl: number) => {
      const seal = await sealData({ user: "ada", cart: ["tea"] }, { password, ttl })
      return (await browser().visit(app.port, "/me", { cookie: `iron=${seal}` })).body
    }
    expect(await ask(secret, 3600)).toEqual(signedIn)
    expect(await ask({ 2: other }, 3600)).toEqual(signedIn)
    expect(await ask(secret, 0)).toEqual(signedIn) // without an end
    expect(await ask({ 2: secret }, 3600)).toEqual(nobody)
    expect(await ask({ 3: other }, 3600)).toEqual(nobody)
    expect(await ask(secret, -120)).toEqual(nobody)
    await app.close()
  })

  it("G8: data that do not fit the schema are not moved, and a warning says so without showing them", async () => {
    const old = await oldCookieSession()
    const app = await newApp(Migration.cookieSession({
      keys: secrets,
      name: "old",
      schema: Schema.Struct({ user: Schema.Int }),
      into: () => Effect.void
    }))
    const { names, visit } = browser()
    await visit(old.port, "/login/private-name", { method: "POST" })
    logs.length = 0
    expect((await visit(app.port, "/me")).body).toEqual(nobody)
    expect(names()).toEqual(["old", "old.sig"])
    expect(logs.filter((line) => line.includes("does not fit"))).toHaveLength(1)
    expect(logs.join()).not.toContain("private-name")
    for (let i = 0; i < 30; i++) await visit(app.port, "/me")
    expect(logs.filter((line) => line.includes("does not fit"))).toHaveLength(10) // a client floods no log
    await Promise.all([old.close(), app.close()])
  })

  it("G6: while the old store fails or hangs, the client gets a 503, and the next request moves the session", async () => {
    const old = await oldExpress()
    let state: "down" | "hanging" | "up" = "down"
    const app = await newApp(
      Migration.expressSession({
        secrets,
        lookUp: (id) =>
          Effect.suspend((): Effect.Effect<unknown, SessionStoreError> =>
            state === "down"
              ? Effect.fail(SessionStoreError.of("find", "Unavailable", "the old store is down"))
              : state === "hanging"
              ? Effect.never
              : Effect.promise(() => old.get(id))
          ),
        schema,
        into
      }),
      SessionStore.layerMemory({ ...options, storeTimeout: "200 millis" })
    )
    const { names, visit } = browser()
    await visit(old.port, "/login/ada", { method: "POST" })
    expect((await visit(app.port, "/me")).status).toBe(503)
    state = "hanging"
    expect((await visit(app.port, "/me")).status).toBe(503)
    expect(names()).toEqual(["connect.sid"])
    state = "up"
    expect((await visit(app.port, "/me")).body).toEqual(signedIn)
    await Promise.all([old.close(), app.close()])
  })

  it("G6: while the new store fails, the old cookie and the old data stay", async () => {
    const old = await oldExpress()
    let isDown = true
    const { backend } = memoryBackend.make({ maxSessions: 100, maxBytes: 1_000_000 })
    const memory = Layer.provide(
      SessionStore.layerBackend(options),
      Layer.succeed(SessionBackend.SessionBackend, {
        ...backend,
        insert: (...args: Parameters<typeof backend.insert>) =>
          isDown ? Effect.fail(SessionStoreError.of("insert", "Unavailable")) : backend.insert(...args)
      })
    )
    const forgotten: Array<string> = []
    const app = await newApp(
      Migration.expressSession({
        secrets,
        lookUp: (id) => Effect.promise(() => old.get(id)),
        forget: (id) => Effect.sync(() => forgotten.push(id)),
        schema,
        into: ({ cart = [] }) => RequestContext.insert(Cart, cart)
      }),
      memory
    )
    const { names, visit } = browser()
    await visit(old.port, "/login/ada", { method: "POST" })
    expect((await visit(app.port, "/me")).status).toBe(503)
    expect(names()).toEqual(["connect.sid"])
    expect(forgotten).toEqual([])
    isDown = false
    expect((await visit(app.port, "/me")).body).toEqual({ user: null, cart: ["tea"] })
    expect(forgotten).toHaveLength(1)
    await Promise.all([old.close(), app.close()])
  })

  it("G5: a copy of the old cookie opens nothing after the old store has forgotten it", async () => {
    const old = await oldExpress()
    const app = await newApp(Migration.expressSession({
      secrets,
      lookUp: (id) => Effect.promise(() => old.get(id)),
      forget: (id) => Effect.promise(() => old.destroy(id)),
      schema,
      into
    }))
    const { header, visit } = browser()
    await visit(old.port, "/login/ada", { method: "POST" })
    const copy = header()!
    await visit(app.port, "/me")
    expect((await browser().visit(app.port, "/me", { cookie: copy })).body).toEqual(nobody)
    await Promise.all([old.close(), app.close()])
  })

  it("G6: a `forget` that fails, dies or hangs is logged, and the user stays signed in", async () => {
    const old = await oldExpress()
    for (const forget of [Effect.fail("no"), Effect.dieMessage("no"), Effect.never]) {
      const app = await newApp(
        Migration.expressSession({
          secrets,
          lookUp: (id) => Effect.promise(() => old.get(id)),
          forget: () => forget,
          schema,
          into
        }),
        SessionStore.layerMemory({ ...options, storeTimeout: "100 millis" })
      )
      const { names, visit } = browser()
      await visit(old.port, "/login/ada", { method: "POST" })
      logs.length = 0
      expect((await visit(app.port, "/me")).body).toEqual(signedIn)
      expect(names()).toEqual(["sid"])
      expect(logs.filter((line) => line.includes("not forgotten"))).toHaveLength(1)
      await app.close()
    }
    await old.close()
  })

  it("G1: an old session with nothing to keep makes no session, and its cookie is removed", async () => {
    const old = await oldExpress({ saveUninitialized: true })
    const app = await newApp(Migration.expressSession({
      secrets,
      lookUp: (id) => Effect.promise(() => old.get(id)),
      schema,
      into: () => Effect.void
    }))
    const { names, visit } = browser()
    await visit(old.port, "/me")
    expect(names()).toEqual(["connect.sid"])
    expect((await visit(app.port, "/me")).body).toEqual(nobody)
    expect(names()).toEqual([])
    await Promise.all([old.close(), app.close()])
  })

  it("F3: secrets that are missing or too short are mistakes where the migration is made", () => {
    const none = { schema, into }
    expect(() => Migration.cookieSession({ keys: [], ...none })).toThrow(/^keys: expected at least one/)
    expect(() => Migration.cookieSession({ keys: [Redacted.make("")], ...none })).toThrow(/^keys\[0\]/)
    expect(() => Migration.expressSession({ secrets: [], lookUp: () => Effect.void, ...none })).toThrow(/^secrets/)
    expect(() => Migration.ironSession({ name: "i", password: Redacted.make("short-secret"), ...none })).toThrow(
      /^password\[0\]: expected a text of at least 32 characters$/
    )
  })

  it("F3: one name for both cookies is a mistake that the first request reports", async () => {
    const app = await newApp(Migration.cookieSession({ keys: secrets, name: "sid", schema, into }))
    logs.length = 0
    expect((await browser().visit(app.port, "/me")).status).toBe(500)
    expect(logs.join()).toContain("give the new session's cookie another name")
    await app.close()
  })
})
