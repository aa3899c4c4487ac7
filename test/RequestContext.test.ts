import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { RequestContext, SessionStore } from "effect-session"
import { inspect } from "node:util"
import { cookieOf } from "./support/counting.js"
import { serve } from "./support/server.js"
import { A } from "./support/sessionKeys.js"

describe("RequestContext", () => {
  it("S1: a dump of the RequestContext service shows no token and no value", async () => {
    let dump = ""
    const { logs, request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/", Effect.as(RequestContext.insert(A, "the-value"), HttpServerResponse.text("ok"))),
        HttpRouter.get(
          "/",
          Effect.gen(function*() {
            yield* RequestContext.get(A)
            const service = yield* RequestContext.RequestContext
            dump = inspect(service, { depth: 9 }) + JSON.stringify(service) + String(service)
            yield* Effect.logInfo("context", service)
            return HttpServerResponse.text("ok")
          })
        )
      ),
      SessionStore.layerMemory({ secure: false })
    )
    const cookie = cookieOf(await request("/", { method: "POST" }))
    await request("/", { cookie })
    const token = cookie.split("=")[1]
    expect(dump).toContain("RequestContext")
    expect([dump, JSON.stringify(logs)].map((all) => [all.includes(token), all.includes("the-value")]))
      .toEqual([[false, false], [false, false]])
  })
})
