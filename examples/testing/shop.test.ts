/**
 * An app's own tests: one handler without HTTP, the whole app over several stores without a server, and a store that fails.
 *
 * Run it with `npm run example -- testing`.
 */
import { HttpApp } from "@effect/platform"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { Sessions } from "effect-session"
import { RequestContext, SessionStore } from "effect-session"
import * as SqlStore from "effect-session/SessionStore/Sql"
import * as Testing from "effect-session/Testing"
import { addTea, app, Cart } from "./shop.js"

// ── one handler, without HTTP ──

it.effect("adds a tea to a cart that has milk", () =>
  Effect.gen(function*() {
    yield* addTea
    expect(yield* Testing.respond()).toMatchObject({ status: 200 })
    expect(yield* RequestContext.get(Cart)).toEqual(["milk", "tea"]) // in the next request
  }).pipe(Effect.provide(Testing.layerTest({ contents: [Testing.value(Cart, ["milk"])] }))))

// ── the whole app, over every store that it may run with ──

type Store = Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown>

const stores: Record<string, Store> = {
  memory: SessionStore.layerMemory(),
  // The calls take turns with other fibers, as those to a database do: that shows races which memory hides.
  "a store with the races of a database": SessionStore.layerBackendIndexed().pipe(
    Layer.provide(Testing.yielding(Testing.memory))
  ),
  // The table is new in each test, because the database is in memory.
  SQLite: SqlStore.layer().pipe(
    Layer.provide(Layer.effectDiscard(SqlStore.createTable())),
    Layer.provide(SqliteClient.layer({ filename: ":memory:" }))
  )
}

/** The app with a store of its own, and a browser in front of it. */
const open = (store: Store) =>
  Effect.gen(function*() {
    const { dispose, handler } = HttpApp.toWebHandlerLayer(app, store)
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    const browser = yield* Testing.browser(handler)
    return {
      browser,
      get: (path: string) => Effect.flatMap(browser.client.get(path), (response) => response.text),
      post: (path: string) => Effect.map(browser.client.post(path), (response) => response.status)
    }
  })

describe.each(Object.entries(stores))("the shop over %s", (_, store) => {
  it.scoped("counts each of ten teas that are added at once", () =>
    Effect.gen(function*() {
      const { get, post } = yield* open(store)
      yield* post("/cart")
      yield* Effect.all(Array.from({ length: 9 }, () => post("/cart")), { concurrency: "unbounded" })
      expect(yield* get("/cart")).toBe(Array.from({ length: 10 }, () => "tea").join())
    }))

  it.scoped("keeps the cart of a visitor who signs in, and signs out for good", () =>
    Effect.gen(function*() {
      const { browser, get, post } = yield* open(store)
      yield* post("/cart")
      const [before] = yield* browser.jar.cookies
      yield* post("/sign-in")
      const [after] = yield* browser.jar.cookies
      expect(after.value).not.toBe(before.value)
      expect([yield* get("/account"), yield* get("/cart")]).toEqual(["ada", "tea"])
      yield* post("/sign-out")
      expect(yield* browser.jar.cookies).toEqual([])
      // Nor does anybody get in who has kept the cookie.
      const kept = { headers: { cookie: `${after.name}=${after.value}` } }
      expect((yield* browser.client.get("/account", kept)).status).toBe(401)
    }))
})

// ── a store that fails ──

it.scoped("answers 503 while the database is away, and goes on when it is back", () =>
  Effect.gen(function*() {
    const context = yield* Layer.build(Testing.faulty()(Testing.memory))
    const store = SessionStore.layerBackendIndexed().pipe(Layer.provide(Layer.succeedContext(context)))
    const { get, post } = yield* open(store)
    yield* post("/cart")
    yield* Effect.provide(Testing.breakStore("fails"), context)
    expect(yield* post("/cart")).toBe(503)
    yield* Effect.provide(Testing.heal, context)
    expect(yield* get("/cart")).toBe("tea")
  }))
