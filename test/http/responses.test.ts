import { HttpApp, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Stream } from "effect"
import { RequestContext, RequestId, SessionStore } from "effect-session"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { listen, type Log, serve } from "../support/server.js"
import { A } from "../support/sessionKeys.js"

describe("responses", () => {
  const memory = () => SessionStore.layerMemory({ secure: false })
  const touch = (session: boolean) => session ? RequestContext.insert(A, "v") : Effect.void

  /** Sends the same request to a web handler, and to a server on a socket. */
  const everywhere = async <E>(
    app: HttpApp.Default<E, RequestContext.RequestContext>,
    see: (response: Response, logs?: ReadonlyArray<Log>) => Promise<void>
  ) => {
    const { logs, request } = serve(app, memory())
    await see(await request("/"), logs)
    const { close, port } = await listen(app, memory())
    await see(await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) }))
    await close()
  }

  it("M3: a Set-Cookie header that the handler sets for the session's name is replaced too, and other Set-Cookie headers stay", async () => {
    for (const value of ["session=mine; Path=/", " session =mine"]) {
      await everywhere(
        Effect.as(touch(true), HttpServerResponse.text("ok", { headers: { "set-cookie": value, "x-other": "stays" } })),
        async (response, logs) => {
          expect(response.headers.getSetCookie()).toHaveLength(1)
          expect(response.headers.getSetCookie()[0]).toMatch(/^session=[\w-]{43};/)
          expect([response.headers.get("x-other"), await response.text()]).toEqual(["stays", "ok"])
          if (logs !== undefined) expect(logs.map(({ level }) => level)).toEqual(["WARN"])
        }
      )
    }
    await everywhere(
      Effect.as(touch(true), HttpServerResponse.text("ok", { headers: { "set-cookie": "session2=x" } })),
      async (response) => {
        expect(response.headers.getSetCookie().map((cookie) => cookie.split("=")[0]).sort()).toEqual([
          "session",
          "session2"
        ])
      }
    )
    const { logs, request } = serve(
      Effect.as(touch(false), HttpServerResponse.text("ok", { headers: { "set-cookie": "session=mine" } })),
      memory()
    )
    await request("/")
    expect(logs.map(({ level }) => level)).toEqual(["WARN"])
  })

  it("R3: a fetch Response that the handler passes on carries the request id, its own cookies, and the session's", async () => {
    const upstream = Http.createServer((_, response) => {
      response.setHeader("set-cookie", ["u=1", "v=2"])
      response.statusCode = 201
      response.end("from upstream")
    })
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve))
    const { port } = upstream.address() as AddressInfo
    for (const session of [false, true]) {
      const app = Effect.zipRight(
        touch(session),
        Effect.map(
          Effect.promise(() => fetch(`http://127.0.0.1:${port}/`)),
          (response) => HttpServerResponse.raw(response)
        )
      )
      await everywhere(app, async (response) => {
        expect([response.status, await response.text()]).toEqual([201, "from upstream"])
        expect(response.headers.get("x-request-id")).toHaveLength(36)
        const names = response.headers.getSetCookie().map((cookie) => cookie.split("=")[0])
        expect(names.sort()).toEqual(session ? ["session", "u", "v"] : ["u", "v"])
      })
    }
    upstream.close()
  })

  it("M3: a cookie that the handler adds to a fetch Response is sent together with the session's", async () => {
    const app = Effect.as(
      RequestContext.insert(A, "v"),
      HttpServerResponse.raw(new Response("raw", { headers: { "set-cookie": "a=1" } })).pipe(
        HttpServerResponse.unsafeSetCookie("theme", "dark")
      )
    )
    const { dispose, request } = serve(app, memory())
    const response = await request("/")
    await dispose()
    expect(await response.text()).toBe("raw")
    const names = response.headers.getSetCookie().map((cookie) => cookie.split("=")[0])
    expect(names.sort()).toEqual(["a", "session", "theme"])
  })

  it("M5: a commit predicate that throws gives a 503 with the request id and without Set-Cookie", async () => {
    const { logs, request } = serve(
      Effect.as(touch(true), HttpServerResponse.text("ok")),
      SessionStore.layerMemory({
        secure: false,
        commitWhen: () => {
          throw new Error("of the test")
        }
      })
    )
    const response = await request("/")
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
    expect(response.headers.get("x-request-id")).toHaveLength(36)
    expect(logs.map(({ level }) => level)).toEqual(["ERROR"])
  })

  it("M3: a body that fails while it is sent causes no warning that the handler set the session's cookie", async () => {
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => void lines.push(JSON.stringify(message)))
    )
    const broken = Stream.concat(Stream.make(new Uint8Array([65])), Stream.fail("broken"))
    const app = Effect.as(RequestContext.insert(A, "x"), HttpServerResponse.stream(broken)).pipe(
      RequestContext.middleware,
      RequestId.middleware
    )
    // As on the Node server: the sending dies with the response, and the response handlers run again.
    const sending = HttpApp.toHandled(app, (_request, response) => Effect.die(response))
    const request = HttpServerRequest.fromWeb(new Request("http://localhost/"))
    await Effect.runPromise(
      Effect.exit(Effect.provideService(sending, HttpServerRequest.HttpServerRequest, request)).pipe(
        Effect.provide(Layer.merge(memory(), logger)),
        Effect.scoped
      )
    )
    expect(lines.filter((line) => line.includes("the handler set a cookie"))).toEqual([])
  })
})
