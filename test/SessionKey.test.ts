import { HttpRouter, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Either, FastCheck as fc, Layer, Option, Schema } from "effect"
import { KeyRing, RequestContext, SessionBackend, SessionKey, SessionStore } from "effect-session"
import { cookieOf, countingStore } from "./support/counting.js"
import { notJson } from "./support/notJson.js"
import { serve } from "./support/server.js"

// ── one key, as three deploys have it ──

const CartV1 = Schema.Array(Schema.String)
const CartV2 = Schema.Array(Schema.Struct({ sku: Schema.String, quantity: Schema.Int }))
const CartV3 = Schema.Struct({ items: CartV2, since: Schema.Date })

const fromV1 = SessionKey.previous(CartV1, (skus) => skus.map((sku) => ({ sku, quantity: 1 })))
const fromV2 = SessionKey.previous(CartV2, (items) => ({ items, since: new Date(0) }), { from: fromV1 })

const First = SessionKey.make("cart", CartV1)
const Second = SessionKey.make("cart", CartV2, { from: fromV1 })
const Third = SessionKey.make("cart", CartV3, { from: fromV2 })
const Lenient = SessionKey.make("cart", CartV2, { from: fromV1, whenNewer: "absent" })
const Other = SessionKey.make("other", Schema.String)

const json = (value: unknown) => HttpServerResponse.text(JSON.stringify(value))
const show = <A, I>(key: SessionKey.SessionKey<A, I>) =>
  Effect.map(
    Effect.either(RequestContext.get(key)),
    (value) => json(Either.match(value, { onLeft: (error) => error.message, onRight: Option.getOrNull }))
  )

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/1", Effect.as(RequestContext.insert(First, ["tea"]), json("in"))),
  HttpRouter.get("/1", show(First)),
  HttpRouter.get("/2", show(Second)),
  HttpRouter.get("/3", show(Third)),
  HttpRouter.get("/lenient", show(Lenient)),
  HttpRouter.post("/lenient", Effect.as(RequestContext.insert(Lenient, []), json("in"))),
  HttpRouter.post("/other", Effect.as(RequestContext.insert(Other, "changed"), json("in"))),
  HttpRouter.post(
    "/3-and-other",
    Effect.zipRight(RequestContext.get(Third), Effect.as(RequestContext.insert(Other, "both"), json("in")))
  ),
  HttpRouter.get("/other", show(Other)),
  HttpRouter.post(
    "/modify",
    Effect.map(
      RequestContext.modify(
        Third,
        (cart) => [null, Option.map(cart, ({ items, since }) => ({ items: [...items, ...items], since }))]
      ),
      json
    )
  ),
  HttpRouter.del("/3", Effect.map(RequestContext.remove(Third), (cart) => json(Option.getOrNull(cart))))
)

const third = { items: [{ sku: "tea", quantity: 1 }], since: new Date(0) }

const body = async (response: Promise<Response>) => JSON.parse(await (await response).text()) as unknown

for (
  const [kind, layer] of Object.entries({
    server: () => SessionStore.layerMemory({ secure: false }),
    client: () => SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
  })
) {
  describe(`versions of a value (${kind})`, () => {
    const begin = async () => {
      const { request } = serve(app, layer())
      let cookie = cookieOf(await request("/1", { method: "POST" }))
      /** as a browser: with the latest cookie */
      const browse = async (method: string, path: string) => {
        const response = await request(path, { method, cookie })
        cookie = cookieOf(response) || cookie
        return response
      }
      return browse
    }

    it("C8: an old value is read through the chain of migrations, and written back in its new form", async () => {
      const browse = await begin()
      expect(await body(browse("GET", "/3"))).toEqual(JSON.parse(JSON.stringify(third)))
      // written back: the code of the first deploy now finds a newer version
      expect(await body(browse("GET", "/1"))).toMatch(/does not decode/)
      expect(await body(browse("GET", "/3"))).toEqual(JSON.parse(JSON.stringify(third)))
    })

    it("C8: a value can take one step of the chain now and the rest later", async () => {
      const browse = await begin()
      expect(await body(browse("GET", "/2"))).toEqual([{ sku: "tea", quantity: 1 }])
      expect(await body(browse("GET", "/3"))).toEqual(JSON.parse(JSON.stringify(third)))
    })

    it("C2: a value newer than the code fails with a typed error, or reads as absent by option, and stays stored", async () => {
      const browse = await begin()
      await browse("GET", "/3")
      expect(await body(browse("GET", "/2"))).toBe("session key \"cart\" does not decode with its schema")
      expect(await body(browse("GET", "/lenient"))).toBeNull()
      expect(await body(browse("GET", "/3"))).toEqual(JSON.parse(JSON.stringify(third)))
      await browse("POST", "/lenient")
      expect(await body(browse("GET", "/lenient"))).toEqual([])
    })

    it("C9: modify and remove read through the chain of migrations too", async () => {
      const browse = await begin()
      await browse("POST", "/modify")
      const doubled = { ...third, items: [...third.items, ...third.items] }
      expect(await body(browse("GET", "/3"))).toEqual(JSON.parse(JSON.stringify(doubled)))
      const again = await begin()
      expect(await body(again("DELETE", "/3"))).toEqual(JSON.parse(JSON.stringify(third)))
      expect(await body(again("GET", "/3"))).toBeNull()
    })

    it("M2: a migrated value is saved together with the request's own changes, in one commit", async () => {
      const browse = await begin()
      const response = await browse("POST", "/3-and-other")
      expect(response.status).toBe(200)
      expect(await body(browse("GET", "/other"))).toBe("both")
      expect(await body(browse("GET", "/1"))).toMatch(/does not decode/)
    })
  })
}

