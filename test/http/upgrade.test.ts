import { HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Option, Schema } from "effect"
import { KeyRing, RequestContext, SessionKey, SessionStore } from "effect-session"
import * as Net from "node:net"
import { WebSocket } from "undici"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { cookieOf } from "../support/counting.js"
import { listen, serve } from "../support/server.js"
import { onMessage } from "../support/socket.js"

const Value = SessionKey.make("value", Schema.String)
const Early = SessionKey.make("early", Schema.String)

const read = Effect.gen(function*() {
  const values = [yield* RequestContext.get(Value), yield* RequestContext.get(Early)]
  return HttpServerResponse.text(values.map(Option.getOrElse(() => "-")).join(","))
})

const write = Effect.as(RequestContext.insert(Value, "written"), HttpServerResponse.text("ok"))

/** Takes the socket over, and answers one message with how `inside` went. */
const socket = (inside: Effect.Effect<unknown, unknown, RequestContext.RequestContext>) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const socket = yield* request.upgrade
    yield* onMessage(socket, (send) => Effect.flatMap(Effect.either(inside), ({ _tag }) => send(_tag)))
    return HttpServerResponse.empty()
  }).pipe(Effect.scoped)

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/read", read),
  HttpRouter.get("/write", write),
  HttpRouter.get("/broken", Effect.zipRight(write, Effect.die("broken"))),
  HttpRouter.get(
    "/socket",
    Effect.zipRight(RequestContext.insert(Early, "early"), socket(RequestContext.insert(Value, "late")))
  ),
  HttpRouter.get("/waiting", Effect.zipRight(RequestContext.insert(Early, "opened"), socket(Effect.void))),
  HttpRouter.mount(
    "/mounted",
    HttpRouter.empty.pipe(HttpRouter.get("/socket", socket(RequestContext.insert(Value, "mounted"))))
  )
)

const handshake = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
]

const stores = {
  memory: SessionStore.layerMemory({ secure: false }),
  cookie: SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
}

for (const [name, store] of Object.entries(stores)) {
  describe(`the headers of a WebSocket's handshake (${name})`, () => {
    let server: Awaited<ReturnType<typeof listen>>
    beforeAll(async () => {
      server = await listen(app, store)
    })
    afterAll(() => server.close())

    const get = (path: string, cookie = "", headers: ReadonlyArray<string> = handshake): Promise<string> =>
      new Promise((resolve, reject) => {
        const lines = [
          `GET ${path} HTTP/1.1`,
          "Host: localhost",
          ...headers,
          ...(cookie === "" ? [] : [`Cookie: ${cookie}`])
        ]
        let text = ""
        const connection = Net.connect(
          server.port,
          "127.0.0.1",
          () => connection.write(`${lines.join("\r\n")}\r\n\r\n`)
        )
        connection.on("data", (chunk) => {
          text += String(chunk)
          if (text.includes("\r\n\r\n")) connection.end()
        })
        connection.on("close", () => resolve(text))
        connection.on("error", reject)
      })
    const cookieIn = (response: string) => /set-cookie: ([^;]+)/i.exec(response)?.[1] ?? ""
    const contents = async (cookie: string) =>
      (await fetch(`http://127.0.0.1:${server.port}/read`, { headers: { cookie } })).text()

    it("C11: a request with the headers of a handshake that the handler answers is an ordinary request, and its changes are saved", async () => {
      const response = await get("/write")
      expect(response).toMatch(/^HTTP\/1.1 200 /)
      expect(cookieIn(response)).not.toBe("")
      expect(await contents(cookieIn(response))).toBe("written,-")
    })

    it("M4: a handler that fails saves none of its changes, although its request has the headers of a handshake", async () => {
      const begun = cookieOf(await fetch(`http://127.0.0.1:${server.port}/write`))
      const response = await get("/broken", begun)
      expect(response).toMatch(/^HTTP\/1.1 500 /)
      expect(await contents(begun)).toBe("written,-")
    })
  })
}

describe("headers of a handshake on an ordinary request", () => {
  it("M4: a request's changes are dropped at a 500, whatever headers of a handshake it has", async () => {
    const buy = Effect.zipRight(RequestContext.insert(Value, "paid"), Effect.die("the payment failed"))
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/begin", Effect.as(RequestContext.insert(Early, "begun"), HttpServerResponse.text("ok"))),
        HttpRouter.all("/buy", buy),
        HttpRouter.get("/read", read)
      ),
      stores.memory
    )
    const cookie = cookieOf(await request("/begin", { method: "POST" }))
    for (
      const [method, headers] of [
        ["POST", { upgrade: "x" }],
        ["POST", { upgrade: "websocket", connection: "upgrade" }],
        ["GET", { upgrade: "websocket" }],
        ["GET", { upgrade: "websocket", connection: "keep-alive, not-upgrade" }],
        ["GET", { upgrade: "h2c", connection: "Upgrade" }],
        ["GET", { upgrade: "websocket", connection: "Upgrade" }]
      ] as const
    ) {
      expect((await request("/buy", { method, cookie, headers })).status).toBe(500)
      expect([method, headers, await (await request("/read", { cookie })).text()]).toEqual([method, headers, "-,begun"])
    }
  })
})

describe("a WebSocket", () => {
  const open = (port: number, path: string, cookie: string, first = async () => {}): Promise<string> =>
    new Promise((resolve, reject) => {
      // undici's WebSocket takes headers, the global one of Node 20 is behind a flag
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { cookie } })
      socket.addEventListener("open", () => void first().then(() => socket.send("go"), reject))
      socket.addEventListener("message", ({ data }) => {
        resolve(String(data))
        socket.close()
      })
      socket.addEventListener("error", reject)
    })

  it("C11: on a server store, what changed before it opened is saved when it opens, and later changes at once", async () => {
    const { close, port } = await listen(app, stores.memory)
    const origin = `http://127.0.0.1:${port}`
    const cookie = cookieOf(await fetch(`${origin}/write`))
    expect(await open(port, "/socket", cookie)).toBe("Right")
    expect(await (await fetch(`${origin}/read`, { headers: { cookie } })).text()).toBe("late,early")
    expect(await open(port, "/mounted/socket", cookie)).toBe("Right")
    expect(await (await fetch(`${origin}/read`, { headers: { cookie } })).text()).toBe("mounted,early")
    const whileOpen = async () => {
      expect(await (await fetch(`${origin}/read`, { headers: { cookie } })).text()).toBe("mounted,opened")
    }
    expect(await open(port, "/waiting", cookie, whileOpen)).toBe("Right")
    await close()
  })

  it("C11: once a WebSocket is open, a change that would need a cookie fails typed", async () => {
    for (const store of Object.values(stores)) {
      const { close, port } = await listen(app, store)
      expect(await open(port, "/mounted/socket", "")).toBe("Left")
      expect(await open(port, "/socket", "")).toBe("Left")
      await close()
    }
  })
})
