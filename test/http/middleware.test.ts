import { HttpApp, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, Option, Schema, Stream } from "effect"
import {
  KeyRing,
  RequestContext,
  RequestId,
  SessionBackend,
  SessionError,
  SessionKey,
  SessionStore
} from "effect-session"
import * as Net from "node:net"
import { WebSocket } from "undici"
import { cookieOf, countingStore } from "../support/counting.js"
import { listen, serve } from "../support/server.js"
import { onMessage } from "../support/socket.js"

const Value = SessionKey.make("value", Schema.String)
const Other = SessionKey.make("other", Schema.String)
const Count = SessionKey.make("count", Schema.Int)

const text = (body: string, init?: Parameters<typeof HttpServerResponse.text>[1]) => HttpServerResponse.text(body, init)
const none = { find: 0, insert: 0, update: 0, remove: 0, removeExpired: 0 }
const keys = Effect.runSync(KeyRing.generate)
const cookieStore = (options: SessionStore.CookieOptions | object = {}) =>
  SessionStore.layerCookie({ secure: false, keys, ...options })

const read = Effect.map(RequestContext.get(Value), (value) => text(Option.getOrElse(value, () => "")))
const write = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const value = new URL(request.url, "http://localhost").searchParams.get("value") ?? "v"
  yield* RequestContext.insert(Value, value)
  return text("written")
})

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/untouched", text("untouched")),
  HttpRouter.get("/read", read),
  HttpRouter.post("/write", write),
  HttpRouter.post("/flush", Effect.as(RequestContext.flush, text("flushed"))),
  HttpRouter.post("/clear", Effect.as(RequestContext.clear, text("cleared"))),
  HttpRouter.post("/renew", Effect.as(RequestContext.renew, text("renewed")))
)

const both = { server: () => SessionStore.layerMemory({ secure: false }), client: () => cookieStore() }

// ── M1, M2, M3 ──

