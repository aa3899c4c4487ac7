/**
 * The example app over every store that it can be started with, and against clients that mean no good. What a person sees of it
 * is in browser.test.ts.
 */
import { HttpLayerRouter } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SessionBackend, SessionError, SessionStore } from "effect-session"
import { CookieJar } from "tough-cookie"
import { AppLive } from "../examples/web/app.js"
import { deviceName } from "../examples/web/deviceName.js"
import { ownPath } from "../examples/web/form.js"
import { html } from "../examples/web/html.js"
import { withoutValue } from "../examples/web/lastResponse.js"
import { SignInLive } from "../examples/web/signIn.js"
import { StoreName } from "../examples/web/stores.js"
import { checkPassword } from "../examples/web/users.js"
import { describeWith, mysql, postgres, redis } from "./services.js"
import { type Example, start } from "./support/example.js"

const patience = 180_000

/** A browser without scripts: it keeps cookies, follows redirects, and says where a request comes from. */
const browser = (origin: string, send: (request: Request) => Promise<Response> = fetch) => {
  const jar = new CookieJar()
  const request = async (method: string, path: string, form?: Record<string, string>): Promise<{
    readonly status: number
    readonly path: string
    readonly text: string
  }> => {
    const response = await send(
      new Request(origin + path, {
        method,
        redirect: "manual",
        headers: { cookie: await jar.getCookieString(origin + path), "sec-fetch-site": "same-origin" },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) })
      })
    )
    for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, origin + path)
    if (response.status === 303 || response.status === 302) {
      await response.text()
      return request("GET", response.headers.get("location")!)
    }
    return { status: response.status, path, text: await response.text() }
  }
  return {
    jar,
    get: (path: string) => request("GET", path),
    post: (path: string, form = {}) => request("POST", path, form)
  }
}

const ada = { email: "ada@example.com", password: "first programmer" }

const visit = (store: string) => {
  it(
    `S1: STORE=${store} npm start: a cart, a sign-in, two devices, and one that is signed out from the other`,
    async () => {
      const server: Example = await start({ STORE: store })
      try {
        const here = browser(server.origin)
        const there = browser(server.origin)
        await Promise.all([1, 2, 3].map(() => here.post("/cart", { tea: "sencha" })))
        await here.post("/cart", { tea: "sencha", back: "/cart" })
        const { path, text } = await here.post("/sign-in", { ...ada, to: "/cart" })
        expect(path).toBe("/cart")
        expect(text).toContain("Hello, Ada")
        // The first three began a session each, of which the jar kept one: the fourth counted on.
        expect(text).toContain("<span class=\"quantity\">2</span>")
        await Promise.all([1, 2, 3].map(() => here.post("/cart", { tea: "sencha" })))
        expect((await here.get("/cart")).text).toContain("<span class=\"quantity\">5</span>")

        await there.post("/sign-in", ada)
        const { text: ended } = await here.post("/devices/end-others")
        expect(ended).toMatch(/(One other device is|\d+ other devices are) signed out/)
        expect((await there.get("/devices")).path).toBe("/sign-in?to=%2Fdevices")
        expect((await here.get("/devices")).text).toContain("this device")
        const { text: out } = await here.post("/devices/end-all")
        expect(out).toContain("You have signed out everywhere.")
        expect((await here.get("/devices")).path).toBe("/sign-in?to=%2Fdevices")
      } finally {
        await server.stop()
      }
    },
    patience
  )
}

describe("the app over the stores", () => {
  visit("memory")
  visit("sqlite")
  visit("files")
})
describeWith(redis, "the app over Redis", () => visit("redis"))
describeWith(postgres, "the app over PostgreSQL", () => visit("postgres"))
describeWith(mysql, "the app over MySQL", () => visit("mysql"))

/** The app without a socket. */
const handlerOf = (store: Layer.Layer<SessionStore.SessionStore, unknown>) =>
  HttpLayerRouter.toWebHandler(
    Layer.provideMerge(AppLive, Layer.mergeAll(Layer.provideMerge(SignInLive, store), Layer.succeed(StoreName, "any"))),
    {
      disableLogger: true
    }
  )

