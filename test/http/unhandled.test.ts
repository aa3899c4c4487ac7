import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { Effect, Schema, Stream } from "effect"
import { RequestContext, SessionKey, SessionStore } from "effect-session"
import { describe, expect, it } from "vitest"
import { serve } from "../support/server.js"

const Text = SessionKey.make("text", Schema.String)
const Number = SessionKey.make("text", Schema.Number)

const done = HttpServerResponse.text("ok")

const unhandled = {
  SessionTooLarge: {
    app: HttpRouter.empty.pipe(
      HttpRouter.post("/", Effect.as(RequestContext.insert(Text, "secret".repeat(500)), done))
    ),
    says: "session is too large"
  },
  SessionSchemaError: {
    app: HttpRouter.empty.pipe(HttpRouter.post(
      "/",
      Effect.as(Effect.zipRight(RequestContext.insert(Text, "secret"), RequestContext.get(Number)), done)
    )),
    says: "does not decode"
  },
  SessionDisabled: {
    app: HttpRouter.empty.pipe(HttpRouter.post("/", Effect.as(RequestContext.get(Text), done))),
    says: "disabled"
  }
}

describe("an error of the session that no handler handles, on a server without a logger", () => {
  for (const [name, { app, says }] of Object.entries(unhandled)) {
    it(`M5: an unhandled ${name} becomes a 500 and one log line, which has the request's id and not the value`, async () => {
      const enable = name !== "SessionDisabled"
      const { logs, request } = serve(app, SessionStore.layerMemory({ secure: false, maxSessionBytes: 1000, enable }))
      const response = await request("/", { method: "POST", headers: { "x-request-id": "the-id" } })
      expect([response.status, await response.text()]).toEqual([500, ""])
      const errors = logs.filter(({ level }) => level === "ERROR")
      expect(errors).toHaveLength(1)
      expect(errors[0].text).toContain(says)
      expect(errors[0].text).toContain("the-id")
      expect(errors[0].text).not.toContain("secret")
    })
  }

  it("M5: SessionClosed in a stream fails the body, and in a handler it is a 500 and one log line", async () => {
    const app = HttpRouter.empty.pipe(
      HttpRouter.get(
        "/",
        Effect.gen(function*() {
          const context = yield* Effect.context<RequestContext.RequestContext>()
          const changes = Stream.fromEffect(Effect.as(Effect.flip(RequestContext.insert(Text, "late")), "closed")).pipe(
            Stream.encodeText,
            Stream.orDie,
            Stream.provideContext(context)
          )
          return HttpServerResponse.stream(changes)
        })
      )
    )
    const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
    expect(await (await request("/")).text()).toBe("closed")
  })
})
