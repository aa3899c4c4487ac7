/**
 * `npm run example -- better-auth`: better-auth's sessions and the app's, which follow them.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { CookieJar } from "tough-cookie"
import { type Running, startExample } from "../support/exampleProcess.js"

const patience = 180_000

describe("the example better-auth", () => {
  let server: Running
  let origin: string
  beforeAll(async () => {
    server = await startExample("better-auth")
    origin = server.origins[0]
  }, patience)
  afterAll(() => server?.stop(), patience)

  const browser = () => {
    const jar = new CookieJar()
    const request = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(origin + path, {
        method,
        headers: { cookie: await jar.getCookieString(origin + path), origin, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, origin + path)
      return { status: response.status, text: await response.text() }
    }
    const session = async () => (await jar.getCookies(origin)).find(({ key }) => key === "session")?.value
    return {
      get: (path: string) => request("GET", path),
      post: (path: string, body = {}) => request("POST", path, body),
      session
    }
  }
  const password = "first programmer"

  it("C10: a sign-up and a sign-in of better-auth bind the session, under a new id and with its cart", async () => {
    const { get, post, session } = browser()
    await post("/cart")
    const anonymous = await session()
    expect((await get("/me")).status).toBe(401)
    const signUp = await post("/api/auth/sign-up/email", { name: "Ada", email: "ada@example.com", password })
    expect(signUp.status).toBe(200)
    const id = JSON.parse(signUp.text).user.id
    expect(await get("/me")).toEqual({ status: 200, text: id })
    expect((await get("/cart")).text).toBe("tea")
    expect(await session()).not.toBe(anonymous)

    const signed = await session()
    expect((await post("/api/auth/sign-out")).status).toBe(200)
    expect((await get("/me")).status).toBe(401)
    expect(await session()).toBe(undefined)

    const wrong = await post("/api/auth/sign-in/email", { email: "ada@example.com", password: "a wild guess" })
    expect(wrong.status).toBe(401)
    expect((await get("/me")).status).toBe(401)
    expect((await post("/api/auth/sign-in/email", { email: "ada@example.com", password })).status).toBe(200)
    expect((await get("/me")).text).toBe(id)
    expect(await session()).not.toBe(signed)
  }, patience)

  it("S1: when the sessions are revoked at better-auth, those of the app end on every device", async () => {
    const [here, there, other] = [browser(), browser(), browser()]
    const alan = { name: "Alan", email: "alan@example.com", password }
    expect((await here.post("/api/auth/sign-up/email", alan)).status).toBe(200)
    expect((await there.post("/api/auth/sign-in/email", alan)).status).toBe(200)
    const grace = { name: "Grace", email: "grace@example.com", password }
    expect((await other.post("/api/auth/sign-up/email", grace)).status).toBe(200)

    // A new password ends the session of the other device, if the user asks for it.
    const newPassword = "second programmer"
    const changed = { currentPassword: password, newPassword, revokeOtherSessions: true }
    expect((await here.post("/api/auth/change-password", { ...changed, currentPassword: "a guess" })).status).toBe(400)
    expect((await there.get("/me")).status).toBe(200)
    expect((await here.post("/api/auth/change-password", changed)).status).toBe(200)
    expect((await here.get("/me")).status).toBe(200)
    expect((await there.get("/me")).status).toBe(401)
    expect((await there.post("/api/auth/sign-in/email", { ...alan, password: newPassword })).status).toBe(200)

    // Nobody who has not signed in revokes anything.
    expect((await browser().post("/api/auth/revoke-sessions")).status).toBe(401)
    expect((await there.get("/me")).status).toBe(200)

    expect((await here.post("/api/auth/revoke-sessions")).status).toBe(200)
    expect((await here.get("/me")).status).toBe(401)
    expect((await there.get("/me")).status).toBe(401)
    expect((await other.get("/me")).status).toBe(200)
  }, patience)
})
