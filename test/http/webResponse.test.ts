import { Headers as PlatformHeaders, HttpApp, HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Schema } from "effect"
import { KeyRing, RequestContext, RequestId, Session, SessionKey, SessionStore } from "effect-session"
import { describe, expect, it, vi } from "vitest"
import * as WebResponse from "../../src/internal/http/webResponse.js"
import { serve } from "../support/server.js"

const Value = SessionKey.make("value", Schema.String)

const response = (...cookies: ReadonlyArray<string>) => {
  const headers = new Headers()
  for (const cookie of cookies) headers.append("set-cookie", cookie)
  return HttpServerResponse.raw(new Response("raw", { headers }))
}

const scopes = ["theme=a; Path=/", "theme=b; Path=/admin", "theme=c; Domain=example.com; Path=/"]

describe("a response with further headers", () => {
  it("S1: keeps headers that the platform's loggers print without their secrets", () => {
    const original = HttpServerResponse.empty({ headers: { authorization: "Bearer of-the-handler" } })
    const sent = WebResponse.withHead(original, { "x-request-id": "one" })
    expect(sent.headers).toMatchObject({ authorization: "Bearer of-the-handler", "x-request-id": "one" })
    expect(original.headers["x-request-id"]).toBeUndefined()
    // What the platform's loggers recognise, and print without its secrets.
    expect(PlatformHeaders.isHeaders(sent.headers)).toBe(true)
  })

  const original = HttpServerResponse.empty()
  const prototype = Object.getPrototypeOf(original) as object

  /** How many copies of the response a request makes. */
  const copiesOf = async (
    app: HttpApp.Default<unknown, RequestContext.RequestContext>,
    store: Layer.Layer<SessionStore.SessionStore, unknown>
  ) => {
    const { dispose, handler } = HttpApp.toWebHandlerLayer(Session.middleware(app), store)
    const made = vi.spyOn(Object, "create")
    try {
      const sent = await handler(new Request("http://localhost/", { headers: { "x-request-id": "one" } }))
      expect(sent.headers.get("x-request-id")).toBe("one")
      return made.mock.calls.filter(([of]) => of === prototype).length
    } finally {
      made.mockRestore()
      await dispose()
    }
  }

  it("P4: is copied once for all that a request adds: the id alone, Vary beside it, the cookie beside both", async () => {
    const memory = SessionStore.layerMemory({ secure: false })
    const cookie = SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
    const read = Effect.as(RequestContext.get(Value), original)
    const insert = Effect.as(RequestContext.insert(Value, "v"), original)
    for (const store of [memory, cookie]) {
      expect(await copiesOf(Effect.succeed(original), store)).toBe(1)
      expect(await copiesOf(read, store)).toBe(1)
      expect(await copiesOf(insert, store)).toBe(1)
    }
  })
})

describe("a web Response that the handler returns as it is", () => {
  it("R3: a web Response keeps cookies of one name that differ in Path or Domain, without a session", async () => {
    const app = RequestId.middleware(Effect.succeed(response(...scopes)))
    const { dispose, handler } = HttpApp.toWebHandlerLayer(app, Layer.empty)
    const sent = await handler(new Request("http://localhost/"))
    expect(sent.headers.getSetCookie()).toEqual(scopes)
    expect(sent.headers.get("x-request-id")).toHaveLength(36)
    await dispose()
  })

  it("M3: a web Response keeps such cookies next to the session's cookie and one that the platform's response sets", async () => {
    const app = Effect.as(
      RequestContext.insert(Value, "v"),
      HttpServerResponse.unsafeSetCookie(response(...scopes), "theme", "d", { path: "/shop" })
    )
    const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
    const sent = (await request("/")).headers.getSetCookie()
    expect(sent).toEqual(expect.arrayContaining([...scopes, "theme=d; Path=/shop"]))
    expect(sent).toHaveLength(5)
  })

  it("M3: a cookie of the session's name is replaced in the session's own scope, and kept in another", async () => {
    const app = Effect.as(
      RequestContext.insert(Value, "v"),
      response("session=old; Path=/", "session=; Max-Age=0; Path=/old")
    )
    const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
    const sent = (await request("/")).headers.getSetCookie()
    expect(sent).toHaveLength(2)
    expect(sent).toContain("session=; Max-Age=0; Path=/old")
    expect(sent.some((cookie) => cookie.startsWith("session=old"))).toBe(false)
  })

  it("M9: no header lets a CDN store a response that sets the session's cookie", async () => {
    const cdn = {
      "cdn-cache-control": "public, max-age=600",
      "surrogate-control": "max-age=600",
      "cloudflare-cdn-cache-control": "max-age=600",
      "vercel-cdn-cache-control": "max-age=600",
      "netlify-cdn-cache-control": "max-age=600",
      "edge-control": "max-age=600",
      "x-accel-expires": "600"
    }
    const app = Effect.as(RequestContext.insert(Value, "v"), HttpServerResponse.text("ok", { headers: cdn }))
    const { request } = serve(app, SessionStore.layerMemory({ secure: false }))
    const sent = await request("/")
    expect(Object.keys(cdn).filter((name) => sent.headers.has(name))).toEqual([])
    expect(sent.headers.get("cache-control")).toBe("no-store")
    const read = serve(
      Effect.as(RequestContext.get(Value), HttpServerResponse.text("ok", { headers: cdn })),
      SessionStore.layerMemory({ secure: false })
    )
    const untouched = await read.request("/")
    expect(Object.keys(cdn).filter((name) => !untouched.headers.has(name))).toEqual([])
  })
})
