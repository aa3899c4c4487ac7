/**
 * Stores in memory, each filled through its own functions with the records that its own library makes. `add(i, lifeMillis)`
 * stores one session, `expire()` cleans up as the library does, and `cleaned()` returns how many sessions are gone.
 */
import { Effect, ManagedRuntime } from "effect"
import expressSession from "express-session"
import { MemoryStore as HonoMemoryStore, Session as HonoSession } from "hono-sessions"
import { LRUCache } from "lru-cache"
import memorystore from "memorystore"
import { hash, randomBytes, randomUUID } from "node:crypto"
import * as library from "../harness/library.js"

const day = 24 * 60 * 60 * 1000

/** 80 bytes of JSON, different for every session. */
const sessionOf = (i) => ({
  user: `0f8fad5b-d9cb-469f-a165-${String(i).padStart(12, "0")}`,
  role: "member-editor",
  n: 41000
})

const token = () => randomBytes(32).toString("base64url")

/**
 * No store: only what the caller of every store does for a session, and turns as long as ours that do nothing but compute. Its
 * longest turns are those of the machine and of the engine.
 */
const nothing = () => {
  let turns = 0
  let sum = 0
  const compute = () => {
    const end = performance.now() + 0.3
    while (performance.now() < end) sum += hash("sha256", String(sum)).length
  }
  return {
    add: (i) => {
      sum += hash("sha256", token()).length + JSON.stringify(sessionOf(i)).length
    },
    expire: () => {},
    done: () => {
      compute()
      return ++turns === 110
    },
    cleaned: () => Infinity
  }
}

const map = () => {
  const sessions = new Map()
  return { add: (i) => sessions.set(token(), JSON.stringify(sessionOf(i))) }
}

/** The least that knows when a session ends. Its clean-up looks at all sessions one by one, as hand-written ones do. */
const mapWithExpiry = () => {
  const sessions = new Map()
  let gone = 0
  return {
    add: (i, life) => sessions.set(token(), { data: JSON.stringify(sessionOf(i)), expiresAt: Date.now() + life }),
    expire: () => {
      const now = Date.now()
      for (const [id, session] of sessions) {
        if (session.expiresAt > now) continue
        sessions.delete(id)
        gone++
      }
    },
    cleaned: () => gone
  }
}

const lruCache = () => {
  const sessions = new LRUCache({ max: 2_000_000, ttl: day, ttlResolution: 0, perf: { now: () => Date.now() } })
  let all = 0
  return {
    add: (i, life) => {
      all++
      sessions.set(token(), JSON.stringify(sessionOf(i)), { ttl: life })
    },
    expire: () => sessions.purgeStale(),
    cleaned: () => all - sessions.size
  }
}

const cookieOf = (life) =>
  new expressSession.Cookie({ maxAge: life, httpOnly: true, sameSite: "lax", path: "/", secure: false })

/** Cleans up only when all sessions are read (`all`, `length`). */
const express = () => {
  const store = new expressSession.MemoryStore()
  let all = 0
  return {
    add: (i, life) => {
      all++
      store.set(randomBytes(24).toString("base64url"), { cookie: cookieOf(life), ...sessionOf(i) })
    },
    expire: () => store.all(),
    cleaned: () => all - Object.keys(store.sessions).length
  }
}

const memoryStore = () => {
  const Store = memorystore(expressSession)
  const store = new Store({})
  let all = 0
  return {
    add: (i, life) => {
      all++
      store.set(randomBytes(24).toString("base64url"), { cookie: cookieOf(life), ...sessionOf(i) })
    },
    expire: () => store.prune(),
    cleaned: () => all - store.store.itemCount
  }
}

/** Never cleans up. */
const hono = () => {
  const store = new HonoMemoryStore()
  return {
    add: (i, life) => {
      const session = new HonoSession(life / 1000)
      session.setCache({ _data: {}, _expire: null, _delete: false, _accessed: null, _id: randomUUID() }, true)
      for (const [key, value] of Object.entries(sessionOf(i))) session.set(key, value)
      session.reupSession()
      session.updateAccess()
      store.createSession(session.getCache()._id, session.getCache())
    }
  }
}

const remove = new Set()

const ours = async () => {
  const { SessionStore } = await library.main()
  const bounds = { maxSessions: 2_000_000, maxBytes: 2 ** 30 }
  const layer = SessionStore.layerMemory({ secure: false, expiry: day, cleanupInterval: "1 second", ...bounds })
  const runtime = ManagedRuntime.make(layer)
  const store = await runtime.runPromise(SessionStore.SessionStore)
  const expiring = []
  // A record that was not removed yet is still found if the store is asked for the instant before it expires.
  const isThere = ({ before, token }) => Effect.runSync(store.load([token], before))._tag === "Found"
  const maxBytes = store.config.maxSessionBytes
  return {
    add: (i, life) => {
      const now = Date.now()
      const set = new Map(Object.entries(sessionOf(i)).map(([key, value]) => [key, JSON.stringify(value)]))
      const expiry = life === day
        ? undefined
        : { createdAt: now, refreshedAt: now, expiresAt: now + life, idleMillis: life, persistent: true, own: true }
      const patch = { clear: false, set, remove, expiry, maxBytes }
      const saved = Effect.runSync(
        store.save({ base: undefined, patch, renew: false, ifVersion: undefined, owner: undefined }, now)
      )
      if (life !== day) expiring.push({ token: saved.token, before: now + life - 1 })
      return saved.token
    },
    // The store's own fiber cleans up, here every second.
    expire: () => {},
    done: () => !isThere(expiring.at(-1)),
    cleaned: () => expiring.filter((each) => !isThere(each)).length,
    prove: async (sessionToken, i) => {
      const loaded = Effect.runSync(store.load([sessionToken], Date.now()))
      const user = loaded._tag === "Found" ? JSON.parse(loaded.session.data.get("user")) : undefined
      if (user !== sessionOf(i).user) throw new Error(`expected to find session ${i}, but it is ${loaded._tag}`)
    },
    stop: () => runtime.dispose()
  }
}

export const contestants = {
  ours: { label: "effect-session, memory store", make: ours, ours: true },
  nothing: { label: "no store, for comparison", make: nothing, packages: [], control: true },
  map: { label: "Map of strings, no expiry", make: map, packages: [] },
  mapWithExpiry: { label: "Map with an expiry, scanned", make: mapWithExpiry, packages: [] },
  lruCache: { label: "lru-cache with a TTL", make: lruCache, packages: ["lru-cache"] },
  express: { label: "express-session MemoryStore", make: express, packages: ["express-session"] },
  memorystore: { label: "memorystore", make: memoryStore, packages: ["memorystore"] },
  hono: { label: "hono-sessions MemoryStore", make: hono, packages: ["hono-sessions"] }
}