describe("what a request costs", () => {
  it("M1: a request that does not use the session costs no store call, no Set-Cookie and no Vary, whatever its cookie", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const { request } = serve(routes, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    taken()
    for (const value of ["", cookie, "session=garbage", "session="]) {
      const response = await request("/untouched", { cookie: value })
      expect(response.headers.getSetCookie()).toEqual([])
      expect(response.headers.get("vary")).toBeNull()
      expect(response.headers.get("cache-control")).toBeNull()
    }
    expect(taken()).toEqual(none)
  })

  it("M2: a session is loaded once however often it is read, and inserting an equal value is no change", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get(
        "/read",
        Effect.gen(function*() {
          yield* RequestContext.get(Other)
          const value = yield* RequestContext.get(Value)
          yield* RequestContext.insert(Value, Option.getOrThrow(value))
          return text("same")
        })
      )
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    expect(taken()).toEqual({ ...none, insert: 1 })
    const response = await request("/read", { cookie })
    expect(taken()).toEqual({ ...none, find: 1 })
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it("M2: on a server store an insert alone loads nothing", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const { request } = serve(routes, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    taken()
    await request("/write?value=b", { method: "POST", cookie })
    expect(taken()).toEqual({ ...none, update: 1 })
    expect(await (await request("/read", { cookie })).text()).toBe("b")
  })

  it("M3: a server store sends the cookie when the token is new or renewed, and not on every change", async () => {
    const { request } = serve(routes, SessionStore.layerMemory({ secure: false, expiry: "1 hour" }))
    const first = await request("/write", { method: "POST" })
    expect(first.headers.getSetCookie()).toHaveLength(1)
    const cookie = cookieOf(first)
    expect((await request("/write?value=2", { method: "POST", cookie })).headers.getSetCookie()).toEqual([])
    const renewed = await request("/renew", { method: "POST", cookie })
    expect(renewed.headers.getSetCookie()).toHaveLength(1)
    expect(cookieOf(renewed)).not.toBe(cookie)
    expect(await (await request("/read", { cookie: cookieOf(renewed) })).text()).toBe("2")
    expect(await (await request("/read", { cookie })).text()).toBe("")
  })

  it("M3: the cookie store sends the cookie on every change", async () => {
    const { request } = serve(routes, cookieStore())
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    const changed = await request("/write?value=2", { method: "POST", cookie })
    expect(changed.headers.getSetCookie()).toHaveLength(1)
    expect(cookieOf(changed)).not.toBe(cookie)
    const same = await request("/write?value=2", { method: "POST", cookie: cookieOf(changed) })
    expect(same.headers.getSetCookie()).toEqual([])
  })

  it("M3: a cookie of the session's name that the handler set is replaced with a warning, and others stay", async () => {
    const app = Effect.gen(function*() {
      yield* RequestContext.insert(Value, "v")
      return text("ok").pipe(
        HttpServerResponse.unsafeSetCookie("session", "mine"),
        HttpServerResponse.unsafeSetCookie("another", "stays")
      )
    })
    const { logs, request } = serve(app, both.server())
    const response = await request("/")
    const cookies = response.headers.getSetCookie()
    expect(cookies).toHaveLength(2)
    expect(cookies.filter((cookie) => cookie.startsWith("session="))).toHaveLength(1)
    expect(cookies.some((cookie) => cookie.startsWith("session=mine"))).toBe(false)
    expect(cookies).toContain("another=stays")
    expect(logs.filter(({ level }) => level === "WARN")).toHaveLength(1)
  })

  it("M3: the Set-Cookie headers of a web Response are sent together with the session's", async () => {
    const app = Effect.gen(function*() {
      yield* RequestContext.insert(Value, "v")
      const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"], ["vary", "Accept"]])
      return HttpServerResponse.raw(new Response("raw", { status: 201, headers }))
    })
    const { request } = serve(app, both.server())
    const response = await request("/")
    expect(response.status).toBe(201)
    expect(await response.text()).toBe("raw")
    expect(response.headers.get("vary")).toBe("Accept, Cookie")
    expect(response.headers.getSetCookie().map((cookie) => cookie.split("=")[0]).sort()).toEqual(["a", "b", "session"])
  })
})

// ── M4 ──

describe("which responses commit", () => {
  for (const [kind, layer] of Object.entries(both)) {
    it(`M4: changes are committed at every status below 500, and dropped at 500 and above (${kind})`, async () => {
      const app = HttpRouter.empty.pipe(
        HttpRouter.get("/read", read),
        HttpRouter.post(
          "/:status",
          Effect.gen(function*() {
            const { status } = yield* HttpRouter.schemaPathParams(Schema.Struct({ status: Schema.NumberFromString }))
            yield* RequestContext.insert(Value, `status ${status}`)
            return HttpServerResponse.empty({ status })
          })
        )
      )
      const { request } = serve(app, layer())
      for (const status of [200, 204, 301, 304, 400, 401, 404, 422, 500, 502, 503]) {
        const response = await request(`/${status}`, { method: "POST" })
        expect(response.status).toBe(status)
        const cookie = cookieOf(response)
        expect([status, cookie !== ""]).toEqual([status, status < 500])
        if (cookie !== "") expect(await (await request("/read", { cookie })).text()).toBe(`status ${status}`)
      }
    })
  }

  it("M4: changes are dropped when the handler times out", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const app = RequestContext.insert(Value, "v").pipe(
      Effect.zipRight(Effect.interruptible(Effect.never)),
      Effect.timeout(20)
    )
    const { request } = serve(app, layer)
    const response = await request("/")
    expect([response.status, response.headers.getSetCookie()]).toEqual([500, []])
    expect(taken()).toEqual(none)
  })

  it("M4: the option commitWhen decides which statuses commit", async () => {
    const app = Effect.as(RequestContext.insert(Value, "v"), HttpServerResponse.empty({ status: 404 }))
    const strict = serve(app, SessionStore.layerMemory({ secure: false, commitWhen: (status) => status < 400 }))
    expect((await strict.request("/")).headers.getSetCookie()).toEqual([])
    const lax = serve(app, SessionStore.layerMemory({ secure: false, commitWhen: () => true }))
    expect((await lax.request("/")).headers.getSetCookie()).toHaveLength(1)
  })

  it("M4: at a 500, what modify and commit have saved stays and the session's cookie is sent, and later changes are dropped", async () => {
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.get(
          "/read",
          Effect.gen(function*() {
            const all = yield* Effect.all([
              RequestContext.get(Value),
              RequestContext.get(Other),
              RequestContext.get(Count)
            ])
            return text(JSON.stringify(all.map((value: Option.Option<unknown>) => Option.getOrNull(value))))
          })
        ),
        HttpRouter.post(
          "/commit",
          Effect.gen(function*() {
            yield* RequestContext.insert(Value, "committed")
            yield* RequestContext.commit
            yield* RequestContext.insert(Other, "dropped")
            return HttpServerResponse.empty({ status: 500 })
          })
        ),
        HttpRouter.post(
          "/modify",
          Effect.gen(function*() {
            yield* RequestContext.modify(Count, () => [undefined, Option.some(7)])
            yield* RequestContext.insert(Other, "dropped")
            return HttpServerResponse.empty({ status: 500 })
          })
        )
      ),
      both.server()
    )
    const response = await request("/commit", { method: "POST" })
    expect(response.status).toBe(500)
    const cookie = cookieOf(response)
    expect(cookie).not.toBe("")
    await request("/modify", { method: "POST", cookie })
    expect(await (await request("/read", { cookie })).text()).toBe(JSON.stringify(["committed", null, 7]))
  })
})

// ── M5 ──

type Trouble = "fails" | "throws" | "dies" | "hangs" | "answers late" | "interrupts"

/** A memory backend whose named function fails in the given way once the test has armed it. */
const troubled = (operation: "find" | "insert" | "update" | "remove", trouble: Trouble) => {
  const counting = countingStore()
  let armed = false
  const act = <A>(
    effect: Effect.Effect<A, SessionError.SessionStoreError>
  ): Effect.Effect<A, SessionError.SessionStoreError> => {
    if (!armed) return effect
    switch (trouble) {
      case "fails":
        return Effect.fail(
          SessionError.SessionStoreError.of("find", "Unavailable", "secret-looking detail is not sent")
        )
      case "throws":
        throw new Error("a synchronous throw of the test")
      case "dies":
        return Effect.die(new Error("a defect of the test"))
      case "hangs":
        return Effect.uninterruptible(Effect.never)
      case "answers late":
        return Effect.zipRight(Effect.sleep(400), effect)
      case "interrupts":
        return Effect.interrupt
    }
  }
  const wrap = <F extends (...args: Array<never>) => Effect.Effect<unknown, SessionError.SessionStoreError>>(
    name: string,
    f: F
  ): F => ((...args: Parameters<F>) => name === operation ? act(Effect.suspend(() => f(...args))) : f(...args)) as F
  const { backend } = counting
  const layer = SessionStore.layerBackend({
    secure: false,
    storeTimeout: "100 millis",
    refreshAfter: 0,
    expiry: "1 hour"
  })
    .pipe(
      Layer.provide(Layer.succeed(SessionBackend.SessionBackend, {
        find: wrap("find", backend.find),
        insert: wrap("insert", backend.insert),
        update: wrap("update", backend.update),
        remove: wrap("remove", backend.remove),
        removeExpired: backend.removeExpired
      }))
    )
  return { layer, arm: () => armed = true, heal: () => armed = false }
}

