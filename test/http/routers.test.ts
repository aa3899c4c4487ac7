import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Schema } from "effect"
import { RequestContext, RequestId, SessionKey, Sessions, SessionStore } from "effect-session"
import { describe, expect, it } from "vitest"

const User = SessionKey.make("user", Schema.String)

const insert = (path: "/shop" | "/admin") =>
  HttpLayerRouter.add(
    "POST",
    path,
    Effect.as(Effect.orDie(RequestContext.insert(User, path)), HttpServerResponse.text("ok"))
  )

const Devices = HttpLayerRouter.add(
  "GET",
  "/devices",
  Effect.map(Effect.orDie(Sessions.list("ada")), (sessions) => HttpServerResponse.text(String(sessions.length)))
)

const session = RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer

describe("groups of routes of one HttpLayerRouter", () => {
  const groups = {
    "each with a middleware of its own": () => RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer,
    "with the same middleware": () => session
  }
  for (const [name, middleware] of Object.entries(groups)) {
    it(`M11: each group of routes uses its own store, with its cookie's name, path and SameSite (${name})`, async () => {
      const Shop = Layer.provide(insert("/shop"), middleware()).pipe(
        Layer.provide(SessionStore.layerMemory({ secure: false, name: "shop", sameSite: "strict", path: "/shop" }))
      )
      const Admin = Layer.provide(insert("/admin"), middleware()).pipe(
        Layer.provide(SessionStore.layerMemory({ secure: false, name: "admin", path: "/admin" }))
      )
      const { dispose, handler } = HttpLayerRouter.toWebHandler(Layer.merge(Shop, Admin), { disableLogger: true })
      const cookieOf = async (path: string) =>
        (await handler(new Request(`http://localhost${path}`, { method: "POST" }))).headers.getSetCookie()
      expect(await cookieOf("/shop")).toEqual([expect.stringMatching(/^shop=.*Path=\/shop.*SameSite=Strict/)])
      expect(await cookieOf("/admin")).toEqual([expect.stringMatching(/^admin=.*Path=\/admin.*SameSite=Lax/)])
      await dispose()
    })
  }
})

describe("Sessions in a route of an HttpLayerRouter", () => {
  const store = SessionStore.layerMemory({ secure: false })
  const apps = {
    "the global middleware": Devices.pipe(
      Layer.provide(RequestContext.layerRouter),
      Layer.provide(RequestId.layerRouter)
    ),
    "the middleware of single routes": Layer.provide(Devices, session)
  }
  for (const [name, app] of Object.entries(apps)) {
    it(`M11: a route that lists the sessions of a subject runs in a web handler (${name})`, async () => {
      const { dispose, handler } = HttpLayerRouter.toWebHandler(Layer.provide(app, store), { disableLogger: true })
      // servers that call the handler with arguments of their own compile without the service
      const fetch: (request: Request, server: never) => Promise<Response> = handler
      const response = await fetch(new Request("http://localhost/devices"), undefined as never)
      expect([response.status, await response.text()]).toEqual([200, "0"])
      await dispose()
    })
  }

  it("M11: a store that is provided with provideMerge satisfies the types of the web handler too", async () => {
    const { dispose, handler } = HttpLayerRouter.toWebHandler(
      Layer.provideMerge(apps["the global middleware"], store),
      { disableLogger: true }
    )
    const response = await handler(new Request("http://localhost/devices"))
    expect([response.status, await response.text()]).toEqual([200, "0"])
    await dispose()
  })
})