const inMemory = () => {
  const { dispose, handler } = handlerOf(SessionStore.layerMemory({ secure: false }))
  return { dispose, handler, ...browser("http://shop.test", (request) => handler(request)) }
}

describe("a hostile client", () => {
  it("S1: nobody signs in by writing a value of the app through the routes for curl", async () => {
    const { dispose, handler } = inMemory()
    for (const name of ["app.user", "app.cart", "app.theme", "effect-session/Csrf", "effect-session/Flash/notice"]) {
      const path = `http://shop.test/session/values/${encodeURIComponent(name)}`
      for (const method of ["PUT", "GET"]) {
        const body = method === "PUT" ? { body: "user-1" } : {}
        const response = await handler(new Request(path, { method, ...body }))
        expect([name, method, response.status, response.headers.getSetCookie()]).toEqual([name, method, 403, []])
      }
    }
    await dispose()
  })

  it("X1: only a request without a browser's headers may change a session through the routes for curl", async () => {
    const { dispose, handler } = inMemory()
    const post = async (headers: Record<string, string>, path = "/session") =>
      (await handler(new Request(`http://shop.test${path}`, { method: "POST", headers }))).status
    expect(await post({})).toBe(200)
    expect(await post({ "sec-fetch-site": "cross-site" })).toBe(403)
    expect(await post({ origin: "https://evil.example" })).toBe(403)
    expect(await post({ origin: "http://shop.test" })).toBe(200)
    expect(await post({}, "/sign-out")).toBe(403)
    expect(await post({}, "/sessions/../sign-out")).toBe(403)
    await dispose()
  })

  it("a form leads to a page of this app and to no other site", () => {
    for (const path of ["/cart", "/?a=b", "/sign-in?to=%2Fcart"]) expect(ownPath(path)).toBe(path)
    for (
      const path of [
        ...["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "cart"],
        ...["/\t/evil.example", "/\n/evil.example", "\\\\evil.example", "/\\/evil.example", "//", "///evil.example"]
      ]
    ) {
      const result = ownPath(path)
      expect([path, new URL(result, "http://shop.test").origin, result.startsWith("//")]).toEqual([
        path,
        "http://shop.test",
        false
      ])
      expect([path, result]).toEqual([path, "/"])
    }
  })

  it("a form that is too large, cut off or empty gets an answer below 500", async () => {
    const { dispose, handler, post } = inMemory()
    const large = await post("/sign-in", { email: "x".repeat(20_000) })
    expect([large.status, large.text.includes("could not be read")]).toEqual([413, true])
    const stream = new Request("http://shop.test/cart", {
      method: "POST",
      headers: { "sec-fetch-site": "same-origin" },
      body: new Blob(["tea=".padEnd(30_000, "x")]).stream(),
      duplex: "half"
    } as RequestInit)
    expect((await handler(stream)).status).toBe(413)
    for (const path of ["/sign-in", "/cart", "/order", "/preferences", "/devices/end", "/sign-out"]) {
      expect([path, (await post(path)).status]).toEqual([path, 200])
    }
    await dispose()
  })

  it("a forged description of the last response is shown as text, or not at all", async () => {
    const { dispose, handler } = inMemory()
    const show = async (value: string) => {
      const headers = { cookie: `demo_last_response=${encodeURIComponent(value)}` }
      const response = await handler(new Request("http://shop.test/", { headers }))
      return { status: response.status, text: await response.text() }
    }
    const forged = await show(
      JSON.stringify({ request: "<script>alert(1)</script>", status: 1, setCookies: ["<img>"] })
    )
    expect(forged.status).toBe(200)
    expect(forged.text).toContain("&lt;script&gt;")
    expect(forged.text).not.toMatch(/<script|<img/)
    for (const value of ["", "{}", "[]", "{\"request\":1}", "\u0000", "x".repeat(5_000)]) {
      expect((await show(value)).text).toContain("Nothing yet.")
    }
    await dispose()
  })

  it("S1: no page shows the token of its session", async () => {
    const { dispose, get, jar, post } = inMemory()
    await post("/cart", { tea: "sencha" })
    await post("/sign-in", ada)
    const token = (await jar.getCookies("http://shop.test")).find(({ key }) => key === "session")?.value
    expect(token).toHaveLength(43)
    for (const path of ["/", "/cart", "/devices", "/preferences", "/sign-in"]) {
      const { status, text } = await get(path)
      expect([path, status, text.includes(token!)]).toEqual([path, 200, false])
    }
    expect(withoutValue(`session=${token}; Path=/; HttpOnly`)).toBe("session=(43 characters); Path=/; HttpOnly")
    await dispose()
  })

  it("R3: a page that uses no session, such as the style sheet, sets no cookie and looks nothing up", async () => {
    const { dispose, handler } = handlerOf(broken)
    for (const path of ["/style.css", "/icon.svg", "/other-site/frame", "/nowhere"]) {
      const response = await handler(new Request(`http://shop.test${path}`, { headers: { cookie } }))
      expect([path, response.status < 500, response.headers.getSetCookie()]).toEqual([path, true, []])
    }
    await dispose()
  })
})

const cookie = `session=${"A".repeat(43)}`
const away = Effect.fail(SessionError.SessionStoreError.of("find", "Unavailable", new Error("away")))

/** A store whose database is away. */
const broken = Layer.provide(
  SessionStore.layerBackend({ secure: false }),
  Layer.succeed(SessionBackend.SessionBackend, {
    find: () => away,
    insert: () => away,
    update: () => away,
    remove: () => away,
    removeExpired: () => away
  })
)

describe("a store that fails", () => {
  it("M5: a visitor with a session gets a page with the status 503, and one without gets the shop", async () => {
    const { dispose, handler } = handlerOf(broken)
    const response = await handler(new Request("http://shop.test/cart", { headers: { cookie } }))
    expect(response.status).toBe(503)
    expect(await response.text()).toContain("Sessions cannot be reached")
    const routes = await handler(new Request("http://shop.test/session", { headers: { cookie } }))
    expect([routes.status, await routes.text()]).toEqual([503, ""])
    expect((await handler(new Request("http://shop.test/"))).status).toBe(200)
    await dispose()
  })
})

describe("the parts of the app", () => {
  it("a template escapes every value, and not what another template has made", () => {
    const evil = "\"><script>alert('1')</script>&"
    const { text } = html`<p title="${evil}">${evil}${html`<b>${1}</b>`}${[
      html`<i></i>`,
      evil
    ]}${false}${undefined}</p>`
    const escaped = "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"
    expect(text).toBe(`<p title="${escaped}">${escaped}<b>1</b><i></i>${escaped}</p>`)
  })

  it(
    "a password is right for its own user only, and an unknown address takes as long as a wrong password",
    async () => {
      const check = async (email: string, password: string) => {
        const begin = performance.now()
        const user = await Effect.runPromise(checkPassword(email, password))
        return { name: Option.map(user, ({ name }) => name), millis: performance.now() - begin }
      }
      expect((await check("Ada@example.com ", "first programmer")).name).toEqual(Option.some("Ada"))
      expect((await check("alan@example.com", "first programmer")).name).toEqual(Option.none())
      expect((await check("nobody@example.com", "first programmer")).name).toEqual(Option.none()) // the first user's password
      const known = await check("ada@example.com", "wrong")
      const unknown = await check("nobody@example.com", "wrong")
      expect(unknown.millis).toBeGreaterThan(known.millis / 10) // without a hash it would be a thousandth
    },
    60_000
  )

  it("a device has a name that says its browser and system", () => {
    expect(deviceName("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36")).toBe(
      "Chrome on Linux"
    )
    expect(deviceName("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0.0.0 Safari/537.36 Edg/156.0")).toBe("Edge on Windows")
    expect(deviceName("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1")).toBe(
      "Safari on iPhone"
    )
    expect(deviceName("curl/8.1")).toBe("curl")
    expect(deviceName("")).toBe("An unknown browser")
  })
})
