import { Effect, Layer } from "effect"
import { KeyRing, Revocation, SessionStore } from "effect-session"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Testing from "effect-session/Testing"
import * as Adapter from "../examples/adapter.js"

SessionStoreContract.suite("Memory backend", Testing.memory, { index: true })

SessionStoreContract.behaviour("Memory", "server", SessionStore.layerMemory, { interleavings: 300 })

const keys = Effect.runSync(KeyRing.generate)

SessionStoreContract.behaviour("Cookie", "client", (options) => SessionStore.layerCookie({ ...options, keys }))

SessionStoreContract.behaviour(
  "Cookie with revocation",
  "client",
  (options) => Layer.provide(SessionStore.layerCookieRevocable({ ...options, keys }), Revocation.layerMemory()),
  { revocable: true }
)

// ── the adapter that docs/adapter.md shows ──

const rewrite = (id: string, f: (text: string) => string) =>
  Effect.map(Adapter.Rows, (rows) => rows.set(id, f(rows.get(id) ?? "")))

SessionStoreContract.suite(
  "The documented adapter",
  Layer.provideMerge(Adapter.layer, Layer.sync(Adapter.Rows, () => new Map())),
  {
    index: true,
    marks: false,
    corrupt: (id) => rewrite(id, (text) => text.slice(1)),
    newerFormat: (id) => rewrite(id, (text) => JSON.stringify({ ...JSON.parse(text), format: 2 })),
    interleavings: 300
  }
)