describe("a store that fails or hangs", () => {
  const cases = [
    { at: "load", operation: "find", method: "GET", path: "/read" },
    { at: "commit", operation: "update", method: "POST", path: "/write?value=new" },
    { at: "a new session", operation: "insert", method: "POST", path: "/write?value=new", anonymous: true },
    { at: "flush", operation: "remove", method: "POST", path: "/flush" },
    { at: "renew, inserting", operation: "insert", method: "POST", path: "/renew" },
    { at: "renew, removing", operation: "remove", method: "POST", path: "/renew" }
  ] as const
  const during = {
    load: "at the load",
    commit: "at the commit",
    "a new session": "at the insert of a new session",
    flush: "at a flush",
    "renew, inserting": "at the insert of a renewal",
    "renew, removing": "at the removal of a renewal"
  }

  const cors = HttpServerResponse.setHeaders({
    "access-control-allow-origin": "https://app.example",
    "x-secret-header": "of the handler",
    vary: "Origin"
  })

  for (const { at, method, operation, path, ...rest } of cases) {
    for (const trouble of ["fails", "throws", "dies", "hangs", "answers late", "interrupts"] as const) {
      it(`M5: a store that ${trouble} ${during[at]} gives a 503 within the time-out, and the session stays as it was`, async () => {
        const { arm, heal, layer } = troubled(operation, trouble)
        const { logs, request } = serve(Effect.map(routes, cors), layer)
        const cookie = cookieOf(await request("/write?value=old", { method: "POST" }))
        arm()
        const started = performance.now()
        const response = await request(path, {
          method,
          cookie: "anonymous" in rest ? "" : cookie,
          headers: { "x-request-id": "the-id" }
        })
        expect(performance.now() - started).toBeLessThan(1_000)
        expect(response.status).toBe(503)
        expect(await response.text()).toBe("")
        expect(response.headers.get("x-request-id")).toBe("the-id")
        expect(response.headers.getSetCookie()).toEqual([])
        expect(response.headers.get("vary")).toContain("Cookie")
        if (at !== "load" && at !== "flush") {
          expect(response.headers.get("cache-control")).toBe("no-store")
          expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example")
          expect(response.headers.get("vary")).toBe("Origin, Cookie")
          expect(response.headers.get("x-secret-header")).toBeNull()
          const errors = logs.filter(({ level }) => level === "ERROR")
          expect(errors.map(({ text }) => text)).toEqual([expect.stringContaining("session store failed")])
          expect(errors[0].text).toContain("the-id")
        }
        heal()
        // a late call may have been carried out after all: the response is a failure, and the value is the old one or the new one
        const after = await (await request("/read", { cookie })).text()
        if (trouble !== "answers late" && at !== "renew, removing") expect(after).toBe("old")
      })
    }
  }

  it("M5: a failed load is a typed error that says what failed, and a handler that handles it decides the response", async () => {
    const { arm, layer } = troubled("find", "hangs")
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get(
        "/read",
        Effect.gen(function*() {
          const result = yield* Effect.either(RequestContext.get(Value))
          return text(Either.match(result, {
            onLeft: (error) => error._tag === "SessionStoreError" ? `${error.operation} ${error.reason}` : error._tag,
            onRight: () => "read"
          }))
        })
      )
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    arm()
    const response = await request("/read", { cookie })
    expect([response.status, await response.text()]).toEqual([200, "find Timeout"])
  })

  for (const trouble of ["fails", "dies", "hangs"] as const) {
    it(`M5: when only a refresh ${trouble}, the response goes out without Set-Cookie, with one line in the log`, async () => {
      const { arm, layer } = troubled("update", trouble)
      const { logs, request } = serve(routes, layer)
      const cookie = cookieOf(await request("/write?value=old", { method: "POST" }))
      await new Promise((resolve) => setTimeout(resolve, 5))
      arm()
      const response = await request("/read", { cookie })
      expect([response.status, await response.text(), response.headers.getSetCookie()]).toEqual([200, "old", []])
      expect(logs.filter(({ level }) => level === "WARN" || level === "ERROR").map(({ level }) => level)).toEqual([
        "ERROR"
      ])
    })
  }
})

// ── M6, M8, M10 ──

