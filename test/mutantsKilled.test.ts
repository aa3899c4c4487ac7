import { HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Either, Exit, Fiber, Metric, Option, Schema, TestClock } from "effect"
import {
  KeyRing,
  PrivateCookie,
  RequestContext,
  type SessionBackend,
  SessionConfig,
  SessionKey,
  SessionStore
} from "effect-session"
import * as Crypto from "node:crypto"
import * as RandomPool from "../src/internal/codec/random.js"
import * as cookieStore from "../src/internal/cookie/cookieStore.js"
import { RequestSession } from "../src/internal/request/requestSession.js"
import { serve } from "./support/server.js"
import { settle, stage } from "./support/stage.js"

const A = SessionKey.make("a", Schema.String)
const Count = SessionKey.make("count", Schema.Int)

const increment = (session: RequestSession) =>
  session.modify(Count, (count) => {
    const next = Option.getOrElse(count, () => 0) + 1
    return [next, Option.some(next)]
  })

// ── C9 ──

describe("modify against other processes", () => {
  /** Somebody else was faster, so many times. */
  const contended = (times: number) => {
    let left = times
    return (backend: SessionBackend.SessionBackendService): SessionBackend.SessionBackendService => ({
      ...backend,
      update: (id, patch, now, ifVersion, base) =>
        ifVersion !== undefined && left-- > 0
          ? Effect.succeed({ _tag: "Conflict" as const })
          : backend.update(id, patch, now, ifVersion, base)
    })
  }

  /** What became of an increment after so many of its pauses, none of which is longer than 64 ms. */
  const incremented = (times: number, pauses: number) =>
    Effect.gen(function*() {
      const { begin, counts, stored, visit } = stage({}, contended(times))
      const token = yield* begin((session) => session.insert(Count, 1))
      const fiber = yield* Effect.fork(Effect.exit(visit(token, increment)))
      for (let i = 0; i < pauses; i++) yield* Effect.zipRight(settle, TestClock.adjust(64))
      const ended = yield* Fiber.poll(fiber)
      yield* Fiber.interruptFork(fiber)
      return { exit: Option.map(ended, Exit.flatten), stored: yield* stored(token), tries: counts.update }
    })

  it.effect("C9: who loses again and again tries on, and is counted once", () =>
    Effect.gen(function*() {
      const { exit, stored, tries } = yield* incremented(99, 110)
      expect(Option.map(exit, Exit.map(({ value }) => value))).toEqual(Option.some(Exit.succeed(2)))
      expect([stored, tries]).toEqual([{ count: "2" }, 100])
    }))

  it.effect("C9: who loses always fails typed, after a bounded number of tries, and writes nothing", () =>
    Effect.gen(function*() {
      const { exit, stored, tries } = yield* incremented(Infinity, 110)
      const error = Option.map(exit, (exit) => Exit.isFailure(exit) ? exit.cause : undefined)
      expect(error).toMatchObject(
        Option.some({ _tag: "Fail", error: { _tag: "SessionStoreError", operation: "update", reason: "Contention" } })
      )
      expect(stored).toEqual({ count: "1" })
      expect(tries).toBeLessThanOrEqual(101)
    }))
})

it.effect("C9: a modify that changes nothing answers what is stored now, not what the request once loaded", () =>
  Effect.gen(function*() {
    const { begin, request, visit } = stage()
    const token = yield* begin((session) => session.insert(Count, 1))
    const session = request(token)
    expect(yield* session.get(Count)).toEqual(Option.some(1))
    yield* visit(token, increment)
    expect(yield* session.modify(Count, (count) => [count, count])).toEqual(Option.some(2))
  }))

// ── M3 ──

it("M3: a cookie that was set beside a Response of fetch stays beside ours", async () => {
  const app = Effect.as(
    RequestContext.insert(A, "v"),
    HttpServerResponse.raw(new Response("raw", { headers: { "set-cookie": "a=1" } })).pipe(
      HttpServerResponse.unsafeSetCookie("theme", "dark")
    )
  )
  const { dispose, request } = serve(app, SessionStore.layerMemory({ secure: false }))
  const response = await request("/")
  await dispose()
  expect(await response.text()).toBe("raw")
  const names = response.headers.getSetCookie().map((cookie) => cookie.split("=")[0])
  expect(names.sort()).toEqual(["a", "session", "theme"])
})

it.effect("M3: a commit that refreshes the record of a cookie without Max-Age sends none", () =>
  Effect.gen(function*() {
    const { begin, counts, stored, visit } = stage({ idle: "10 days" })
    const token = yield* begin((session) => session.insert(A, "v"))
    yield* TestClock.adjust("2 days")
    const updates = counts.update
    const read = yield* visit(token, (session) => session.get(A))
    expect([read.verdict.cookie._tag, counts.update - updates]).toEqual(["None", 1])
    yield* TestClock.adjust("2 days")
    const written = yield* visit(token, (session) => Effect.zipRight(session.get(A), session.insert(A, "w")))
    expect(written.verdict.cookie._tag).toBe("None")
    yield* TestClock.adjust("9 days")
    expect(yield* stored(token)).toEqual({ a: "\"w\"" })
  }))

