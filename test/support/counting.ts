import { Layer } from "effect"
import { SessionBackend, SessionStore } from "effect-session"
import * as memory from "../../src/internal/memory/backend.js"

export type Counts = Record<Exclude<keyof SessionBackend.SessionBackendService, "isAlone" | "count">, number>

/** A memory backend that counts its calls, and its store. */
export const countingStore = (options: Parameters<typeof SessionStore.layerBackend>[0] = {}) => {
  const counts: Counts = { find: 0, insert: 0, update: 0, remove: 0, removeExpired: 0 }
  const { backend } = memory.make({ maxSessions: 10_000, maxBytes: 64 * 1024 * 1024 })
  const counted: SessionBackend.SessionBackendService = {
    find: (...args) => (counts.find++, backend.find(...args)),
    insert: (...args) => (counts.insert++, backend.insert(...args)),
    update: (...args) => (counts.update++, backend.update(...args)),
    remove: (...args) => (counts.remove++, backend.remove(...args)),
    removeExpired: (...args) => (counts.removeExpired++, backend.removeExpired(...args))
  }
  const layer = SessionStore.layerBackend({ secure: false, ...options }).pipe(
    Layer.provide(Layer.succeed(SessionBackend.SessionBackend, counted))
  )
  const taken = () => {
    const now = { ...counts }
    for (const name of Object.keys(counts) as Array<keyof Counts>) counts[name] = 0
    return now
  }
  return { backend, counts, layer, taken }
}

/** The name=value of every Set-Cookie, as a Cookie header. */
export const cookieOf = (response: Response): string =>
  response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ")