describe("cookies of a request", () => {
  const token = "A".repeat(42) + "A"

  for (const [kind, layer] of Object.entries(both)) {
    it(`M6: reading a value that cannot be a token gives an empty session and leaves the cookie alone (${kind})`, async () => {
      const { request } = serve(routes, layer())
      for (const value of ["garbage", "", "%", "%E0%A4%A", "\"\"", "a".repeat(9000), "ü".repeat(3)]) {
        const response = await request("/read", { cookie: `session=${encodeURI(value).slice(0, 9000)}` })
        expect([response.status, await response.text(), response.headers.getSetCookie()]).toEqual([200, "", []])
      }
    })

    it(`M6: a flush removes a value that cannot be a token (${kind})`, async () => {
      const { request } = serve(routes, layer())
      const response = await request("/flush", { method: "POST", cookie: "session=garbage" })
      expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(response.headers.getSetCookie()[0]).toContain("Max-Age=0")
    })
  }

  it("M6: a well-formed token that is unknown stays in the browser", async () => {
    const { request } = serve(routes, both.server())
    const response = await request("/read", { cookie: `session=${token}` })
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
  })

  it("M6: an instance that lacks the new key does not sign out a user whose cookie was sealed with it", async () => {
    const keys = await Effect.runPromise(Effect.all([KeyRing.generate, KeyRing.generate]))
    const old = serve(routes, SessionStore.layerCookie({ secure: false, keys: keys[0] }))
    const renewed = serve(
      routes,
      SessionStore.layerCookie({ secure: false, keys: KeyRing.withPrevious(keys[1], keys[0]) })
    )
    const cookie = cookieOf(await renewed.request("/write", { method: "POST" }))
    const onOld = await old.request("/read", { cookie })
    expect([onOld.status, await onOld.text(), onOld.headers.getSetCookie()]).toEqual([200, "", []])
    expect(await (await renewed.request("/read", { cookie })).text()).toBe("v")
  })

  it("M6: four tossed cookies in front of the user's own do not remove it from the browser", async () => {
    for (const layer of Object.values(both)) {
      const { request } = serve(routes, layer())
      const cookie = cookieOf(await request("/write", { method: "POST" }))
      const tossed = Array.from({ length: 4 }, (_, i) => `session=${"A".repeat(41)}${i}A`).join("; ")
      const response = await request("/read", { cookie: `${tossed}; ${cookie}` })
      expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
    }
  })

  it("M6: a value that opens nothing does not hide a live session next to it", async () => {
    for (const layer of Object.values(both)) {
      const { request } = serve(routes, layer())
      const cookie = cookieOf(await request("/write", { method: "POST" }))
      const response = await request("/read", { cookie: `session=garbage; ${cookie}` })
      expect([await response.text(), response.headers.getSetCookie()]).toEqual(["v", []])
    }
  })

  it("M7: a token that the store does not know is never adopted", async () => {
    const { request } = serve(routes, both.server())
    const response = await request("/write", { method: "POST", cookie: `session=${token}` })
    expect(cookieOf(response)).toMatch(/^session=[A-Za-z0-9_-]{43}$/)
    expect(cookieOf(response)).not.toBe(`session=${token}`)
    expect(await (await request("/read", { cookie: `session=${token}` })).text()).toBe("")
  })

  for (const [kind, layer] of Object.entries(both)) {
    it(`M8: the session is found among pairs in any order, whole Set-Cookie strings, quotes, percent-escapes and spaces (${kind})`, async () => {
      const { request } = serve(routes, layer())
      const posted = await request("/write", { method: "POST" })
      const whole = posted.headers.getSetCookie()[0]
      const cookie = cookieOf(posted)
      const value = cookie.slice("session=".length)
      for (
        const header of [
          `a=b; ${cookie}; c=d`,
          `${cookie}; session2=x`,
          `xsession=1; ${cookie}`,
          whole,
          `a=session=z; ${cookie}`,
          `session="${value}"`,
          `session=${encodeURIComponent(value)}`,
          ` session = ${value} `
        ]
      ) {
        expect([header.replace(value, "…"), await (await request("/read", { cookie: header })).text()]).toEqual([
          header.replace(value, "…"),
          "v"
        ])
      }
      for (
        const header of [
          `Session=${value}`,
          `session2=${value}`,
          `a=session=${value}`,
          `session; a=${value}`,
          // a comma is part of a value: whoever may set any cookie of a parent domain must not write one of ours into it
          `a=b, ${cookie}`,
          `a=b,${cookie}`
        ]
      ) {
        expect(await (await request("/read", { cookie: header })).text()).toBe("")
      }
    })

    it(`M8: at most 4 well-formed values are tried; the first that opens wins, or on the cookie store the newest (${kind})`, async () => {
      const { request } = serve(routes, layer())
      const mine = cookieOf(await request("/write?value=mine", { method: "POST" }))
      const other = cookieOf(await request("/write?value=other", { method: "POST" }))
      const tossed = (n: number) => {
        const value = mine.slice("session=".length)
        const flip = value[n] === "A" ? "B" : "A"
        return `session=${value.slice(0, n)}${flip}${value.slice(n + 1)}`
      }
      const garbage = Array.from({ length: 10 }, (_, i) => `session=garbage${i}`).join("; ")
      const readWith = async (...cookies: Array<string>) =>
        (await request("/read", { cookie: cookies.join("; ") })).text()
      const isSealed = kind === "client" // of living seals the newest wins
      expect(await readWith(mine, other)).toBe(isSealed ? "other" : "mine")
      expect(await readWith(tossed(0), mine, mine)).toBe("mine")
      expect(await readWith(tossed(0), tossed(1), tossed(2), mine)).toBe("mine")
      expect(await readWith(tossed(0), tossed(1), tossed(2), tossed(3), mine)).toBe("")
      expect(await readWith(garbage, mine)).toBe("mine")
      expect(await readWith(tossed(0), tossed(0), tossed(0), tossed(0), mine)).toBe("mine")
    })
  }

  it("M8: several Cookie headers on a socket are read, and malformed values cost no store call", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const { close, port } = await listen(routes, layer)
    const raw = (head: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = Net.connect(
          port,
          "127.0.0.1",
          () => socket.end(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`)
        )
        let answer = ""
        socket.on("data", (data) => answer += String(data)).on("end", () => resolve(answer)).on("error", reject)
      })
    const posted = await raw("POST /write HTTP/1.1\r\nContent-Length: 0")
    const cookie = /set-cookie: (session=[^;]+)/i.exec(posted)![1]
    taken()
    expect(await raw(`GET /read HTTP/1.1\r\nCookie: a=b\r\nCookie: ${cookie}\r\nCookie: c=d`)).toMatch(
      /\r\nv\r\n|\r\n\r\nv$/
    )
    expect(taken()).toEqual({ ...none, find: 1 })
    expect(await raw("GET /read HTTP/1.1\r\nCookie: session=garbage\r\nCookie: session=more")).not.toContain(
      "Set-Cookie"
    )
    expect(taken()).toEqual(none)
    await close()
  })

  it("M10: no query, path, body or other header carries a session", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const { request } = serve(routes, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    const value = cookie.slice("session=".length)
    taken()
    const response = await request(`/read?session=${value}&${cookie}`, {
      headers: {
        authorization: `Bearer ${value}`,
        session: value,
        "x-session": value,
        "set-cookie": cookie,
        cookie2: cookie,
        "x-forwarded-proto": "https"
      }
    })
    expect(await response.text()).toBe("")
    expect(taken()).toEqual(none)
  })

  for (const kind of ["server", "client"] as const) {
    it(`M10: the configured attributes are on the cookie and on its removal (${kind})`, async () => {
      const options = {
        name: "sid",
        secure: true,
        httpOnly: false,
        path: "/app",
        domain: "example.com",
        sameSite: "none",
        partitioned: true,
        expiry: "1 hour"
      } as const
      const { request } = serve(
        routes,
        kind === "server" ? SessionStore.layerMemory(options) : SessionStore.layerCookie({ ...options, keys })
      )
      const set = (await request("/write", { method: "POST", headers: { "x-forwarded-proto": "http" } })).headers
        .getSetCookie()[0]
      const attributes = (header: string) =>
        new Set(header.split("; ").slice(1).filter((part) => !/^(Max-Age|Expires)=/.test(part)))
      const expected = new Set(["Domain=example.com", "Path=/app", "Secure", "SameSite=None", "Partitioned"])
      expect(attributes(set)).toEqual(expected)
      expect(set).toContain("; Max-Age=3600")
      expect(set).not.toContain("Expires")
      const removed = (await request("/flush", { method: "POST", cookie: set.split(";")[0] })).headers.getSetCookie()[0]
      expect(attributes(removed)).toEqual(expected)
      expect(removed).toMatch(/^sid=; Max-Age=0;/)
    })
  }

  it("M8: text in another cookie's value is not read as a cookie, so that __Host- keeps its promise", async () => {
    const { request } = serve(routes, SessionStore.layerMemory())
    const attacker = cookieOf(await request("/write?value=attacker", { method: "POST" }))
    const victim = cookieOf(await request("/write?value=victim", { method: "POST" }))
    for (const header of [`theme=dark, ${attacker}; ${victim}`, `theme=dark,${attacker}; ${victim}`]) {
      expect(await (await request("/read", { cookie: header })).text()).toBe("victim")
    }
  })
})

// ── M9, M12, M13 ──

describe("the head of a response", () => {
  it("M9: a response that sets the cookie has Cache-Control: no-store, which replaces a value without no-store", async () => {
    const app = (value: string | undefined) =>
      Effect.as(
        RequestContext.insert(Value, "v"),
        text("ok", value === undefined ? {} : { headers: { "cache-control": value } })
      )
    for (
      const [given, sent] of [
        [undefined, "no-store"],
        ["public, max-age=3600", "no-store"],
        ["private, No-Store", "private, No-Store"],
        ["x-no-store-not", "no-store"]
      ] as const
    ) {
      const response = await serve(app(given), both.server()).request("/")
      expect(response.headers.get("cache-control")).toBe(sent)
    }
  })

  it("M9: a response for which the session was read has Cookie exactly once in Vary, or keeps *, on 304, 404 and 500 too", async () => {
    const app = (vary: string | undefined, status: number) =>
      Effect.as(
        RequestContext.get(Value),
        HttpServerResponse.empty({ status, ...(vary === undefined ? {} : { headers: { vary } }) })
      )
    for (
      const [given, sent] of [
        [undefined, "Cookie"],
        ["Accept-Encoding", "Accept-Encoding, Cookie"],
        ["accept, COOKIE", "accept, COOKIE"],
        ["*", "*"],
        ["X-Cookie", "X-Cookie, Cookie"]
      ] as const
    ) {
      for (const status of [200, 304, 404, 500]) {
        const response = await serve(app(given, status), both.server()).request("/")
        expect(response.headers.get("vary")).toBe(sent)
        expect(response.headers.get("cache-control")).toBeNull()
      }
    }
  })

  const byte = "[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]"
  const grammar = new RegExp(
    `^[!#$%&'*+.^_\`|~0-9A-Za-z-]+=(?:${byte}*)(?:; (?:`
      + "Expires=[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT|Max-Age=(?:0|[1-9][0-9]*)|Domain=[A-Za-z0-9.-]+"
      + "|Path=[\\x20-\\x3a\\x3c-\\x7e]+|Secure|HttpOnly|SameSite=(?:Lax|Strict|None)|Partitioned))*$"
  )

  it("M12: every Set-Cookie matches the grammar, has no attribute twice, and expires by Max-Age alone", async () => {
    for (
      const layer of [
        SessionStore.layerMemory({ expiry: "1 hour" }),
        SessionStore.layerMemory({ secure: false, path: "/a b", sameSite: "strict" }),
        SessionStore.layerCookie({ keys, expiry: "90 seconds", domain: "example.com" }),
        SessionStore.layerCookie({ keys, partitioned: true })
      ]
    ) {
      const { request } = serve(routes, layer)
      const set = (await request("/write", { method: "POST" })).headers.getSetCookie()
      const removed = (await request("/flush", { method: "POST", cookie: set[0].split(";")[0] })).headers.getSetCookie()
      for (const header of [...set, ...removed]) {
        expect(header).toMatch(grammar)
        const names = header.split("; ").slice(1).map((attribute) => attribute.split("=")[0])
        expect(new Set(names).size).toBe(names.length)
      }
      expect(set[0]).not.toContain("Expires")
      expect(removed[0]).toContain("Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    }
  })

  it("M13: when the middleware is applied twice, the inner one reuses the request's context", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const inner = Effect.zipRight(RequestContext.get(Value), write).pipe(RequestContext.middleware)
    const app = Effect.gen(function*() {
      yield* RequestContext.insert(Other, "outer")
      return yield* inner
    })
    const { request } = serve(app, layer)
    const response = await request("/?value=inner")
    expect(taken()).toEqual({ ...none, insert: 1 })
    expect(response.headers.getSetCookie()).toHaveLength(1)
    await request("/?value=second", { cookie: cookieOf(response) })
    expect(taken()).toEqual({ ...none, find: 1, update: 1 })
  })

  it("M13: an app and its fallback share the request's session, and each of them still works", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const first = HttpRouter.empty.pipe(
      HttpRouter.get("/first", write),
      HttpRouter.get("*", Effect.zipRight(RequestContext.insert(Other, "first"), Effect.fail("pass" as const))),
      RequestContext.middleware
    )
    const app = Effect.catchIf(first, (error) => error === "pass", () => write.pipe(RequestContext.middleware))
    const { request } = serve(app, layer)
    const response = await request("/second?value=fallback")
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken()).toEqual({ ...none, insert: 1 })
    await request("/first?value=again", { cookie: cookieOf(response) })
    expect(taken()).toEqual({ ...none, update: 1 })
  })

  it("M13: a middleware with another cookie has a session of its own inside the first one", async () => {
    const visitors = countingStore({ cleanupInterval: Infinity, name: "visitor" })
    const admins = countingStore({ cleanupInterval: Infinity, name: "admin" })
    const { request } = await Effect.runPromise(Effect.gen(function*() {
      const admin = yield* SessionStore.SessionStore.pipe(Effect.provide(admins.layer))
      const inner = write.pipe(RequestContext.middleware, Effect.provideService(SessionStore.SessionStore, admin))
      const app = Effect.gen(function*() {
        yield* RequestContext.insert(Other, "outer")
        const { status } = yield* inner
        return Option.isSome(yield* RequestContext.get(Value)) ? text("mixed") : text(`apart ${status}`)
      })
      return serve(app, visitors.layer)
    }))
    const response = await request("/?value=inner")
    expect(await response.text()).toBe("apart 200")
    expect(response.headers.getSetCookie().map((line) => line.split("=")[0]).sort()).toEqual(["admin", "visitor"])
    expect([visitors.taken().insert, admins.taken().insert]).toEqual([1, 1])
  })

  it("M13: the layer gives a handler its session without the middleware", async () => {
    const handle = Effect.zipRight(RequestContext.get(Value), write)
    const { handler } = HttpApp.toWebHandlerLayer(
      Effect.provide(handle, RequestContext.layer.pipe(Layer.provideMerge(RequestId.layer))),
      both.server()
    )
    const response = await handler(new Request("http://localhost/?value=layered"))
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(response.headers.get("x-request-id")).toHaveLength(36)
  })
})

// ── C7 ──

/** A backend whose find waits for a gate. */
const gated = () => {
  const counting = countingStore({ cleanupInterval: Infinity })
  const gate = { current: undefined as undefined | (() => Effect.Effect<void, SessionError.SessionStoreError>) }
  const layer = SessionStore.layerBackend({ secure: false }).pipe(
    Layer.provide(Layer.succeed(SessionBackend.SessionBackend, {
      ...counting.backend,
      find: (id, now) => {
        counting.counts.find += 1
        return Effect.suspend(() => Effect.zipRight(gate.current?.() ?? Effect.void, counting.backend.find(id, now)))
      }
    }))
  )
  return { ...counting, gate, layer }
}

describe("fibers of one request", () => {
  it("C7: all fibers of a request share one load", async () => {
    const { gate, layer, taken } = gated()
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get(
        "/all",
        Effect.gen(function*() {
          const values = yield* Effect.all(Array.from({ length: 50 }, () => RequestContext.get(Value)), {
            concurrency: "unbounded"
          })
          return text(values.map(Option.getOrNull).join())
        })
      )
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    gate.current = () => Effect.sleep(20)
    expect(await (await request("/all", { cookie })).text()).toBe(Array(50).fill("v").join())
    expect(taken().find).toBe(1)
  })

  it("C7: when the fiber that loads is interrupted, the other fibers neither hang nor fail", async () => {
    const { gate, layer, taken } = gated()
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get(
        "/interrupt",
        Effect.gen(function*() {
          const first = yield* Effect.fork(Effect.interruptible(RequestContext.get(Value)))
          yield* Effect.sleep(5)
          const others = yield* Effect.fork(
            Effect.all([RequestContext.get(Value), RequestContext.get(Value)], { concurrency: "unbounded" })
          )
          yield* Effect.sleep(5)
          yield* Fiber.interrupt(first)
          return text((yield* Fiber.join(others)).map(Option.getOrNull).join())
        })
      )
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    gate.current = () => Effect.sleep(40)
    expect(await (await request("/interrupt", { cookie })).text()).toBe("v,v")
    expect(taken().find).toBe(1)
  })

  it("C7: after a failed load the next operation loads again", async () => {
    const { gate, layer, taken } = gated()
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get(
        "/again",
        Effect.gen(function*() {
          const first = yield* Effect.either(RequestContext.get(Value))
          gate.current = undefined
          const second = yield* RequestContext.get(Value)
          return text(`${first._tag} ${Option.getOrNull(second)}`)
        })
      )
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    gate.current = () => Effect.fail(SessionError.SessionStoreError.of("find", "Unavailable"))
    expect(await (await request("/again", { cookie })).text()).toBe("Left v")
    expect(taken().find).toBe(2)
  })

  it("C7: the commit waits for operations in progress", async () => {
    const { gate, layer } = gated()
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get(
        "/read",
        Effect.map(RequestContext.get(Other), (value) => text(Option.getOrElse(value, () => "")))
      ),
      HttpRouter.post(
        "/detached",
        Effect.gen(function*() {
          yield* Effect.forkDaemon(
            Effect.flatMap(
              RequestContext.get(Value),
              (value) => RequestContext.insert(Other, `after ${Option.getOrNull(value)}`)
            )
          )
          yield* Effect.yieldNow()
          return text("answered")
        })
      )
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    gate.current = () => Effect.sleep(30)
    await request("/detached", { method: "POST", cookie })
    gate.current = undefined
    // the read was under way and was waited for; the insert that follows it came after the head, and was saved at once
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await (await request("/read", { cookie })).text()).toBe("after v")
  })

  it("C7: parallel inserts, removes and a clear in one request have the same result as if they had run one after another", async () => {
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post(
          "/many",
          Effect.gen(function*() {
            yield* Effect.forEach(
              Array.from({ length: 100 }, (_, i) => i),
              (i) => RequestContext.insert(SessionKey.make(`k${i}`, Schema.Int), i),
              { concurrency: "unbounded" }
            )
            return text(String((yield* RequestContext.keys).length))
          })
        ),
        HttpRouter.get("/keys", Effect.map(RequestContext.keys, (names) => text(String(names.length))))
      ),
      both.server()
    )
    const response = await request("/many", { method: "POST" })
    expect(await response.text()).toBe("100")
    expect(await (await request("/keys", { cookie: cookieOf(response) })).text()).toBe("100")
  })
})

