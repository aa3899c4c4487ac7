/**
 * Sign-in, and the sessions of a subject, over every server store: whole requests.
 */
import { HttpRouter, HttpServerRequest, HttpServerResponse, KeyValueStore } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema, TestClock } from "effect"
import { RequestContext, SessionError, SessionKey, Sessions, SessionStore } from "effect-session"
import * as Kvs from "effect-session/SessionStore/KeyValueStore"
import * as Testing from "effect-session/Testing"
import { cookieOf } from "./support/counting.js"
import { serve } from "./support/server.js"
import { describeSharedStores } from "./support/sharedStores.js"
import { storeAt } from "./support/storeAt.js"

const Theme = SessionKey.make("theme", Schema.String)

const json = (value: unknown) => HttpServerResponse.text(JSON.stringify(value))

const query = Effect.map(
  HttpServerRequest.HttpServerRequest,
  (request) => new URL(request.url, "http://localhost").searchParams
)
const user = Effect.map(query, (parameters) => parameters.get("user") ?? "")

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/theme", Effect.as(RequestContext.insert(Theme, "dark"), json("in"))),
  HttpRouter.get("/theme", Effect.map(RequestContext.get(Theme), (theme) => json(Option.getOrNull(theme)))),
  HttpRouter.post(
    "/sign-in",
    Effect.gen(function*() {
      const parameters = yield* query
      const address = parameters.get("address")
      yield* RequestContext.bind(yield* user, address === null ? {} : { address })
      return HttpServerResponse.empty({ status: Number(parameters.get("status") ?? 200) })
    })
  ),
  HttpRouter.get("/who", Effect.map(RequestContext.signedIn, (who) => json(Option.getOrNull(who)?.subject ?? null))),
  HttpRouter.get("/list", Effect.map(Effect.flatMap(user, Sessions.list), json)),
  HttpRouter.post(
    "/revoke",
    Effect.flatMap(
      query,
      (parameters) => Effect.map(Sessions.revoke(parameters.get("user") ?? "", parameters.get("id") ?? ""), json)
    )
  ),
  HttpRouter.post("/revoke-others", Effect.map(Effect.flatMap(user, Sessions.revokeOthers), json)),
  HttpRouter.post("/revoke-all", Effect.map(Effect.flatMap(user, Sessions.revokeAll), json)),
  HttpRouter.post("/renew", Effect.as(RequestContext.renew, json("renewed"))),
  HttpRouter.post("/flush", Effect.as(RequestContext.flush, json("flushed"))),
  HttpRouter.get(
    "/fresh",
    Effect.map(RequestContext.requireFresh(1_000), ({ subject }) => json(subject))
  )
)

type Listed = {
  id: string
  subject: string
  current: boolean
  userAgent: { value?: string }
  address: { value?: string }
}

type ServerStore = Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, unknown>

