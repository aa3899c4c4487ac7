import { HttpApp, HttpRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { KeyRing, RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"

const Alan = SessionKey.make("alan", Schema.String)

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/session", RequestContext.insert(Alan, "turing").pipe(Effect.as(HttpServerResponse.text("turing")))),
  HttpRouter.get(
    "/session",
    Effect.gen(function*() {
      const value = yield* RequestContext.get(Alan)
      return HttpServerResponse.text(Option.getOrElse(value, () => ""))
    })
  ),
  RequestContext.middleware,
  RequestId.middleware
)

const stores = {
  memory: SessionStore.layerMemory({ secure: false }),
  cookie: SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
}

describe("the seed's own test", () => {
  for (const [name, layer] of Object.entries(stores)) {
    it(`M8: a second request reads the value, with the cookie alone or the whole Set-Cookie string (${name} store)`, async () => {
      const { dispose, handler } = HttpApp.toWebHandlerLayer(app, layer)
      const posted = await handler(new Request("http://localhost/session", { method: "POST" }))
      expect(posted.status).toBe(200)
      expect(await posted.text()).toBe("turing")
      const cookies = posted.headers.getSetCookie()
      expect(cookies).toHaveLength(1)
      for (const cookie of [cookies[0], cookies[0].split(";")[0]]) {
        const got = await handler(new Request("http://localhost/session", { headers: { cookie } }))
        expect(got.status).toBe(200)
        expect(await got.text()).toBe("turing")
        expect(got.headers.getSetCookie()).toEqual([])
        expect(got.headers.get("x-request-id")).toHaveLength(36)
        expect(got.headers.get("vary")).toBe("Cookie")
      }
      await dispose()
    })
  }
})
