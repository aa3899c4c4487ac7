import { HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Schema, Scope, Stream } from "effect"
import type { Sessions } from "effect-session"
import { KeyRing, RequestContext, SessionEvents, SessionStore } from "effect-session"
import { collectLogs } from "../support/collectLogs.js"
import { hosts } from "../support/hosts.js"
import { listen, serve } from "../support/server.js"
import { A } from "../support/sessionKeys.js"
import { settle } from "../support/stage.js"

type Event = SessionEvents.SessionEvent

/** A memory store with a handler of its events. */
const withHandler = (
  handler: (event: Event) => Effect.Effect<unknown, unknown>,
  options: SessionEvents.Options = {},
  store: Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown> = SessionStore.layerMemory({
    secure: false
  })
) => Layer.provideMerge(SessionEvents.layerHandler(handler, options), store)

const collecting = (events: Array<Event>) => (event: Event) => Effect.sync(() => events.push(event))

const until = async (condition: () => boolean) => {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}

const write = Effect.as(RequestContext.insert(A, "a"), HttpServerResponse.empty())

describe("a handler of events", () => {
  for (const [name, host] of Object.entries(hosts)) {
    it(`N4: in ${name} an event has the id of its request`, async () => {
      const events: Array<Event> = []
      const { dispose, handler } = host(write, withHandler(collecting(events)))
      const headers = { "x-request-id": "the-request" }
      const response = await handler(new Request("http://localhost/write", { method: "POST", headers }))
      expect(response.status).toBe(204)
      await until(() => events.length > 0)
      expect(events).toMatchObject([{ _tag: "Created", requestId: "the-request", cookie: "session" }])
      await dispose()
    })
  }

  it(
    "N6: a request waits neither for a slow handler nor for one that never ends, on the socket of a server",
    async () => {
      let begun = 0
      const slow = withHandler(() => Effect.suspend(() => (begun++, Effect.never)), { capacity: 8 })
      const { close, port } = await listen(write, slow)
      const statuses = await Promise.all(
        Array.from({ length: 50 }, () => fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status))
      )
      expect(new Set(statuses)).toEqual(new Set([204]))
      await until(() => begun > 0)
      expect(begun).toBe(1)
      // Its own end is late by the five seconds that the handler gets.
      const from = performance.now()
      await close()
      expect(performance.now() - from).toBeLessThan(9000)
    },
    20_000
  )

  it("N6: a handler that fails, dies or throws fails no request, gets every event, and is logged once a minute", async () => {
    const seen: Array<Event> = []
    const troubles = [
      () => Effect.fail("no"),
      () => Effect.die(new Error("no")),
      () => {
        throw new Error("no")
      }
    ]
    for (const trouble of troubles) {
      seen.length = 0
      const store = withHandler((event) => {
        seen.push(event)
        return trouble()
      })
      const lines: Array<string> = []
      const { dispose, request } = serve(write, Layer.provide(store, collectLogs(lines)))
      for (let i = 0; i < 5; i++) expect((await request("/")).status).toBe(204)
      await until(() => seen.length === 5)
      const errors = lines.filter((line) => line.startsWith("ERROR"))
      expect(errors).toHaveLength(1)
      expect(errors[0]).toContain("the handler of session events failed for Created")
      await dispose()
    }
  })

  it.live("N6: at the end of its scope a handler still gets the events that wait, and then the scope ends", () =>
    Effect.gen(function*() {
      const handled: Array<Event> = []
      const scope = yield* Scope.make()
      const gate = yield* Deferred.make<void>()
      const layer = withHandler((event) =>
        Effect.zipRight(Deferred.await(gate), Effect.sync(() => handled.push(event)))
      )
      const context = yield* Layer.buildWithScope(layer, scope)
      const { events } = yield* Effect.provide(SessionStore.SessionStore, context)
      for (let i = 0; i < 20; i++) events.publish({ _tag: "Created", at: i, session: `s${i}` })
      yield* settle
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* settle
      events.publish({ _tag: "Created", at: 20, session: "too late" })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      expect(handled.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    }))

  it("N6: a capacity that is not a whole number above 0 is a RangeError where the handler is made", () => {
    for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => SessionEvents.layerHandler(() => Effect.void, { capacity })).toThrow(RangeError)
      expect(() => SessionEvents.streamWith({ capacity })).toThrow(RangeError)
    }
  })

  it.live("N6: the stream has the events from its start on, and nobody listens after its end", () =>
    Effect.gen(function*() {
      const { events } = yield* SessionStore.SessionStore
      events.publish({ _tag: "Created", at: 0, session: "too early" })
      const running = yield* Effect.fork(Stream.runCollect(Stream.take(SessionEvents.stream, 3)))
      yield* settle
      expect(events.isHeard).toBe(true)
      for (let at = 1; at < 5; at++) events.publish({ _tag: "Created", at, session: "s" })
      expect([...(yield* Fiber.join(running))].map(({ at }) => at)).toEqual([1, 2, 3])
      expect(events.isHeard).toBe(false)
    }).pipe(Effect.provide(SessionStore.layerMemory({ secure: false }))))

  it("N4: every event survives its schema, as JSON", async () => {
    const events: Array<Event> = []
    const keys = Effect.runSync(KeyRing.generate)
    const app = Effect.zipRight(Effect.ignore(RequestContext.insert(A, "x".repeat(10_000))), write)
    const store = Layer.provideMerge(
      SessionEvents.layerHandler(collecting(events)),
      SessionStore.layerCookie({ secure: false, keys })
    )
    const { dispose, request } = serve(app, store)
    await request("/", { cookie: "session=wrong" })
    await until(() => events.length === 3)
    expect(events.map(({ _tag }) => _tag)).toEqual(["Tampered", "TooLarge", "Created"])
    const json = Schema.parseJson(SessionEvents.SessionEvent)
    for (const event of events) {
      const text = Schema.encodeSync(json)(event)
      expect(Schema.decodeUnknownSync(json)(text)).toEqual(JSON.parse(text))
    }
    await dispose()
  })
})
