/**
 * Keys with a default, the small operations and structs, in every host.
 */
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Option, Schema } from "effect"
import { RequestContext, SessionKey, SessionStore } from "effect-session"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { cookieOf } from "../support/counting.js"
import { hosts, type Web } from "../support/hosts.js"

const Visits = SessionKey.make("visits", Schema.Int).withDefault(() => 0)
const Name = SessionKey.make("name", Schema.String)
const Both = SessionKey.struct({ name: Name, visits: Visits })

const handle = Effect.gen(function*() {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  switch (url.slice(url.lastIndexOf("/"))) {
    case "/update":
      return HttpServerResponse.text(`${yield* RequestContext.update(Visits, (n) => n + 1)}`)
    case "/patch":
      yield* RequestContext.patch(Both, { name: Option.some("ada"), visits: 10 })
      return HttpServerResponse.empty()
    case "/has":
      return HttpServerResponse.text(`${yield* RequestContext.has(Name)} ${yield* RequestContext.get(Visits)}`)
    default: {
      const { name, visits } = yield* RequestContext.getStruct(Both)
      return HttpServerResponse.text(`${Option.getOrElse(name, () => "nobody")} ${visits}`)
    }
  }
})

for (const [name, start] of Object.entries(hosts)) {
  describe(name, () => {
    let web: Web
    beforeAll(() => {
      web = start(handle, SessionStore.layerMemory({ secure: false }))
    })
    afterAll(() => web.dispose())
    const ask = (path: string, cookie = "") =>
      web.handler(new Request(`http://localhost${path}`, { headers: { cookie } }))
    const read = async (path: string, cookie = "") => (await ask(path, cookie)).text()

    it("C13: a key with a default reads as its value, or as the default", async () => {
      expect(await read("/has")).toBe("false 0")
      expect(await read("/has", cookieOf(await ask("/patch")))).toBe("true 10")
    })

    it("C14: update counts from the default, and has says what is stored", async () => {
      const cookie = cookieOf(await ask("/update"))
      expect(await read("/update", cookie)).toBe("2")
      expect(await read("/has", cookie)).toBe("false 2")
    })

    it("C15: several keys are patched and read as one object", async () => {
      expect(await read("/struct")).toBe("nobody 0")
      expect(await read("/struct", cookieOf(await ask("/patch")))).toBe("ada 10")
    })
  })
}