// ── C11 ──

describe("after the head", () => {
  const streaming = (body: Effect.Effect<string, unknown, RequestContext.RequestContext>) =>
    Effect.gen(function*() {
      const context = yield* Effect.context<RequestContext.RequestContext>()
      return HttpServerResponse.stream(
        Stream.fromEffect(Effect.provide(body, context)).pipe(
          Stream.encodeText,
          Stream.catchAll((error) => Stream.make(new TextEncoder().encode(String(error))))
        )
      )
    })

  const outcome = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.match(effect, { onSuccess: () => "done", onFailure: (error) => error._tag })

  const app = HttpRouter.empty.pipe(
    HttpRouter.get("/read", read),
    HttpRouter.post("/write", write),
    HttpRouter.get("/stream-read", streaming(Effect.map(RequestContext.get(Value), Option.getOrElse(() => "nothing")))),
    HttpRouter.get("/stream-insert", streaming(outcome(RequestContext.insert(Value, "streamed")))),
    HttpRouter.get(
      "/stream-modify",
      streaming(outcome(RequestContext.modify(Value, () => [1, Option.some("modified")])))
    ),
    HttpRouter.get("/stream-clear", streaming(outcome(RequestContext.clear))),
    HttpRouter.get("/stream-renew", streaming(outcome(RequestContext.renew))),
    HttpRouter.get("/stream-expiry", streaming(outcome(RequestContext.setExpiry("1 hour")))),
    HttpRouter.get("/stream-flush", streaming(outcome(RequestContext.flush))),
    HttpRouter.get(
      "/commit-then-stream",
      Effect.gen(function*() {
        yield* RequestContext.insert(Value, "before")
        yield* RequestContext.commit
        return yield* streaming(outcome(RequestContext.insert(Other, "after")))
      })
    )
  )
  const body = async (response: Promise<Response>) => (await response).text()

  it("C11: after the head, on a server store with a known id, reads work and each change is saved at once", async () => {
    const { request } = serve(app, both.server())
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    expect(await body(request("/stream-read", { cookie }))).toBe("v")
    expect(await body(request("/stream-insert", { cookie }))).toBe("done")
    expect(await body(request("/read", { cookie }))).toBe("streamed")
    expect(await body(request("/stream-modify", { cookie }))).toBe("done")
    expect(await body(request("/read", { cookie }))).toBe("modified")
    expect(await body(request("/stream-clear", { cookie }))).toBe("done")
    expect(await body(request("/read", { cookie }))).toBe("")
  })

  it("C11: after the head a change that would need a cookie fails with a typed error", async () => {
    const { request } = serve(app, both.server())
    for (const path of ["/stream-insert", "/stream-modify"]) {
      expect(await body(request(path))).toBe("SessionClosed")
    }
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    for (const path of ["/stream-renew", "/stream-expiry"]) {
      expect(await body(request(path, { cookie }))).toBe("SessionClosed")
    }
    expect(await body(request("/read", { cookie }))).toBe("v")
    const client = serve(app, cookieStore())
    const sealed = cookieOf(await client.request("/write", { method: "POST" }))
    expect(await body(client.request("/stream-read", { cookie: sealed }))).toBe("v")
    for (const path of ["/stream-insert", "/stream-modify", "/stream-clear", "/stream-renew", "/stream-flush"]) {
      expect([path, await body(client.request(path, { cookie: sealed }))]).toEqual([path, "SessionClosed"])
    }
  })

  it("C11: a flush in the stream ends the session of a server store", async () => {
    const { request } = serve(app, both.server())
    const cookie = cookieOf(await request("/write", { method: "POST" }))
    expect(await body(request("/stream-flush", { cookie }))).toBe("done")
    expect(await body(request("/read", { cookie }))).toBe("")
  })

  it("C11: after a commit before the stream, changes in the stream are saved", async () => {
    const { request } = serve(app, both.server())
    const response = await request("/commit-then-stream")
    expect(await response.text()).toBe("done")
    const names = await request("/read", { cookie: cookieOf(response) })
    expect(await names.text()).toBe("before")
  })

  it("C11: on an open WebSocket a change is saved at once, and fails typed if it would need a cookie", async () => {
    const socketApp = HttpRouter.empty.pipe(
      HttpRouter.post("/write", write),
      HttpRouter.get("/read", read),
      HttpRouter.get(
        "/socket",
        Effect.gen(function*() {
          const request = yield* HttpServerRequest.HttpServerRequest
          const socket = yield* request.upgrade
          yield* onMessage(socket, (send) => Effect.flatMap(outcome(RequestContext.insert(Value, "by socket")), send))
          return HttpServerResponse.empty()
        }).pipe(Effect.scoped)
      )
    )
    const { close, port } = await listen(socketApp, both.server())
    const origin = `127.0.0.1:${port}`
    const cookie = cookieOf(await fetch(`http://${origin}/write`, { method: "POST" }))
    const ask = (headers: Record<string, string>) =>
      new Promise<string>((resolve, reject) => {
        // undici's WebSocket takes headers, the global one of Node 20 is behind a flag
        const socket = new WebSocket(`ws://${origin}/socket`, { headers })
        socket.addEventListener("open", () => socket.send("go"))
        socket.addEventListener("message", ({ data }) => {
          resolve(String(data))
          socket.close()
        })
        socket.addEventListener("error", reject)
      })
    expect(await ask({ cookie })).toBe("done")
    expect(await (await fetch(`http://${origin}/read`, { headers: { cookie } })).text()).toBe("by socket")
    expect(await ask({})).toBe("SessionClosed")
    await close()
  })
})

