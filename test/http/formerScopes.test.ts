/**
 * These tests show what happens to users who are signed in when the app changes its cookie's Path or Domain. They use a browser's cookie jar.
 */
import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer, Option } from "effect"
import * as KeyRing from "effect-session/KeyRing"
import * as RequestContext from "effect-session/RequestContext"
import type { CookieScopeOptions, SessionConfigOptions } from "effect-session/SessionConfig"
import * as SessionStore from "effect-session/SessionStore"
import { CookieJar } from "tough-cookie"
import { serve } from "../support/server.js"
import { A } from "../support/sessionKeys.js"

const read = Effect.map(
  RequestContext.get(A),
  (user) => HttpServerResponse.text(Option.getOrElse(user, () => "nobody"))
)

const signIn = (user: string) =>
  Effect.zipRight(RequestContext.renew, Effect.as(RequestContext.insert(A, user), HttpServerResponse.text("ok")))

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/app/read", read),
  HttpRouter.get("/app/alice", signIn("alice")),
  HttpRouter.get("/app/bob", signIn("bob")),
  HttpRouter.get("/app/flush", Effect.as(RequestContext.flush, HttpServerResponse.text("ok")))
)

const origin = "https://shop.example.com"
const ring = Effect.runSync(KeyRing.generate)

/** One store whose options change with a deploy while its sessions stay. */
const stores = {
  cookie: () => (options: SessionConfigOptions) => SessionStore.layerCookie({ ...options, keys: ring }),
  memory: () => {
    const kept = Effect.runSync(Effect.scoped(Layer.build(SessionStore.layerMemory({ name: "shop" }))))
    return (options: SessionConfigOptions) =>
      Layer.effect(
        SessionStore.SessionStore,
        Effect.map(
          SessionStore.SessionStore,
          ({ config }) => ({ ...Context.get(kept, SessionStore.SessionStore), config })
        )
      ).pipe(Layer.provide(SessionStore.layerMemory(options)))
  }
}

const browser = () => {
  const jar = new CookieJar()
  const visit = async (app: ReturnType<typeof serve>, path: string) => {
    const url = `${origin}/app${path}`
    const response = await app.request(`/app${path}`, { cookie: await jar.getCookieString(url) })
    for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, url)
    return { body: await response.text(), setCookies: response.headers.getSetCookie() }
  }
  const held = async () =>
    (await jar.getCookies(`${origin}/app/read`)).map(({ domain, hostOnly, path }) =>
      `${hostOnly === true ? "host" : domain} ${path}`
    )
  return { held, visit }
}

const changes: ReadonlyArray<readonly [what: string, before: CookieScopeOptions, after: CookieScopeOptions]> = [
  ["a new domain", {}, { domain: "example.com" }],
  ["a domain that is dropped", { domain: "example.com" }, {}],
  ["a wider path", { path: "/app" }, { path: "/" }],
  ["a narrower path", {}, { path: "/app" }]
]

describe("a change of the cookie's scope", () => {
  for (const kind of ["cookie", "memory"] as const) {
    for (const [what, before, after] of changes) {
      it(`M3: after ${what}, users can sign in and out, and one cookie is left (${kind})`, async () => {
        const store = stores[kind]()
        const user = browser()
        const old = serve(routes, store({ name: "shop", ...before }))
        await user.visit(old, "/alice")
        expect((await user.visit(old, "/read")).body).toBe("alice")

        const deployed = serve(routes, store({ name: "shop", ...after, formerly: [before] }))
        expect((await user.visit(deployed, "/read")).body).toBe("alice")
        await user.visit(deployed, "/bob")
        expect((await user.visit(deployed, "/read")).body).toBe("bob")
        expect(await user.held()).toEqual([`${after.domain ?? "host"} ${after.path ?? "/"}`])
        await user.visit(deployed, "/flush")
        expect(await user.held()).toEqual([])
        expect((await user.visit(deployed, "/read")).body).toBe("nobody")

        // straight to signing out, with nothing but the former cookie
        const other = browser()
        await other.visit(old, "/alice")
        await other.visit(deployed, "/flush")
        expect(await other.held()).toEqual([])
        expect((await other.visit(deployed, "/read")).body).toBe("nobody")
      })
    }
  }

  it("M8: without `formerly`, the newest seal wins after a sign-in as somebody else", async () => {
    const user = browser()
    await user.visit(serve(routes, stores.cookie()({ name: "shop" })), "/alice")
    const deployed = serve(routes, stores.cookie()({ name: "shop", domain: "example.com" }))
    await user.visit(deployed, "/bob")
    expect(await user.held()).toHaveLength(2)
    expect((await user.visit(deployed, "/read")).body).toBe("bob")
  })

  it("M10: a former cookie is removed with the current attributes, and only together with a change of the session's own cookie", async () => {
    const options = { name: "shop", domain: "example.com", sameSite: "none", partitioned: true } as const
    const app = serve(
      routes,
      stores.memory()({ ...options, formerly: [{ path: "/app" }, { domain: "shop.example.com" }] })
    )
    const user = browser()
    expect((await user.visit(app, "/read")).setCookies).toEqual([])
    const { setCookies } = await user.visit(app, "/alice")
    expect(setCookies).toHaveLength(3)
    const attributes = (cookie: string) => cookie.split("; ").slice(1).sort()
    const rest = ["HttpOnly", "Partitioned", "SameSite=None", "Secure"]
    const removed = ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"]
    expect(attributes(setCookies[0])).toEqual([...rest, "Domain=example.com", "Path=/"].sort())
    expect(attributes(setCookies[1])).toEqual([...rest, ...removed, "Path=/app"].sort())
    expect(attributes(setCookies[2])).toEqual([...rest, ...removed, "Domain=shop.example.com", "Path=/"].sort())
    for (const cookie of setCookies.slice(1)) expect(cookie).toMatch(/^shop=;/)
  })
})