describe("writing back", () => {
  it("S3: a migration overwrites nothing that another request wrote in the meantime", async () => {
    const { backend, taken } = countingStore()
    let meanwhile: undefined | (() => Promise<unknown>)
    const layer = SessionStore.layerBackend({ secure: false }).pipe(
      Layer.provide(Layer.succeed(SessionBackend.SessionBackend, {
        ...backend,
        update: (...args) =>
          Effect.zipRight(
            Effect.promise(async () => {
              const race = meanwhile
              meanwhile = undefined
              await race?.()
            }),
            Effect.suspend(() => backend.update(...args))
          )
      }))
    )
    const { request } = serve(app, layer)
    const cookie = cookieOf(await request("/1", { method: "POST" }))
    taken()
    meanwhile = () => request("/modify", { method: "POST", cookie })
    const response = await request("/3", { cookie })
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
    const after = await body(request("/3", { cookie })) as { items: ReadonlyArray<unknown> }
    expect(after.items).toHaveLength(2)

    const second = cookieOf(await request("/1", { method: "POST" }))
    meanwhile = () => request("/modify", { method: "POST", cookie: second })
    await request("/3-and-other", { method: "POST", cookie: second })
    expect(await body(request("/other", { cookie: second }))).toBe("both")
    expect((await body(request("/3", { cookie: second })) as { items: ReadonlyArray<unknown> }).items).toHaveLength(2)
  })
})

// ── encoding ──

