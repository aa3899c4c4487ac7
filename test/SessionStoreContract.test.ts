import { Context, Effect, Layer } from "effect"
import { KeyRing, SessionBackend, SessionStore } from "effect-session"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as memory from "../src/internal/memory/backend.js"

const MemoryBackend = Layer.effectContext(Effect.sync(() => {
  const { backend, index } = memory.make({ maxSessions: 1_000_000, maxBytes: 2 ** 29 })
  return Context.make(SessionBackend.SessionBackend, backend).pipe(Context.add(SessionBackend.SubjectIndex, index))
}))

SessionStoreContract.suite("Memory backend", MemoryBackend, { index: true })

SessionStoreContract.behaviour("Memory", "server", SessionStore.layerMemory)

const keys = Effect.runSync(KeyRing.generate)

SessionStoreContract.behaviour("Cookie", "client", (options) => SessionStore.layerCookie({ ...options, keys }))