// ── M4 ──

it.effect("M4: a 499 drops the changes: the client that would have had the cookie has gone", () =>
  Effect.gen(function*() {
    const { begin, stored, visit } = stage()
    const token = yield* begin((session) => session.insert(A, "before"))
    yield* visit(token, (session) => session.insert(A, "dropped"), 499)
    expect(yield* stored(token)).toEqual({ a: "\"before\"" })
    expect((yield* visit(undefined, (session) => session.insert(A, "dropped"), 499)).token).toBeUndefined()
    yield* visit(token, (session) => session.insert(A, "kept"), 498)
    expect(yield* stored(token)).toEqual({ a: "\"kept\"" })
  }))

// ── M6 ──

it.effect("M6: a malformed value beside an unknown token removes neither: the browser may hold the token's successor", () =>
  Effect.gen(function*() {
    const { finish, request } = stage()
    for (const tokens of [["garbage", RandomPool.token()], [RandomPool.token(), "garbage"]]) {
      const session = request(tokens)
      expect(yield* session.get(A)).toEqual(Option.none())
      expect((yield* finish(session, undefined)).verdict.cookie._tag).toBe("None")
    }
  }))

describe("look-ups by outcome", () => {
  const total = Metric.counter("effect_session_load_total", {
    description: "sessions looked up for a request, by outcome",
    incremental: true
  })
  const count = (outcome: string) =>
    Effect.map(Metric.value(Metric.tagged(total, "outcome", outcome)), (state) => Number(state.count))

  /** Which of the outcomes went up, and by how much. */
  const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const outcomes = ["Found", "Absent", "Malformed", "NotAuthentic", "Unknown", "Expired", "Corrupt"]
      const before = yield* Effect.forEach(outcomes, count)
      yield* effect
      const after = yield* Effect.forEach(outcomes, count)
      return Object.fromEntries(
        outcomes.map((outcome, i) => [outcome, after[i] - before[i]] as const).filter(([, more]) => more !== 0)
      )
    })

  it.effect("M6: a server store's are counted, once a request", () =>
    Effect.gen(function*() {
      let isCorrupt = false
      const { begin, visit } = stage({}, (backend) => ({
        ...backend,
        find: (id, now) =>
          isCorrupt
            ? Effect.succeed(Option.some({ _tag: "Corrupt" as const, newerFormat: false, detail: "of the test" }))
            : backend.find(id, now)
      }))
      const token = yield* begin((session) => session.insert(A, "v"))
      const look = (token: string | undefined) =>
        counted(visit(token, (session) => Effect.zipRight(session.get(A), session.get(Count))))
      expect(yield* look(token)).toEqual({ Found: 1 })
      expect(yield* look(undefined)).toEqual({ Absent: 1 })
      expect(yield* look("garbage")).toEqual({ Malformed: 1 })
      expect(yield* look(RandomPool.token())).toEqual({ Unknown: 1 })
      expect(yield* counted(visit(token, () => Effect.void))).toEqual({})
      isCorrupt = true
      expect(yield* look(token)).toEqual({ Corrupt: 1 })
    }))

  it.effect("M6: the cookie store's are counted, once a request", () =>
    Effect.gen(function*() {
      const keys = yield* KeyRing.generate
      const options = { secure: false, expiry: "1 hour" } as const
      const config = Either.getOrThrow(SessionConfig.resolve(options, "client"))
      const store = cookieStore.make(config, keys, "")
      const request = (token: string | undefined) =>
        new RequestSession(store, {
          cookie: token === undefined ? undefined : `${config.name}=${token}`,
          userAgent: undefined
        })
      const first = request(undefined)
      yield* first.insert(A, "v")
      const { cookie } = yield* first.finish(true)
      const token = cookie._tag === "Set" ? cookie.token : ""
      const look = (token: string | undefined) => counted(request(token).get(A))
      expect(yield* look(token)).toEqual({ Found: 1 })
      expect(yield* look(undefined)).toEqual({ Absent: 1 })
      expect(yield* look("garbage")).toEqual({ Malformed: 1 })
      expect(yield* look(yield* PrivateCookie.seal(yield* KeyRing.generate, config.name, "v"))).toEqual({
        NotAuthentic: 1
      })
      expect(yield* look(yield* PrivateCookie.seal(keys, config.name, "v"))).toEqual({ Corrupt: 1 })
      yield* TestClock.adjust("1 hour")
      expect(yield* look(token)).toEqual({ Expired: 1 })
    }))
})

// ── K1 ──

