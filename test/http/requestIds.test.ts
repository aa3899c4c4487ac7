/**
 * The request's id under another header and from another generator, in every host; and from one service to the next.
 */
import {
  FetchHttpClient,
  HttpClient,
  HttpClientRequest,
  HttpClientResponse,
  HttpRouter,
  HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { Context, Effect, Layer, Schema } from "effect"
import { RequestContext, RequestId, SessionKey, SessionStore } from "effect-session"
import * as Testing from "effect-session/Testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { eachLine } from "../support/collectLogs.js"
import { hosts, type Web } from "../support/hosts.js"
import { listen } from "../support/server.js"

const Value = SessionKey.make("value", Schema.String)

/** Keeps the id of each line that is logged with this message. */
const idsOf = (message: string, ids: Array<unknown>) =>
  eachLine((line) => {
    if (String(line.message) === message) ids.push(line.annotation("request_id"))
  })

const handle = Effect.gen(function*() {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  yield* Effect.log("handled")
  if (url.endsWith("/broken")) {
    yield* RequestContext.insert(Value, "x")
    return HttpServerResponse.text("never sent", { headers: { "x-request-id": "the handler's own" } })
  }
  return HttpServerResponse.text("ok")
})

const broken = Layer.provide(
  SessionStore.layerBackendIndexed({ secure: false }),
  Testing.faulty(Testing.memory, { insert: "fails" })
)

for (const [name, start] of Object.entries(hosts)) {
  describe(name, () => {
    let web: Web
    let made = 0
    const ids: Array<unknown> = []
    beforeAll(() => {
      const options = { header: "X-Correlation-Id", generate: () => `made = ${++made}` }
      web = start(handle, broken, options, idsOf("handled", ids))
    })
    afterAll(() => web.dispose())
    const ask = (path: string, headers: Record<string, string> = {}) =>
      web.handler(new Request(`http://localhost${path}`, { headers }))

    it("R6: the id is in the header that the options name, of the request and of the response, and in no other", async () => {
      ids.length = 0
      const response = await ask("/x", { "x-correlation-id": "from=outside", "x-request-id": "another" })
      expect(response.headers.get("x-correlation-id")).toBe("fromoutside")
      expect(response.headers.get("x-request-id")).toBeNull()
      expect(ids).toEqual(["fromoutside"])
    })

    it("R6: the 503 of a failed commit carries the id in that header, and nothing else of the response", async () => {
      const response = await ask("/broken", { "x-correlation-id": "outage" })
      expect([response.status, await response.text()]).toEqual([503, ""])
      expect(response.headers.get("x-correlation-id")).toBe("outage")
      expect(response.headers.get("x-request-id")).toBeNull()
    })

    it("R7: a request without an id gets one from the generator, sanitised", async () => {
      ids.length = 0
      made = 0
      const first = await ask("/x")
      const second = await ask("/x", { "x-correlation-id": "===" })
      expect([first, second].map(({ headers }) => headers.get("x-correlation-id"))).toEqual(["made1", "made2"])
      expect(ids).toEqual(["made1", "made2"])
      expect((await ask("/x", { "x-correlation-id": "given" })).headers.get("x-correlation-id")).toBe("given")
      expect(made).toBe(2)
    })
  })
}

describe("two services", () => {
  const back: Array<unknown> = []
  const front: Array<unknown> = []
  let seen: Array<string | undefined> = []
  let stock: Awaited<ReturnType<typeof listen>>
  let shop: Awaited<ReturnType<typeof listen>>

  const stockApp = HttpRouter.empty.pipe(
    HttpRouter.get(
      "/tea",
      Effect.gen(function*() {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        seen.push(headers["x-request-id"])
        yield* Effect.log("stock")
        return HttpServerResponse.text(yield* RequestId.RequestId)
      })
    )
  )

  /** Built once, when the app starts, and not in a request. */
  class Stock extends Context.Tag("Stock")<Stock, HttpClient.HttpClient>() {}

  const ask = Effect.flatMap(Stock, (client) => client.get("/tea")).pipe(
    Effect.flatMap(({ text }) => text),
    Effect.orDie
  )

  const shopApp = HttpRouter.empty.pipe(
    HttpRouter.get(
      "/tea",
      Effect.zipRight(Effect.log("shop"), Effect.map(ask, (text) => HttpServerResponse.text(text)))
    ),
    HttpRouter.get(
      "/forked",
      Effect.map(
        Effect.all([ask, ask], { concurrency: "unbounded" }),
        (texts) => HttpServerResponse.text(texts.join(","))
      )
    ),
    HttpRouter.get(
      "/own",
      Effect.flatMap(Stock, (client) => client.get("/tea", { headers: { "x-request-id": "own" } })).pipe(
        Effect.flatMap(({ text }) => text),
        Effect.map((text) => HttpServerResponse.text(text)),
        Effect.orDie
      )
    )
  )

  const store = SessionStore.layerMemory({ secure: false })
  const StockClient = Layer.suspend(() => {
    const toStock = HttpClientRequest.prependUrl(`http://127.0.0.1:${stock.port}`)
    return Layer.effect(
      Stock,
      Effect.map(HttpClient.HttpClient, (client) => RequestId.withClient(HttpClient.mapRequest(client, toStock)))
    ).pipe(Layer.provide(FetchHttpClient.layer))
  })

  beforeAll(async () => {
    stock = await listen(Effect.provide(stockApp, idsOf("stock", back)), store)
    shop = await listen(Effect.provide(shopApp, idsOf("shop", front)), Layer.merge(store, StockClient))
  })
  afterAll(() => Promise.all([shop.close(), stock.close()]))

  const get = async (path: string, headers: Record<string, string> = {}) => {
    seen = []
    for (const ids of [back, front]) ids.length = 0
    const response = await fetch(`http://127.0.0.1:${shop.port}${path}`, { headers })
    return { id: response.headers.get("x-request-id")!, text: await response.text() }
  }

  it("R8: the id of a request is in the logs of both services, whether it came from outside or was made", async () => {
    for (const headers of [{}, { "x-request-id": "from-outside" }]) {
      const { id, text } = await get("/tea", headers)
      expect(id).toMatch("x-request-id" in headers ? /^from-outside$/ : /^[0-9a-f-]{36}$/)
      expect([text, front, back]).toEqual([id, [id], [id]])
    }
  })

  it("R8: fibers that the handler forks send the id too, and an id that a request has already stays", async () => {
    const { id, text } = await get("/forked")
    expect([text, seen]).toEqual([`${id},${id}`, [id, id]])
    expect((await get("/own")).text).toBe("own")
  })

  it("R8: outside of a request no id is sent", async () => {
    seen = []
    await Effect.runPromise(Effect.provide(ask, StockClient))
    expect(seen).toEqual([undefined])
  })

  it("R8: the id goes out in the header of the request's own middleware, or in the one that is named", async () => {
    const sent: Array<Record<string, string | undefined>> = []
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        sent.push({ correlation: request.headers["x-correlation-id"], other: request.headers["x-other-id"] })
        return HttpClientResponse.fromWeb(request, new Response())
      })
    )
    const app = Effect.as(
      Effect.all([
        RequestId.withClient(client).get("http://localhost/"),
        RequestId.withClient(client, { header: "X-Other-Id" }).get("http://localhost/")
      ]),
      HttpServerResponse.empty()
    )
    for (const start of Object.values(hosts)) {
      sent.length = 0
      const web = start(app, store, { header: "x-correlation-id" })
      await web.handler(new Request("http://localhost/x", { headers: { "x-correlation-id": "id" } }))
      await web.dispose()
      expect(sent).toEqual([{ correlation: "id", other: undefined }, { correlation: undefined, other: "id" }])
    }
  })
})

