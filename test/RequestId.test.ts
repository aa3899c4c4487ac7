import { HttpApp, HttpMiddleware, HttpRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer, Stream } from "effect"
import { RequestContext, RequestId, SessionStore } from "effect-session"
import { eachLine, type Line } from "./support/collectLogs.js"
import { type Span, tracing } from "./support/tracing.js"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const echo = Effect.map(RequestId.RequestId, (id) => HttpServerResponse.text(id))
const handler = HttpApp.toWebHandler(echo.pipe(RequestId.middleware))

const ask = async (header: string | undefined, handle = handler) => {
  const response = await handle(
    new Request("http://localhost/", { headers: header === undefined ? {} : { "x-request-id": header } })
  )
  return { id: await response.text(), header: response.headers.get("x-request-id") }
}

const capture = () => {
  const lines: Array<Line> = []
  const keep = (line: Line) => {
    if (line.level !== "DEBUG" && line.level !== "TRACE") lines.push(line)
  }
  return { lines, layer: eachLine(keep) }
}

const traced = () => {
  const spans: Array<Span> = []
  return { spans, layer: tracing(spans) }
}

describe("RequestId", () => {
  it("R1: the id is what the client's header has of [A-Za-z0-9_@-], and at most 255 characters of it", async () => {
    expect((await ask("foo-bar=baz")).id).toBe("foo-barbaz")
    expect((await ask("A_z@9-0")).id).toBe("A_z@9-0")
    expect((await ask("x".repeat(1000))).id).toBe("x".repeat(255))
    expect((await ask(`${"=".repeat(300)}${"y".repeat(300)}`)).id).toBe("y".repeat(255))
    // several headers, joined by the host
    expect((await ask("one, two")).id).toBe("onetwo")
  })

  it("R1: the id is a lower-case UUID v4 when nothing of the header is left", async () => {
    for (const header of [undefined, "", "==========", "é", "\t"]) {
      const { id } = await ask(header)
      expect(id).toMatch(uuid)
    }
    expect((await ask(undefined)).id).not.toBe((await ask(undefined)).id)
  })

  it("R1: whatever the client sends, the id is safe in logs and headers", () =>
    fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 400 }).filter((text) => /^[\x20-\x7e]*$/.test(text)), async (header) => {
        const { header: sent, id } = await ask(header)
        expect(id).toMatch(/^[A-Za-z0-9_@-]{1,255}$/)
        expect(sent).toBe(id)
      }),
      { numRuns: 200 }
    ))

  it("R2: the id is on every log line, the server's own included, and on the span", async () => {
    const { layer, lines } = capture()
    const { layer: tracing, spans } = traced()
    const app = Effect.zipRight(Effect.log("from the handler"), echo).pipe(RequestId.middleware)
    const { dispose, handler } = HttpApp.toWebHandlerLayer(app, Layer.merge(layer, tracing), {
      middleware: HttpMiddleware.logger
    })
    await ask("abc", handler)
    await dispose()
    expect(lines.map(({ message }) => String(message))).toEqual(["from the handler", "Sent HTTP response"])
    expect(lines.map(({ annotation }) => annotation("request_id"))).toEqual(["abc", "abc"])
    expect(spans.map(({ attributes }) => attributes.get("request_id"))).toEqual(["abc"])
  })

  it("R3: every response has the id, in place of one that the handler set", async () => {
    const app = HttpRouter.empty.pipe(
      HttpRouter.get("/ok", HttpServerResponse.text("ok", { headers: { "x-request-id": "the handler's" } })),
      HttpRouter.get("/fail", Effect.fail("typed")),
      HttpRouter.get("/die", Effect.die(new Error("a defect of the test"))),
      HttpRouter.get("/stream", HttpServerResponse.stream(Stream.make(new Uint8Array([65])))),
      HttpRouter.get("/failing-stream", HttpServerResponse.stream(Stream.fail("typed"))),
      RequestId.middleware
    )
    const handler = HttpApp.toWebHandler(app)
    for (
      const [path, status] of [["/ok", 200], ["/fail", 500], ["/die", 500], ["/stream", 200], [
        "/nowhere",
        404
      ]] as const
    ) {
      const response = await handler(new Request(`http://localhost${path}`, { headers: { "x-request-id": "mine" } }))
      expect([path, response.status]).toEqual([path, status])
      expect(response.headers.get("x-request-id")).toBe("mine")
    }
  })

  it("R3: a web Response that the handler passes on has the id too", async () => {
    const app = Effect.succeed(HttpServerResponse.raw(new Response("raw", { status: 201 }))).pipe(RequestId.middleware)
    const response = await HttpApp.toWebHandler(app)(
      new Request("http://localhost/", { headers: { "x-request-id": "r" } })
    )
    expect([response.status, response.headers.get("x-request-id")]).toEqual([201, "r"])
  })

  it("R4: trustInbound: false ignores the client's header", async () => {
    const handler = HttpApp.toWebHandler(echo.pipe(RequestId.middlewareWith({ trustInbound: false })))
    const { header, id } = await ask("mine", handler)
    expect(id).toMatch(uuid)
    expect(header).toBe(id)
  })

  it("R4: the layer's trustInbound: false ignores the client's header too", async () => {
    const layered = (layer: typeof RequestId.layer) => HttpApp.toWebHandler(Effect.provide(echo, layer))
    const trusting = await ask("mine", layered(RequestId.layer))
    expect(trusting).toEqual({ id: "mine", header: "mine" })
    const untrusting = await ask("mine", layered(RequestId.layerWith({ trustInbound: false })))
    expect(untrusting.id).toMatch(uuid)
    expect(untrusting.header).toBe(untrusting.id)
  })

  it("R5: without RequestId, where types were cast away, the handler does not run: one error is logged in a debug span, and the response is a 500", async () => {
    const { layer, lines } = capture()
    const { layer: tracing, spans } = traced()
    let ran = false
    const app = Effect.sync(() => {
      ran = true
      return HttpServerResponse.text("ran")
    }).pipe(RequestContext.middleware) as HttpApp.Default<never, SessionStore.SessionStore>
    const { dispose, handler } = HttpApp.toWebHandlerLayer(
      app,
      Layer.mergeAll(SessionStore.layerMemory({ secure: false }), layer, tracing)
    )
    const response = await handler(new Request("http://localhost/"))
    await dispose()
    expect(response.status).toBe(500)
    expect(await response.text()).toBe("")
    expect(ran).toBe(false)
    expect(lines.map(({ level, message }) => [level, String(message)])).toEqual([
      ["ERROR", "missing request_id request extension"]
    ])
    expect(spans.map(({ name }) => name)).toEqual([expect.stringContaining("GET"), "RequestContextService::call"])
  })

  it("R2: a nested middleware has the same id", async () => {
    const nested = echo.pipe(RequestId.middleware, RequestId.middleware)
    const { header, id } = await ask(undefined, HttpApp.toWebHandler(nested))
    expect(header).toBe(id)
  })

  it("R2: layerTest provides a fixed id", async () => {
    const id = await Effect.runPromise(Effect.provide(RequestId.RequestId, RequestId.layerTest("fixed")))
    expect(id).toBe("fixed")
  })
})
