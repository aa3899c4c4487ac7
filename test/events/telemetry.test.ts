import { HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer, TestClock } from "effect"
import { KeyRing, RequestContext, SessionBackend, SessionError, Sessions, SessionStore } from "effect-session"
import Crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { countOf, gaugeOf } from "../../src/internal/edition/metric.js"
import * as memory from "../../src/internal/memory/backend.js"
import { cookieOf } from "../support/counting.js"
import { observationsOf } from "../support/observations.js"
import { serve } from "../support/server.js"
import { A } from "../support/sessionKeys.js"
import { requestsTo } from "../support/stage.js"
import { type Span, tracing } from "../support/tracing.js"

const keys = Effect.runSync(KeyRing.generate)

const stores = {
  memory: SessionStore.layerMemory({ secure: false }),
  cookie: SessionStore.layerCookie({ secure: false, keys })
}

/** The memory backend behind calls that take a moment, as those of a database do; `find` fails where it is told to. */
const slow = (fails = () => false) => {
  const { backend } = memory.make({ maxSessions: 100, maxBytes: 64 * 1024 * 1024 })
  const later = <A, E>(call: () => Effect.Effect<A, E>) => Effect.delay(Effect.suspend(call), "3 millis")
  return SessionStore.layerBackend({ secure: false }).pipe(Layer.provide(Layer.succeed(SessionBackend.SessionBackend, {
    find: (...args) =>
      later(() =>
        fails()
          ? Effect.fail(SessionError.SessionStoreError.of("find", "Unavailable", new Error("a secret value")))
          : backend.find(...args)
      ),
    insert: (...args) => later(() => backend.insert(...args)),
    update: (...args) => later(() => backend.update(...args)),
    remove: (...args) => later(() => backend.remove(...args)),
    removeExpired: (...args) => later(() => backend.removeExpired(...args))
  })))
}

const app = Effect.gen(function*() {
  yield* RequestContext.get(A)
  yield* RequestContext.insert(A, "a")
  return HttpServerResponse.empty()
})

const storeSpans = (spans: ReadonlyArray<Span>) =>
  spans.filter(({ name }) => name.startsWith("SessionStore.")).map(({ name }) => name)

/** How many calls the histogram has seen, by operation. */
const callsSeen = () => observationsOf("effect_session_store_seconds", "operation")

describe("spans", () => {
  it("N8: a call of a store that has to wait is a client span of its own, with its operation and nothing else", async () => {
    const spans: Array<Span> = []
    const { dispose, request } = serve(app, Layer.merge(slow(), tracing(spans)))
    const first = await request("/")
    expect(storeSpans(spans)).toEqual(["SessionStore.insert"])
    spans.length = 0
    await request("/", { cookie: cookieOf(first) })
    expect(storeSpans(spans)).toEqual(["SessionStore.find"])
    const [span] = spans.filter(({ name }) => name === "SessionStore.find")
    expect([span.kind, span.attributes.size]).toEqual(["client", 0])
    await dispose()
  })

  it("N8: neither the memory store nor the cookie store has spans, and no store has one for a request without I/O", async () => {
    for (const store of Object.values(stores)) {
      const spans: Array<Span> = []
      const { dispose, request } = serve(app, Layer.merge(store, tracing(spans)))
      await request("/", { cookie: cookieOf(await request("/")) })
      expect(spans.length).toBeGreaterThan(0)
      expect(storeSpans(spans)).toEqual([])
      await dispose()
    }
    const spans: Array<Span> = []
    const { dispose, request } = serve(Effect.succeed(HttpServerResponse.empty()), Layer.merge(slow(), tracing(spans)))
    await request("/", { cookie: `session=${"A".repeat(43)}` })
    expect(storeSpans(spans)).toEqual([])
    await dispose()
  })

  it("N8: without a tracer of the app no span is made", async () => {
    const made: Array<unknown> = []
    const { dispose, request } = serve(
      Effect.zipRight(RequestContext.get(A), Effect.as(Effect.void, HttpServerResponse.empty())),
      Layer.provide(
        SessionStore.layerBackend({ secure: false }),
        Layer.succeed(SessionBackend.SessionBackend, {
          ...memory.make({ maxSessions: 10, maxBytes: 2 ** 20 }).backend,
          find: () =>
            Effect.zipRight(
              Effect.yieldNow(),
              Effect.map(Effect.either(Effect.currentSpan), (span) => {
                made.push(span._tag === "Right" ? span.right.name : undefined)
                return undefined as never
              })
            ).pipe(Effect.zipRight(Effect.succeedNone))
        })
      )
    )
    await request("/", { cookie: `session=${"A".repeat(43)}` })
    expect(made).toHaveLength(1)
    expect(made[0]).not.toBe("SessionStore.find")
    await dispose()
  })
})