describe("the options of the request's id", () => {
  it("R6: what is no name of a header, or of one with a secret, is refused when the middleware is made", () => {
    for (const header of ["", "x request id", "x-id:", "Cookie", "set-cookie", "Authorization", "é"]) {
      const message = `the request's id cannot be in a header that is called ${JSON.stringify(header)}`
      expect(() => RequestId.middlewareWith({ header })).toThrow(new TypeError(message))
      expect(() => RequestId.layerWith({ header })).toThrow(TypeError)
      expect(() => RequestId.routeMiddlewareWith({ header })).toThrow(TypeError)
      expect(() => RequestId.layerRouterWith({ header })).toThrow(TypeError)
      expect(() => RequestId.withClient(HttpClient.make(() => Effect.never), { header })).toThrow(TypeError)
    }
  })

  it("R7: an id of which nothing is left is replaced by a UUID, and a long one is cut", async () => {
    for (
      const [generated, expected] of [["", /^[0-9a-f-]{36}$/], ["==", /^[0-9a-f-]{36}$/], [
        "x".repeat(300),
        /^x{255}$/
      ]] as const
    ) {
      const web = hosts["HttpApp"](handle, SessionStore.layerMemory({ secure: false }), { generate: () => generated })
      const response = await web.handler(new Request("http://localhost/x"))
      expect(response.headers.get("x-request-id")).toMatch(expected)
      await web.dispose()
    }
  })
})