/** `make` gives a store with the options, and each time another, empty one. */
const rows = (make: (options: SessionStore.ServerOptions) => ServerStore) => () => {
  const start = (options: SessionStore.ServerOptions = {}) => {
    const server = serve(app, make({ secure: false, cleanupInterval: Infinity, ...options }))
    const read = async (path: string, cookie = "") => JSON.parse(await (await server.request(path, { cookie })).text())
    const post = (path: string, cookie = "", headers = {}) => server.request(path, { method: "POST", cookie, headers })
    const signIn = async (name: string, cookie = "", headers = {}) => {
      // A list has the oldest first, in milliseconds: no two are of the same.
      await new Promise((resolve) => setTimeout(resolve, 2))
      const response = await post(`/sign-in?user=${name}`, cookie, headers)
      return { status: response.status, cookie: cookieOf(response) }
    }
    return { ...server, read, post, signIn }
  }

  it("C10: bind signs in under a new id and keeps the data, and the old id no longer identifies a session", async () => {
    const { dispose, post, read, signIn } = start()
    const before = cookieOf(await post("/theme"))
    const { cookie, status } = await signIn("ada", before)
    expect(status).toBe(200)
    expect(cookie).not.toBe("")
    expect(cookie).not.toBe(before)
    expect(await read("/who", cookie)).toBe("ada")
    expect(await read("/theme", cookie)).toBe("dark")
    expect(await read("/who", before)).toBeNull()
    expect(await read("/theme", before)).toBeNull()
    await dispose()
  })

  it("C10: who signs in again, as the same subject, has a new id and keeps the data, and the id before is of no use", async () => {
    const { dispose, post, read, signIn } = start()
    const first = (await signIn("ada", cookieOf(await post("/theme")))).cookie
    const again = (await signIn("ada", first)).cookie
    expect(again).not.toBe("")
    expect(again).not.toBe(first)
    expect(await read("/who", again)).toBe("ada")
    expect(await read("/theme", again)).toBe("dark")
    expect(await read("/who", first)).toBeNull()
    expect(await read("/theme", first)).toBeNull()
    expect(await read("/list?user=ada", again)).toHaveLength(1)
    await dispose()
  })

  it("M4: what bind saved is kept at a 500, and its cookie is sent", async () => {
    const { dispose, post, read } = start()
    const response = await post("/sign-in?user=ada&status=500")
    expect(response.status).toBe(500)
    expect(await read("/who", cookieOf(response))).toBe("ada")
    await dispose()
  })

  it("C10: a subject's sessions are listed with what is known about them, and the current one is marked", async () => {
    const { dispose, post, read, signIn } = start()
    const phone = await signIn("ada&address=192.0.2.7", "", { "user-agent": "phone" })
    const laptop = await signIn("ada", "", { "user-agent": "laptop" })
    await signIn("bob")
    const renewed = cookieOf(await post("/renew", laptop.cookie))
    const listed = await read("/list?user=ada", renewed) as Array<Listed>
    expect(listed.map(({ current, userAgent }) => [userAgent.value, current])).toEqual([["phone", false], [
      "laptop",
      true
    ]])
    expect(listed.map(({ subject }) => subject)).toEqual(["ada", "ada"])
    expect(listed[0].address.value).toBe("192.0.2.7")
    expect(listed[1].address.value).toBeUndefined()
    // what is listed signs nobody in
    for (const { id } of listed) {
      for (const { cookie } of [phone, laptop]) expect(cookie).not.toContain(id)
      expect(await read("/who", `session=${id}`)).toBeNull()
    }
    await dispose()
  })

  it("S2: revoke ends one session of the subject, revokeOthers all but the current one, and revokeAll all of them", async () => {
    const { dispose, post, read, signIn } = start()
    const [one, two, three] = [await signIn("ada"), await signIn("ada"), await signIn("ada")]
    const bob = await signIn("bob")
    const answer = async (response: Promise<Response>) => JSON.parse(await (await response).text())
    const [first] = await read("/list?user=ada", one.cookie) as Array<Listed>
    expect(await answer(post(`/revoke?user=bob&id=${first.id}`))).toBe(false)
    expect(await answer(post(`/revoke?user=ada&id=${first.id}`))).toBe(true)
    expect(await answer(post(`/revoke?user=ada&id=${first.id}`))).toBe(false)
    expect(await read("/who", one.cookie)).toBeNull()
    expect(await read("/who", two.cookie)).toBe("ada")
    expect(await answer(post("/revoke-others?user=ada", two.cookie))).toBe(1)
    expect(await read("/who", three.cookie)).toBeNull()
    expect(await read("/who", two.cookie)).toBe("ada")
    expect(await answer(post("/revoke-all?user=ada"))).toBe(1)
    expect(await read("/who", two.cookie)).toBeNull()
    expect(await read("/list?user=ada")).toEqual([])
    expect(await read("/who", bob.cookie)).toBe("bob")
    await dispose()
  })

  it("S2: a session that signs out is no longer listed", async () => {
    const { dispose, post, read, signIn } = start()
    const { cookie } = await signIn("ada")
    await post("/flush", cookie)
    expect(await read("/list?user=ada")).toEqual([])
    await dispose()
  })

  for (const whenFull of ["evict-oldest", "refuse"] as const) {
    it(`S3: of 20 parallel sign-ins under a bound of 3 sessions exactly 3 sessions live (${whenFull})`, async () => {
      const { dispose, read, signIn } = start({ subjectBound: { max: 3, whenFull } })
      const answers = await Promise.all(Array.from({ length: 20 }, () => signIn("ada")))
      const alive = await Promise.all(
        answers.filter(({ cookie }) => cookie !== "").map(({ cookie }) => read("/who", cookie))
      )
      expect(alive.filter((who) => who === "ada")).toHaveLength(3)
      expect(await read("/list?user=ada")).toHaveLength(3)
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(whenFull === "refuse" ? 17 : 0)
      // signing in again on a session of the subject takes no further place
      if (whenFull === "refuse") {
        const mine = answers.find(({ cookie }) => cookie !== "")!
        expect((await signIn("ada", mine.cookie)).status).toBe(200)
        expect(await read("/list?user=ada")).toHaveLength(3)
      }
      await dispose()
    })
  }

  it("E1: requireFresh demands a recent sign-in", async () => {
    const { dispose, request, signIn } = start()
    expect((await request("/fresh")).status).toBe(403)
    const { cookie } = await signIn("ada")
    expect((await request("/fresh", { cookie })).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await request("/fresh", { cookie })).status).toBe(403)
    const again = await signIn("ada", cookie)
    expect((await request("/fresh", { cookie: again.cookie })).status).toBe(200)
    await dispose()
  })

  it("E1: only a sign-in starts the absolute expiry anew", async () => {
    const { dispose, post, read, signIn } = start({ expiry: "1 hour", absoluteExpiry: "1500 millis" })
    const anonymous = cookieOf(await post("/theme"))
    await new Promise((resolve) => setTimeout(resolve, 900))
    const renewed = cookieOf(await post("/renew", anonymous))
    const { cookie } = await signIn("ada", renewed)
    const other = cookieOf(await post("/theme"))
    await new Promise((resolve) => setTimeout(resolve, 800))
    // 1,700 ms after the first creation: without the sign-in it would have ended
    expect(await read("/theme", cookie)).toBe("dark")
    await post("/renew", other)
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect(await read("/theme", cookie)).toBeNull()
    await dispose()
  })
}

describe("requireFresh", () => {
  it.effect("E1: a sign-in that lies in the future, because the clock went back, is not fresh", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 hour")
      yield* RequestContext.bind("ada")
      yield* RequestContext.requireFresh("5 minutes")
      yield* TestClock.setTime(1_000)
      expect(yield* Effect.flip(RequestContext.requireFresh("5 minutes"))).toEqual(new SessionError.SessionNotFresh())
      yield* TestClock.setTime(60 * 60 * 1000 - 5_000) // clocks of two servers may differ by a few seconds
      yield* RequestContext.requireFresh("5 minutes")
    }).pipe(Effect.provide(Testing.layerTest())))
})

describe("memory", rows((options) => SessionStore.layerMemory(options)))
describe(
  "KeyValueStore",
  rows((options) => Kvs.layer(options).pipe(Layer.provide(KeyValueStore.layerMemory)))
)
describeSharedStores((newPlace) => rows((options) => storeAt(newPlace(), options))())
