import { HttpLayerRouter, HttpMiddleware, HttpRouter, HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Schema } from "effect"
import { RequestContext, RequestId, SessionBackend, SessionError, SessionKey, SessionStore } from "effect-session"
import { describe, expect, it } from "vitest"
import { serve } from "../support/server.js"

// The platform's CORS sets `Vary` anew where a second origin may ask. A cache that does not know that a page depends on the
// cookie gives one user's page to another.

const Value = SessionKey.make("value", Schema.String)
const cors = HttpMiddleware.cors({ allowedOrigins: ["https://app.test", "https://other.test"] })
const headers = { origin: "https://app.test" }

const insert = Effect.as(RequestContext.insert(Value, "v"), HttpServerResponse.text("ok"))

const failing = SessionStore.layerBackend({ secure: false }).pipe(Layer.provide(
  Layer.succeed(SessionBackend.SessionBackend, {
    find: () => Effect.fail(SessionError.SessionStoreError.of("find", "Unavailable")),
    insert: () => Effect.fail(SessionError.SessionStoreError.of("insert", "Unavailable")),
    update: () => Effect.fail(SessionError.SessionStoreError.of("update", "Unavailable")),
    remove: () => Effect.fail(SessionError.SessionStoreError.of("remove", "Unavailable")),
    removeExpired: () => Effect.succeed(0)
  })
))

const expectBoth = (response: Response, status: number) => {
  expect(response.status).toBe(status)
  expect(response.headers.get("access-control-allow-origin")).toBe("https://app.test")
  const vary = response.headers.get("vary")?.split(", ")
  expect(vary).toContain("Cookie")
  expect(vary).toContain("Origin")
}

describe("CORS of the platform", () => {
  const orders = {
    "first in the pipe, inside of the session": HttpRouter.empty.pipe(HttpRouter.post("/", insert), cors),
    "around a single route": HttpRouter.empty.pipe(HttpRouter.post("/", cors(insert)))
  }
  for (const [order, app] of Object.entries(orders)) {
    it(`M9: the platform's CORS keeps Cookie in Vary (${order})`, async () => {
      const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
      const response = await request("/", { method: "POST", headers })
      expectBoth(response, 200)
      expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(response.headers.get("cache-control")).toBe("no-store")
    })

    it(`M9: the platform's CORS keeps Cookie in Vary on the 503 of a failed store, and the failure is logged once (${order})`, async () => {
      const { logs, request } = serve(app, failing)
      expectBoth(await request("/", { method: "POST", headers }), 503)
      expect(logs.filter(({ level }) => level === "ERROR")).toHaveLength(1)
    })
  }

  it("M9: the platform's CORS keeps Cookie in Vary on a 500 of the handler", async () => {
    const app = HttpRouter.empty.pipe(HttpRouter.post("/", Effect.zipRight(insert, Effect.die("broken"))), cors)
    const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
    expectBoth(await request("/", { method: "POST", headers }), 500)
  })

  const route = HttpLayerRouter.add("POST", "/", Effect.orDie(insert))
  const corsLayer = HttpLayerRouter.cors({ allowedOrigins: ["https://app.test", "https://other.test"] })
  const routers = {
    "merged beside the routes": Layer.merge(route, corsLayer).pipe(Layer.provide(RequestContext.layerRouter)),
    "provided before the session": route.pipe(Layer.provide(corsLayer), Layer.provide(RequestContext.layerRouter)),
    "provided after the session": route.pipe(Layer.provide(RequestContext.layerRouter), Layer.provide(corsLayer))
  }
  for (const [order, app] of Object.entries(routers)) {
    it(`M9: the platform's CORS keeps Cookie in Vary in an HttpLayerRouter (${order})`, async () => {
      const { dispose, handler } = HttpLayerRouter.toWebHandler(
        app.pipe(Layer.provide(RequestId.layerRouter), Layer.provide(SessionStore.layerMemory({ secure: false }))),
        { disableLogger: true }
      )
      expectBoth(await handler(new Request("http://localhost/", { method: "POST", headers })), 200)
      await dispose()
    })
  }
})
