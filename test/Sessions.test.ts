/**
 * Sign-in, and the sessions of a subject, over every server store: whole requests.
 */
import { HttpRouter, HttpServerRequest, HttpServerResponse, KeyValueStore } from "@effect/platform"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Layer, Option, Schema, TestClock, TestContext } from "effect"
import { RequestContext, SessionConfig, SessionError, SessionKey, Sessions, SessionStore } from "effect-session"
import * as Kvs from "effect-session/SessionStore/KeyValueStore"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Testing from "effect-session/Testing"
import { randomUUID } from "node:crypto"
import * as records from "../src/internal/contract/records.js"
import * as memory from "../src/internal/memory/backend.js"
import * as sessionsOf from "../src/internal/server/subjectSessions.js"
import { type Name, storeAt } from "./processes/stores.js"
import { describeWith, mysql, postgres, redis } from "./services.js"
import { cookieOf } from "./support/counting.js"
import { serve } from "./support/server.js"

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

type ServerStore = Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, unknown>

/** `make` gives a store with options; each call a fresh place. */
const rows = (make: (options: SessionStore.ServerOptions) => ServerStore) => () => {
  const start = (options: SessionStore.ServerOptions = {}) => {
    const server = serve(app, make({ secure: false, cleanupInterval: Infinity, ...options }))
    const read = async (path: string, cookie = "") => JSON.parse(await (await server.request(path, { cookie })).text())
    const post = (path: string, cookie = "", headers = {}) => server.request(path, { method: "POST", cookie, headers })
    const signIn = async (name: string, cookie = "", headers = {}) => {
      const response = await post(`/sign-in?user=${name}`, cookie, headers)
      return { status: response.status, cookie: cookieOf(response) }
    }
    return { ...server, read, post, signIn }
  }

  it("C10: bind signs in under a new id, keeps the data, and the old id is nobody", async () => {
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

  it("M4: what bind saved stays at a 500, with its cookie", async () => {
    const { dispose, post, read } = start()
    const response = await post("/sign-in?user=ada&status=500")
    expect(response.status).toBe(500)
    expect(await read("/who", cookieOf(response))).toBe("ada")
    await dispose()
  })

  it("C10: a subject's sessions are listed with what is known of them, the current one marked", async () => {
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

  it("S2: revoke ends one, of that subject only; revokeOthers all but the current; revokeAll all", async () => {
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

  it("S2: a sign-out takes the session off the list", async () => {
    const { dispose, post, read, signIn } = start()
    const { cookie } = await signIn("ada")
    await post("/flush", cookie)
    expect(await read("/list?user=ada")).toEqual([])
    await dispose()
  })

  for (const whenFull of ["evict-oldest", "refuse"] as const) {
    it(`S3: at most 3 sessions of a subject, under 20 parallel sign-ins: ${whenFull}`, async () => {
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

  it("E1: requireFresh asks for a recent sign-in", async () => {
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

  it("E1: a sign-in that lies in the future, because the clock went back, is not fresh", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 hour")
      yield* RequestContext.bind("ada")
      yield* RequestContext.requireFresh("5 minutes")
      yield* TestClock.setTime(1_000)
      expect(yield* Effect.flip(RequestContext.requireFresh("5 minutes"))).toEqual(new SessionError.SessionNotFresh())
      yield* TestClock.setTime(60 * 60 * 1000 - 5_000) // clocks of two servers may differ by a few seconds
      yield* RequestContext.requireFresh("5 minutes")
    }).pipe(Effect.provide(Testing.layerTest()), Effect.provide(TestContext.TestContext), Effect.runPromise))

  it("E1: a sign-in starts the absolute expiry anew, and nothing else does", async () => {
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

describe("Sessions that are renewed while they are revoked", () => {
  /** After each look at the list the session is renewed, so many times. */
  const renewedOften = (times: number) => {
    const { backend, index } = memory.make({ maxSessions: 100, maxBytes: 2 ** 20 })
    const now = Date.now()
    const record = { ...records.session(now), owner: records.ownerOf("ada", now) }
    let current = records.freshId()
    let renewals = 0
    const renewing = {
      ...index,
      list: (subject: string, now: number) =>
        Effect.zipLeft(
          Effect.suspend(() => index.list(subject, now)),
          Effect.suspend(() => {
            if (renewals === times) return Effect.void
            renewals++
            const [old, next] = [current, records.freshId()]
            current = next
            return Effect.zipRight(index.insert(next, record, now, undefined), backend.remove(old, undefined, now))
          })
        )
    }
    const config = Either.getOrThrow(SessionConfig.resolve({}, "server"))
    const sessions = sessionsOf.make(config, backend, renewing)
    const alive = Effect.suspend(() => Effect.map(index.list("ada", now), (entries) => entries.length))
    return { sessions, alive, start: Effect.suspend(() => index.insert(current, record, now, undefined)) }
  }

  it.live("S2: revokeAll goes on until none is left", () =>
    Effect.gen(function*() {
      const { alive, sessions, start } = renewedOften(20)
      yield* start
      expect(yield* sessions.revokeAll("ada")).toBe(1)
      expect(yield* alive).toBe(0)
    }))

  it.live("S2: revokeAll that does not come to an end fails instead of answering a number", () =>
    Effect.gen(function*() {
      const { alive, sessions, start } = renewedOften(Infinity)
      yield* start
      const error = yield* Effect.flip(sessions.revokeAll("ada"))
      expect(error).toMatchObject({ operation: "remove", reason: "Contention" })
      expect(yield* alive).toBe(1)
    }))
})

const unique = () => `effect_session_test_${randomUUID().replaceAll("-", "").slice(0, 12)}`
const shared = (name: Name, url: string) => rows((options) => storeAt(name, unique(), url, options))

describe("Sessions in memory", rows((options) => SessionStore.layerMemory(options)))
describe(
  "Sessions in a KeyValueStore",
  rows((options) => Kvs.layer(options).pipe(Layer.provide(KeyValueStore.layerMemory)))
)
describe(
  "Sessions in SQLite",
  rows((options) =>
    Sql.layer(options).pipe(
      Layer.provide(Layer.effectDiscard(Sql.createTable())),
      Layer.provide(SqliteClient.layer({ filename: ":memory:" }))
    )
  )
)
describeWith(redis, "Sessions in Redis", shared("redis", redis.url))
describeWith(postgres, "Sessions in PostgreSQL", shared("postgres", postgres.url))
describeWith(mysql, "Sessions in MariaDB", shared("mysql", mysql.url))
