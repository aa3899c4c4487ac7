/** Records and ids for the tests of the Redis adapter. */
import type {
  Expiry,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession
} from "effect-session/SessionBackend"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"

export const now = 1_800_000_000_123
export const hour = 3_600_000

export const newId = (): string => randomBytes(32).toString("base64url")

export const times = (given: Partial<Expiry> = {}): Expiry => ({
  createdAt: now - 5,
  refreshedAt: now - 3,
  expiresAt: now + hour,
  idleMillis: hour,
  persistent: true,
  own: false,
  ...given
})

export const data = (entries: Record<string, string>): Map<string, string> => new Map(Object.entries(entries))

export const session = (given: Partial<NewSession> = {}): NewSession => ({
  ...times(),
  data: data({ user: "\"ada\"" }),
  owner: undefined,
  ...given
})

export const owned = (subject: string, given: Partial<NewSession> = {}): NewSession & { readonly owner: Owner } => ({
  ...session(given),
  owner: { subject, authenticatedAt: now - 7, userAgent: undefined, address: undefined }
})

export const patch = (set: Record<string, string>, given: Partial<Patch> = {}): Patch => ({
  clear: false,
  set: data(set),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 262_144,
  ...given
})

export const stored = (backend: SessionBackendService, id: string, at = now): Effect.Effect<StoredSession> =>
  backend.find(id, at).pipe(
    Effect.flatMap(Option.match({
      onNone: () => Effect.dieMessage("there is no such record"),
      onSome: (found) => "_tag" in found ? Effect.dieMessage(found._tag) : Effect.succeed(found)
    })),
    Effect.orDie
  )

export const isThere = (backend: SessionBackendService, id: string, at = now): Effect.Effect<boolean> =>
  Effect.orDie(Effect.map(backend.find(id, at), Option.isSome))