// ── F5 ──

describe("disabled sessions", () => {
  it("F5: with sessions disabled requests pass through, and operations fail with a typed error that says so", async () => {
    const app = HttpRouter.empty.pipe(
      HttpRouter.get("/untouched", text("passes")),
      HttpRouter.get("/unhandled", read),
      HttpRouter.get(
        "/all",
        Effect.gen(function*() {
          const results = yield* Effect.all([
            Effect.flip(RequestContext.get(Value)),
            Effect.flip(RequestContext.insert(Value, "v")),
            Effect.flip(RequestContext.remove(Value)),
            Effect.flip(RequestContext.modify(Value, () => [1, Option.none()])),
            Effect.flip(RequestContext.clear),
            Effect.flip(RequestContext.flush),
            Effect.flip(RequestContext.renew),
            Effect.flip(RequestContext.commit),
            Effect.flip(RequestContext.setExpiry("1 hour"))
          ])
          return text(results.map((error) => `${error._tag}: ${error.message}`).join("\n"))
        })
      )
    )
    for (
      const layer of [SessionStore.layerMemory({ enable: false }), SessionStore.layerCookie({ enable: false, keys })]
    ) {
      const { request } = serve(app, layer)
      expect(await (await request("/untouched")).text()).toBe("passes")
      const lines = (await (await request("/all")).text()).split("\n")
      expect(lines).toHaveLength(9)
      for (const line of lines) expect(line).toMatch(/^SessionDisabled: sessions are disabled/)
      expect((await request("/unhandled")).status).toBe(500)
    }
  })
})