describe("the name of a sealed cookie", () => {
  const material = Uint8Array.from({ length: 64 }, (_, i) => i)
  const ring = Effect.runSync(KeyRing.fromBytes(material))

  /** A seal by the platform's own cipher, with the octets of the name as additional data. */
  const sealed = (name: Uint8Array, value: string): string => {
    const nonce = Crypto.randomBytes(12)
    const cipher = Crypto.createCipheriv("aes-256-gcm", material.subarray(32), nonce)
    cipher.setAAD(name)
    return Buffer.concat([nonce, cipher.update(value, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64")
  }

  it("K1: is authenticated in UTF-8", () => {
    const name = "pr\u00e9f\u00e9rences-\u{1f36a}"
    expect(PrivateCookie.open(ring, name, sealed(Buffer.from(name), "v"))).toEqual(Option.some("v"))
    expect(PrivateCookie.open(ring, name, sealed(Buffer.from(name, "latin1"), "v"))).toEqual(Option.none())
    expect(PrivateCookie.open(ring, name, PrivateCookie.unsafeSeal(ring, name, "v"))).toEqual(Option.some("v"))
  })

  it.effect("K1: a session sealed under one name opens under no other of the same length", () =>
    Effect.gen(function*() {
      const storeOf = (name: string) =>
        cookieStore.make(Either.getOrThrow(SessionConfig.resolve({ name }, "client")), ring, "")
      const expiry = {
        createdAt: 0,
        refreshedAt: 0,
        expiresAt: 60_000,
        idleMillis: 60_000,
        persistent: true,
        own: true
      }
      const patch = { clear: false, set: new Map([["a", "1"]]), remove: new Set<string>(), expiry, maxBytes: 1000 }
      const saved = yield* storeOf("shop").save(
        { base: undefined, patch, renew: false, ifVersion: undefined, owner: undefined },
        0
      )
      const token = saved._tag === "Saved" ? saved.token : ""
      expect(yield* storeOf("shop").load([token], 1)).toMatchObject({ _tag: "Found" })
      expect(yield* storeOf("Shop").load([token], 1)).toMatchObject({ _tag: "Empty", reason: "NotAuthentic" })
      expect(yield* storeOf("blog").load([token], 1)).toMatchObject({ _tag: "Empty", reason: "NotAuthentic" })
    }))
})

// ── S1 ──

describe("tokens", () => {
  it("S1: every one of their 256 bits is random", () => {
    const tokens = Array.from({ length: 200 }, () => Buffer.from(RandomPool.token(), "base64url"))
    for (let bit = 0; bit < 256; bit++) {
      const ones = tokens.filter((token) => (token[bit >> 3] >> (bit & 7)) & 1).length
      expect([bit, ones > 0 && ones < tokens.length]).toEqual([bit, true])
    }
  })

  it.effect("S1: what is no token in its one canonical form never reaches the backend", () =>
    Effect.gen(function*() {
      const { begin, counts, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "v"))
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      const last = alphabet.indexOf(token.at(-1)!)
      const others = [
        // the same 32 octets, with bits in the text that no octet takes
        ...[1, 2, 3].map((bits) => token.slice(0, -1) + alphabet[last | bits]),
        `${token}=`,
        `${token}A`,
        token.slice(0, -1),
        Buffer.from(token, "base64url").toString("base64"),
        `+${token.slice(1)}`,
        `.${token.slice(1)}`
      ]
      for (const other of others) {
        const finds = counts.find
        const { value } = yield* visit(other, (session) => session.get(A))
        expect([other, value, counts.find - finds]).toEqual([other, Option.none(), 0])
      }
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.some("v"))
    }))
})

// ── S2 ──

it.effect("S2: a session that was ended after a commit of the request, and before the next, sends no cookie at all", () =>
  Effect.gen(function*() {
    const { begin, finish, request, sessions, stored } = stage({ expiry: "1 hour" })
    const token = yield* begin((session) => session.insert(A, "v"))
    const session = request(token)
    yield* session.bind("ada")
    expect(yield* sessions.revokeAll("ada")).toBe(1)
    yield* session.insert(A, "late")
    const { verdict } = yield* finish(session, token)
    expect(verdict).toEqual({ cookie: { _tag: "None" }, failure: undefined })
    expect([yield* stored(token), yield* sessions.list("ada")]).toEqual([undefined, []])
  }))

// ── F2 ──

it.effect("F2: the keys and the audience of the configuration are the store's: another audience reads nothing", () =>
  Effect.gen(function*() {
    const storeOf = (audience: string) => {
      const environment = new Map([
        ["SESSION_STORE", "Cookie"],
        ["SESSION_SECRET", "a secret of at least 32 octets, for this test"],
        ["SESSION_AUDIENCE", audience]
      ])
      const from = Effect.withConfigProvider(SessionConfig.fromConfig, ConfigProvider.fromMap(environment))
      return Effect.provide(SessionStore.SessionStore, SessionStore.layerConfig({ from }))
    }
    const shop = yield* storeOf("shop")
    const session = new RequestSession(shop, { cookie: undefined, userAgent: undefined })
    yield* session.insert(A, "v")
    const { cookie } = yield* session.finish(true)
    const tokens = cookie._tag === "Set" ? [cookie.token] : []
    expect(yield* (yield* storeOf("shop")).load(tokens, 0)).toMatchObject({ _tag: "Found" })
    expect(yield* (yield* storeOf("blog")).load(tokens, 0)).toMatchObject({ _tag: "Empty", reason: "Corrupt" })
  }))
