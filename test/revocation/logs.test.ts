/** What of a session is written down when the store of revocations fails. */
import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { KeyRing, RequestContext, Revocation, SessionKey, Sessions, SessionStore } from "effect-session"
import * as memory from "../../src/internal/memory/revocation.js"
import { cookieOf } from "../support/counting.js"
import { serve } from "../support/server.js"

const Plan = SessionKey.make("plan", Schema.String)
const keys = Effect.runSync(KeyRing.generate)

const ok = HttpServerResponse.empty()

const app = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/sign-in",
    Effect.as(Effect.zipRight(RequestContext.insert(Plan, "secret-plan"), RequestContext.bind("secret-subject")), ok)
  ),
  HttpRouter.get(
    "/id",
    Effect.map(RequestContext.sessionId, (id) => HttpServerResponse.text(id._tag === "Some" ? id.value : ""))
  ),
  HttpRouter.get("/read", Effect.as(RequestContext.get(Plan), ok)),
  HttpRouter.post("/write", Effect.as(RequestContext.insert(Plan, "secret-plan"), ok)),
  HttpRouter.post("/renew", Effect.as(RequestContext.renew, ok)),
  HttpRouter.post("/sign-out", Effect.as(RequestContext.flush, ok)),
  HttpRouter.post("/revoke", Effect.as(Sessions.revokeAll("secret-subject"), ok))
)

describe("a store of revocations that fails", () => {
  it("V7: each failed request is a 503 and one error in the log, which shows no subject, id, value or cookie", async () => {
    const works = memory.make(100)
    let asked: ReadonlyArray<string> = []
    let isDown = false
    const failing = <A>(names: ReadonlyArray<string>, effect: A): A | Effect.Effect<never> => {
      asked = [...asked, ...names]
      return isDown ? Effect.die(new Error(`driver: ${names.join()}`)) : effect
    }
    const revocation = {
      check: (names, now) => failing(names, works.check(names, now)),
      deny: (name, denial, now) => failing([name], works.deny(name, denial, now)),
      denyOlder: (name, denial, now) => failing([name], works.denyOlder(name, denial, now)),
      removeExpired: works.removeExpired
    } satisfies Revocation.RevocationService
    const { dispose, logs, request } = serve(
      app,
      SessionStore.layerCookieRevocable({ keys, secure: false }).pipe(
        Layer.provide(Layer.succeed(Revocation.Revocation, revocation))
      )
    )
    const cookie = cookieOf(await request("/sign-in", { method: "POST" }))
    const id = await (await request("/id", { cookie })).text()
    expect(id).toHaveLength(22)
    isDown = true
    const requests = [["GET", "/read"], ["POST", "/write"], ["POST", "/renew"], ["POST", "/sign-out"], [
      "POST",
      "/revoke"
    ]]
    for (const [method, path] of requests) {
      logs.length = 0
      const response = await request(path, { method, cookie })
      expect([path, response.status, response.headers.getSetCookie()]).toEqual([path, 503, []])
      const errors = logs.filter(({ level }) => level === "ERROR")
      expect([path, errors.length]).toEqual([path, 1])
      expect(errors[0].text).toMatch(/session store failed \((check|deny): Unavailable\)/)
      const all = [...logs.map(({ text }) => text), await response.text(), JSON.stringify([...response.headers])].join()
      for (const secret of ["secret-subject", "secret-plan", id, cookie.slice(8), ...asked]) {
        expect(all).not.toContain(secret)
      }
    }
    expect(asked.length).toBeGreaterThan(5)
    isDown = false
    expect((await request("/read", { cookie })).status).toBe(204)
    await dispose()
  })
})
