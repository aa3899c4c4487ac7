/**
 * Handlers that are only for users who have signed in, in every host.
 */
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Schema } from "effect"
import { KeyRing, RequestContext, SessionStore, Subject } from "effect-session"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { cookieOf } from "../support/counting.js"
import { hosts, type Web } from "../support/hosts.js"

const User = Subject.make(Schema.NumberFromString.pipe(Schema.int(), Schema.brand("UserId")))

const handle = Effect.gen(function*() {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  const { pathname, searchParams } = new URL(url, "http://localhost")
  switch (pathname) {
    case "/sign-in":
      yield* RequestContext.bind(searchParams.get("user") ?? "")
      return HttpServerResponse.empty()
    case "/me":
      return HttpServerResponse.text((yield* RequestContext.requireSignedIn).subject)
    case "/typed":
      return HttpServerResponse.text(`${(yield* User.requireSignedIn).subject + 1}`)
    default:
      return yield* RequestContext.requireSignedIn.pipe(
        Effect.map(({ subject }) => HttpServerResponse.text(subject)),
        Effect.catchTag("NotSignedIn", () => Effect.succeed(HttpServerResponse.redirect("/sign-in")))
      )
  }
})

const stores = {
  server: SessionStore.layerMemory({ secure: false }),
  // without `Sessions`: whoever signs in there has taken the types away
  cookie: SessionStore.layerCookie({
    secure: false,
    keys: Effect.runSync(KeyRing.generate)
  }) as ReturnType<typeof SessionStore.layerMemory>
}

for (const [name, start] of Object.entries(hosts)) {
  describe(`${name}, signed in or not`, () => {
    const web = {} as Record<keyof typeof stores, Web>
    beforeAll(() => {
      web.server = start(handle, stores.server)
      web.cookie = start(handle, stores.cookie)
    })
    afterAll(() => Promise.all([web.server.dispose(), web.cookie.dispose()]))

    const ask = (path: string, cookie = "", store: keyof typeof stores = "server") =>
      web[store].handler(new Request(`http://localhost${path}`, { headers: { cookie } }))

    for (const store of ["server", "cookie"] as const) {
      it(`U1: requireSignedIn answers an anonymous request with a 401, and starts no session (${store} store)`, async () => {
        const response = await ask("/me", "", store)
        expect(response.status).toBe(401)
        expect(response.headers.getSetCookie()).toEqual([])
        expect(response.headers.get("vary")).toBe("Cookie")
      })
    }

    it("U1: requireSignedIn returns who has signed in", async () => {
      const cookie = cookieOf(await ask("/sign-in?user=ada"))
      const response = await ask("/me", cookie)
      expect([response.status, await response.text()]).toEqual([200, "ada"])
    })

    it("U1: a handler that handles NotSignedIn decides on the response itself", async () => {
      const response = await ask("/page")
      expect([response.status, response.headers.get("location")]).toEqual([302, "/sign-in"])
      expect((await ask("/page", cookieOf(await ask("/sign-in?user=ada")))).status).toBe(200)
    })

    it("U4: a typed subject is what its schema decodes, and one that does not fit is a 500", async () => {
      const response = await ask("/typed", cookieOf(await ask("/sign-in?user=7")))
      expect([response.status, await response.text()]).toEqual([200, "8"])
      expect((await ask("/typed")).status).toBe(401)
      expect((await ask("/typed", cookieOf(await ask("/sign-in?user=ada")))).status).toBe(500)
    })
  })
}