describe("SessionKey", () => {
  const write = <A, I>(schema: Schema.Schema<A, I>, value: A) =>
    Effect.runSync(Effect.either(SessionKey.make("k", schema).write(value)))

  it("C1: a value that is not JSON is refused, with the path of what is not", () => {
    const cyclic: Record<string, unknown> = {}
    cyclic["self"] = cyclic
    let deep: unknown = 0
    for (let i = 0; i < 200_000; i++) deep = [deep]
    for (
      const [value, path] of [
        [undefined, ""],
        [NaN, ""],
        [Infinity, ""],
        [-Infinity, ""],
        [1n, ""],
        [Symbol("s"), ""],
        [() => 1, ""],
        [new Date(), ""],
        [new Map(), ""],
        [new (class Custom {})(), ""],
        [[1, undefined], "1"],

        [[1, , 2], "1"],
        [{ a: { b: [NaN] } }, "a.b.0"],
        [{ toJSON: () => 1 }, ""],
        [cyclic, ""],
        [deep, ""]
      ] as ReadonlyArray<readonly [unknown, string]>
    ) {
      const result = write(Schema.Unknown, value)
      if (Either.isRight(result)) throw new Error(`taken: ${result.right}`)
      expect([result.left._tag, result.left.direction, result.left.path]).toEqual([
        "SessionSchemaError",
        "encode",
        path
      ])
    }
    for (const [schema, value] of notJson) expect(Either.isLeft(write(schema, value))).toBe(true)
  })

  it("C1: an undefined property is left out where the schema allows that, and refused where it does not", () => {
    const optional = Schema.Struct({ a: Schema.optional(Schema.String) })
    expect(write(optional, { a: undefined })).toEqual(Either.right("{}"))
    const required = Schema.Struct({ a: Schema.UndefinedOr(Schema.String) })
    const result = write(required, { a: undefined })
    const reads = Effect.runSync(Effect.either(SessionKey.make("k", required).read("{}")))
    expect(Either.isRight(result)).toBe(Either.isRight(reads))
  })

  it("C8: any JSON value comes back equal", () =>
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const key = SessionKey.make("k", Schema.Unknown)
      const text = Effect.runSync(key.write(value))
      expect(Effect.runSync(key.read(text)).value).toEqual(JSON.parse(JSON.stringify(value)))
    })))

  it("C8: any text is a name, except one with a lone surrogate, which is refused", () => {
    expect(() => SessionKey.make("a\ud800", Schema.String)).toThrow(/lone surrogate/)
    for (const name of ["", "__proto__", "constructor", "\0", "\u{1f600}", "version"]) {
      expect(SessionKey.make(name, Schema.String).name).toBe(name)
    }
  })

  it("C2: a schema that throws gives the typed error, in both directions, synchronously and asynchronously", async () => {
    const boom = (): string => {
      throw new Error("a throw of the test")
    }
    const sync = Schema.transform(Schema.String, Schema.String, { strict: true, decode: boom, encode: boom })
    const async = Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: () => Effect.zipRight(Effect.sleep(1), Effect.sync(boom)),
      encode: () => Effect.zipRight(Effect.sleep(1), Effect.sync(boom))
    })
    for (const schema of [sync, async]) {
      const key = SessionKey.make("k", schema)
      expect(await Effect.runPromise(Effect.flip(key.write("v")))).toMatchObject({
        _tag: "SessionSchemaError",
        direction: "encode"
      })
      expect(await Effect.runPromise(Effect.flip(key.read("\"v\"")))).toMatchObject({
        _tag: "SessionSchemaError",
        direction: "decode"
      })
    }
    expect(await Effect.runPromise(Effect.flip(SessionKey.make("k", Schema.String).read("not json")))).toMatchObject({
      _tag: "SessionSchemaError",
      direction: "decode"
    })
  })

  it("C8: a schema may need services and be asynchronous", async () => {
    class Prefix extends Context.Tag("test/Prefix")<Prefix, string>() {}
    const schema = Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text) => Effect.map(Prefix, (prefix) => text.slice(prefix.length)),
      encode: (text) => Effect.zipRight(Effect.sleep(2), Effect.map(Prefix, (prefix) => prefix + text))
    })
    const Key = SessionKey.make("k", schema)
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/", Effect.as(RequestContext.insert(Key, "v"), json("in"))),
        HttpRouter.get("/", Effect.map(RequestContext.get(Key), (value) => json(Option.getOrNull(value)))),
        Effect.provideService(Prefix, "p-")
      ),
      SessionStore.layerMemory({ secure: false })
    )
    const cookie = cookieOf(await request("/", { method: "POST" }))
    expect(await body(request("/", { cookie }))).toBe("v")
  })

  it("C3: remove returns the removed value; one that does not decode is removed, reported, and committed if the handler handles the error", async () => {
    const Text = SessionKey.make("value", Schema.String)
    const Number = SessionKey.make("value", Schema.Number)
    const { request } = serve(
      HttpRouter.empty.pipe(
        HttpRouter.post("/", Effect.as(RequestContext.insert(Text, "v"), json("in"))),
        HttpRouter.get("/", show(Text)),
        HttpRouter.del("/text", Effect.map(RequestContext.remove(Text), (value) => json(Option.getOrNull(value)))),
        HttpRouter.del(
          "/number",
          Effect.map(Effect.flip(RequestContext.remove(Number)), (error) => json(error._tag))
        ),
        HttpRouter.del("/unhandled", Effect.map(RequestContext.remove(Number), () => json("removed")))
      ),
      SessionStore.layerMemory({ secure: false })
    )
    const cookie = cookieOf(await request("/", { method: "POST" }))
    expect((await request("/unhandled", { method: "DELETE", cookie })).status).toBe(500)
    expect(await body(request("/", { cookie }))).toBe("v")
    expect(await body(request("/number", { method: "DELETE", cookie }))).toBe("SessionSchemaError")
    expect(await body(request("/", { cookie }))).toBeNull()
    await request("/", { method: "POST", cookie })
    expect(await body(request("/text", { method: "DELETE", cookie }))).toBe("v")
    expect(await body(request("/text", { method: "DELETE", cookie }))).toBeNull()
  })

  for (const kind of ["server", "client"] as const) {
    it(`C12: without a session, only a write creates a record or a cookie (${kind})`, async () => {
      const counting = countingStore({ cleanupInterval: Infinity })
      const layer = kind === "server"
        ? counting.layer
        : SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
      const operations = {
        get: RequestContext.get(Other),
        remove: RequestContext.remove(Other),
        clear: RequestContext.clear,
        renew: RequestContext.renew,
        setExpiry: RequestContext.setExpiry("1 hour"),
        flush: RequestContext.flush,
        keys: RequestContext.keys,
        nothing: RequestContext.modify(Other, () => [0, Option.none()])
      }
      for (const [name, operation] of Object.entries(operations)) {
        const { request } = serve(
          Effect.as(operation as Effect.Effect<unknown, never, RequestContext.RequestContext>, json(name)),
          layer
        )
        expect([name, (await request("/")).headers.getSetCookie()]).toEqual([name, []])
        const unknown = await request("/", { cookie: `session=${"A".repeat(43)}` })
        if (kind === "server") {
          expect([name, unknown.headers.getSetCookie().length]).toEqual([name, name === "flush" ? 1 : 0])
        }
        const { insert } = counting.taken()
        expect([name, insert]).toEqual([name, 0])
      }
      const gone = serve(Effect.as(RequestContext.flush, json("flushed")), layer)
      expect((await gone.request("/", { cookie: "session=whatever" })).headers.getSetCookie()[0]).toContain("Max-Age=0")
    })
  }
})
