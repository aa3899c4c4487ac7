/**
 * `npm run example -- http-api` and its client, as processes.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { runExample, type Running, startExample } from "../support/exampleProcess.js"

const patience = 180_000

describe("the example http-api", () => {
  let server: Running
  let origin: string
  beforeAll(async () => {
    server = await startExample("http-api")
    origin = server.origins[0]
  }, patience)
  afterAll(() => server?.stop(), patience)

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(origin + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", "sec-fetch-site": "same-origin", ...headers }
    })
  const ada = { email: "ada@example.com", password: "first programmer" }

  it("U2: the client with a jar is nobody, is refused, signs in as the current user, and signs out", async () => {
    expect(await runExample("http-api/client", { URL: origin })).toEqual({
      code: 0,
      lines: [
        "before the sign-in: nobody",
        "a wrong password: refused",
        "after the sign-in: Ada",
        "the notes: buy tea",
        "after the sign-out: not signed in"
      ]
    })
  }, patience)

  it("U2: there is a page of the API, and its document names the cookie and the 401", async () => {
    const page = await fetch(`${origin}/docs`)
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html"])
    const document = await (await fetch(`${origin}/openapi.json`)).json() as any
    expect(document.components.securitySchemes).toMatchObject({ session: { type: "apiKey", in: "cookie" } })
    expect(document.paths["/me"].get.security).toEqual([{ session: [] }])
    expect(Object.keys(document.paths["/me"].get.responses)).toContain("401")
    expect(document.paths["/sign-in"].post.security).toEqual([{ session: [] }, {}])
    expect(Object.keys(document.paths["/sign-in"].post.responses)).toContain("403")
  })

  it("X8: another site signs nobody in or out", async () => {
    expect((await post("/sign-in", ada, { "sec-fetch-site": "cross-site" })).status).toBe(403)
    const response = await post("/sign-in", ada)
    expect(await response.json()).toEqual({ email: "ada@example.com", name: "Ada" })
    const cookie = response.headers.getSetCookie()[0].split(";")[0]
    expect((await post("/sign-out", {}, { cookie, "sec-fetch-site": "cross-site" })).status).toBe(403)
    expect((await fetch(`${origin}/me`, { headers: { cookie } })).status).toBe(200)
    expect((await post("/sign-out-everywhere", {}, { cookie })).status).toBe(200)
    expect((await fetch(`${origin}/me`, { headers: { cookie } })).status).toBe(401)
  })
})