describe("metrics", () => {
  it("N7: each call of a store that has to wait is in the histogram, whether it fails or not, and the memory store's is not", async () => {
    let failing = false
    const { dispose, request } = serve(app, slow(() => failing))
    const before = callsSeen()
    const delta = () => {
      const now = callsSeen()
      return Object.fromEntries(Object.keys(now).map((name) => [name, now[name] - (before[name] ?? 0)]))
    }
    const first = await request("/")
    expect(delta()).toMatchObject({ insert: 1 })
    failing = true
    expect((await request("/", { cookie: cookieOf(first) })).status).toBe(503)
    expect(delta()).toMatchObject({ insert: 1, find: 1 })
    await dispose()
    const seen = callsSeen()
    for (const store of Object.values(stores)) {
      const { dispose, request } = serve(app, store)
      await request("/", { cookie: cookieOf(await request("/")) })
      await dispose()
    }
    expect(callsSeen()).toEqual(seen)
  })

  it.scoped("N7: sessions that begin, sign in, are renewed and end are counted, with the reason of the end", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(SessionStore.layerMemory({
        secure: false,
        expiry: "1 hour",
        cleanupInterval: "10 minutes",
        subjectBound: { max: 1, whenFull: "evict-oldest" }
      }))
      const { visit } = requestsTo(Context.get(context, SessionStore.SessionStore))
      const totals = () => ({
        created: countOf("effect_session_created_total"),
        signedIn: countOf("effect_session_signed_in_total"),
        renewed: countOf("effect_session_renewed_total"),
        ...Object.fromEntries(
          ["Flush", "OtherSubject", "Revoked", "Expired", "StoreFull", "SubjectBound"].map((reason) => [
            reason,
            countOf("effect_session_terminated_total", ["reason", reason])
          ])
        )
      })
      const before = totals()
      const { token } = yield* visit(undefined, (session) => session.insert(A, "a"))
      yield* visit(token, (session) => session.get(A))
      const renewed = yield* visit(token, (session) => session.renew)
      const signedIn = yield* visit(renewed.token, (session) => session.bind("ada"))
      const second = yield* visit(undefined, (session) => session.bind("ada"))
      yield* visit(second.token, (session) => session.bind("eve"))
      yield* Context.get(context, Sessions.Sessions).revokeAll("eve")
      const last = yield* visit(undefined, (session) => session.insert(A, "a"))
      yield* visit(last.token, (session) => session.flush)
      yield* visit(undefined, (session) => session.insert(A, "a"))
      yield* TestClock.adjust("2 hours")
      expect(signedIn.token).toBeDefined()
      const after = totals()
      expect(
        Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name as "created"]]))
      )
        .toEqual({
          created: 5,
          signedIn: 3,
          renewed: 1,
          Flush: 1,
          OtherSubject: 1,
          Revoked: 1,
          Expired: 1,
          StoreFull: 0,
          SubjectBound: 1
        })
    }))

  it.scoped("N7: the memory store shows how many sessions live after each clean-up, and a store that cannot count says so", () =>
    Effect.gen(function*() {
      const name = "counted-session"
      const context = yield* Layer.build(SessionStore.layerMemory({
        secure: false,
        name,
        expiry: "1 hour",
        cleanupInterval: "10 minutes"
      }))
      const store = Context.get(context, SessionStore.SessionStore)
      const { visit } = requestsTo(store)
      for (let i = 0; i < 3; i++) yield* visit(undefined, (session) => session.insert(A, "a"))
      yield* TestClock.adjust("10 minutes")
      expect(gaugeOf("effect_session_alive", ["cookie", name])).toBe(3)
      expect(yield* store.count).toMatchObject({ value: 3 })
      yield* TestClock.adjust("1 hour")
      expect(gaugeOf("effect_session_alive", ["cookie", name])).toBe(0)
      const sealed = Context.get(yield* Layer.build(stores.cookie), SessionStore.SessionStore)
      expect((yield* sealed.count)._tag).toBe("None")
    }))
})

describe("without a subscriber", () => {
  it("N5: nothing is published or hashed for an event, and with one it is", async () => {
    let hashes = 0
    const originals = { createHash: Crypto.createHash, hash: Crypto.hash }
    Object.assign(Crypto, {
      createHash: (...args: Parameters<typeof Crypto.createHash>) => (hashes++, originals.createHash(...args)),
      hash: (...args: Parameters<typeof Crypto.hash>) => (hashes++, originals.hash(...args))
    })
    syncBuiltinESMExports()
    try {
      const context = Effect.runSync(Effect.scoped(Layer.build(stores.cookie)))
      const store = Context.get(context, SessionStore.SessionStore)
      let published = 0
      const publish = store.events.publish.bind(store.events)
      Object.assign(store.events, { publish: (event: Parameters<typeof publish>[0]) => (published++, publish(event)) })
      const life = Effect.gen(function*() {
        const { visit } = requestsTo(store)
        const { token } = yield* visit(undefined, (session) => session.insert(A, "a"))
        const renewed = yield* visit(token, (session) => session.renew)
        yield* Effect.ignore(visit(renewed.token, (session) => session.insert(A, "x".repeat(9000))))
        yield* visit("not-a-seal", (session) => session.get(A))
        yield* visit(renewed.token, (session) => session.flush)
      })
      Effect.runSync(life)
      expect([published, hashes]).toEqual([0, 0])
      const inbox = store.events.subscribe(100)
      Effect.runSync(life)
      inbox.close()
      const events = Effect.runSync(inbox.take(100)) ?? []
      expect(events.map(({ _tag }) => _tag)).toEqual(["Created", "Renewed", "TooLarge", "Tampered", "SignedOut"])
      expect([published, hashes]).toEqual([5, 5])
    } finally {
      Object.assign(Crypto, originals)
      syncBuiltinESMExports()
    }
  })
})
