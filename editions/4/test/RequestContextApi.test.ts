import { Context, Effect, Layer, Option, Schema } from "effect"
import { RequestContext, RequestContextApi, RequestId, SessionError, SessionKey, SessionStore } from "effect-session"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { describe, expect, it } from "vitest"

const User = SessionKey.make("user", Schema.String)

class Session extends RequestContextApi.Tag<Session>()("test/Session", { cookieName: ["__Host-app", "app"] }) {}

const group = HttpApiGroup.make("group")
  .add(HttpApiEndpoint.get("read", "/read", { success: Schema.String, error: SessionError.ReadError }))
  .add(HttpApiEndpoint.post("write", "/write", { success: Schema.String, error: SessionError.WriteError }))
  .middleware(Session)
  .middleware(RequestContextApi.RequestId)

const api = HttpApi.make("app").add(group).annotate(OpenApi.Transform, RequestContextApi.openApiTransform)

const GroupLive = HttpApiBuilder.group(api, "group", (handlers) =>
  handlers
    .handle("read", () => Effect.map(RequestContext.get(User), Option.getOrElse(() => "nobody")))
    .handle("write", () => Effect.andThen(RequestContext.insert(User, "ada"), RequestId.RequestId)))

const serve = (name: string) => {
  const { handler } = HttpRouter.toWebHandler(
    HttpApiBuilder.layer(api).pipe(
      Layer.provide(GroupLive),
      Layer.provide(RequestContextApi.layer(Session)),
      Layer.provide(RequestContextApi.layerRequestId()),
      Layer.provide(SessionStore.layerMemory({ secure: false, name })),
      Layer.provide(HttpServer.layerServices)
    ) as unknown as Layer.Layer<never>,
    { disableLogger: true }
  )
  return (method: string, path: string, cookie?: string) =>
    handler(
      new Request(`http://localhost${path}`, { method, headers: cookie === undefined ? {} : { cookie } }),
      Context.empty() as never
    )
}

describe("RequestContextApi", () => {
  it("M11: handlers of an HttpApi read and write the session, and have the request's id", async () => {
    const request = serve("app")
    const written = await request("POST", "/write")
    expect(written.status).toBe(200)
    expect(await written.json()).toBe(written.headers.get("x-request-id"))
    const [cookie] = written.headers.getSetCookie()
    expect(cookie).toMatch(/^app=/)
    const read = await request("GET", "/read", cookie.split(";")[0])
    expect(await read.json()).toBe("ada")
    expect(read.headers.getSetCookie()).toEqual([])
    expect(await (await request("GET", "/read")).json()).toBe("nobody")
  })

  it("M11: a store whose cookie has another name than the API says does not start", async () => {
    await expect(serve("other")("GET", "/read")).rejects.toMatchObject({ _tag: "SessionConfigError" })
  })

  it("M11: the document says that the session is optional", () => {
    const { components, paths } = OpenApi.fromApi(api)
    expect(components.securitySchemes).toMatchObject({ session: { type: "apiKey", in: "cookie", name: "__Host-app" } })
    expect(paths["/read"].get?.security).toEqual([{ session: [] }, {}])
  })
})
