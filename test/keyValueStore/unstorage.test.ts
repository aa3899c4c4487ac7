import { expect, it } from "@effect/vitest"
import { SessionStore } from "effect-session"
import { SessionBackend } from "effect-session/SessionBackend"
import * as Unstorage from "effect-session/SessionStore/Unstorage"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Util from "node:util"
import { createStorage, type Driver } from "unstorage"
import fs from "unstorage/drivers/fs"
import memory from "unstorage/drivers/memory"
import redisDriver from "unstorage/drivers/redis"
import { ownPrefix } from "../redis/kit.js"
import { data, newId, now, patch, session, stored } from "../redis/records.js"
import { describeWith, redis } from "../services.js"

const storageOf = (driver: Driver) =>
  Effect.acquireRelease(
    Effect.sync(() => createStorage({ driver })),
    (storage) => Effect.promise(() => storage.dispose())
  )

const over = (driver: Driver) =>
  Layer.unwrapScoped(Effect.map(storageOf(driver), (storage) => Unstorage.layerBackend({ storage })))

// Fewer rounds: the suite of the KeyValueStore has run all of them over the same code.
const rounds = { index: true, interleavings: 20, increments: 50, inserts: 50 }

SessionStoreContract.suite("unstorage in memory", over(memory()), rounds)

SessionStoreContract.suite(
  "unstorage in files",
  Layer.unwrapScoped(Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sessions-"))),
      (base) => Effect.sync(() => rmSync(base, { recursive: true }))
    ),
    (base) => over(fs({ base }))
  )),
  rounds
)

describeWith(redis, "unstorage in Redis", () => {
  const { hostname, port } = new URL(redis.url)
  SessionStoreContract.suite(
    "unstorage in Redis",
    Layer.unwrapScoped(
      Effect.map(ownPrefix, (base) => over(redisDriver({ base, host: hostname, port: Number(port || 6379) })))
    ),
    rounds
  )
})

const backendOf = (options: Unstorage.StorageOptions) =>
  Effect.map(Layer.build(Unstorage.layerBackend(options)), Context.get(SessionBackend))

it.scopedLive("S3: two layers over one storage take turns, so that parallel updates of both are all kept", () =>
  Effect.gen(function*() {
    const storage = yield* storageOf(memory())
    const [first, second] = [yield* backendOf({ storage }), yield* backendOf({ storage })]
    const id = newId()
    yield* first.insert(id, session({ data: data({}) }), now)
    const write = (i: number) => (i % 2 === 0 ? first : second).update(id, patch({ [`key ${i}`]: "1" }), now)
    yield* Effect.forEach(Array.from({ length: 40 }, (_, i) => i), write, { concurrency: "unbounded" })
    expect((yield* stored(first, id)).data.size).toBe(40)
  }))

it.scopedLive("M5: a driver that fails causes a typed failure, which repeats nothing of the session", () =>
  Effect.gen(function*() {
    const driver = memory()
    const refuse = () => {
      throw new Error("no room for secret-value")
    }
    const storage = yield* storageOf({ ...driver, setItem: refuse })
    const backend = yield* backendOf({ storage })
    const record = session({ data: data({ secret: JSON.stringify("secret-value") }) })
    const error = yield* Effect.flip(backend.insert(newId(), record, now))
    expect(error).toMatchObject({ _tag: "SessionStoreError", operation: "insert", reason: "Unavailable" })
    expect(error.message).not.toContain("secret-value")
    expect(JSON.stringify(error)).not.toContain("secret-value")
    expect(Util.inspect(error)).not.toContain("secret-value")
  }))

it.scopedLive("S6: a value under a session's key that this store has not written is corrupt, and is not overwritten", () =>
  Effect.gen(function*() {
    const storage = yield* storageOf(memory())
    const backend = yield* backendOf({ storage })
    const id = newId()
    yield* backend.insert(id, session(), now)
    const [key] = (yield* Effect.promise(() => storage.getKeys())).filter((key) => key.startsWith("session-record"))
    for (const foreign of ["text", "{\"a\":1}", "17"]) {
      yield* Effect.promise(() => storage.setItem(key, foreign))
      expect(Option.getOrThrow(yield* backend.find(id, now))).toMatchObject({ _tag: "Corrupt" })
      expect(yield* backend.update(id, patch({ a: "1" }), now)).toEqual({ _tag: "Missing" })
      expect(yield* backend.insert(id, session(), now)).toBe(false)
    }
  }))

it.scopedLive("F3: a prefix that unstorage would change is a mistake at start-up", () =>
  Effect.gen(function*() {
    const storage = yield* storageOf(memory())
    for (const prefix of ["a/", ":a", "a?b", "a::b", "../", "\u00e9"]) {
      const error = yield* Effect.flip(Layer.build(Unstorage.layer({ storage, prefix })))
      expect(error).toMatchObject({ _tag: "SessionConfigError", mistakes: [{ path: "prefix" }] })
    }
    for (const prefix of ["", "a", "shop:session:", "shop_1-"]) {
      yield* Effect.provide(SessionStore.SessionStore, Unstorage.layer({ storage, prefix }))
    }
  }))
