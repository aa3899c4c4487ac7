import type { Expiry, NewSession, Owner, Patch, StoredSession } from "effect-session/SessionBackend"
import { SessionBackend } from "effect-session/SessionBackend"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"

export const now = 1_800_000_000_000
export const hour = 3_600_000

export const newId = (): string => randomBytes(32).toString("base64url")

export const times = (options?: Partial<Expiry>): Expiry => ({
  createdAt: now - 5,
  refreshedAt: now - 3,
  expiresAt: now + hour,
  idleMillis: hour,
  persistent: true,
  own: false,
  ...options
})

export const session = (options?: Partial<NewSession>): NewSession => ({
  ...times(),
  data: new Map([["user", "\"ada\""]]),
  owner: undefined,
  ...options
})

export const owner = (subject: string, options?: Partial<Owner>): Owner => ({
  subject,
  authenticatedAt: now - 5,
  userAgent: undefined,
  address: undefined,
  ...options
})

export const owned = (subject: string, options?: Partial<NewSession>) => ({
  ...session(options),
  owner: owner(subject)
})

export const patch = (set: Record<string, string> | ReadonlyMap<string, string>, options?: Partial<Patch>): Patch => ({
  clear: false,
  set: set instanceof Map ? set : new Map(Object.entries(set)),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 262_144,
  ...options
})

/** The record, which must be there and readable. */
export const found = (id: string, at = now): Effect.Effect<StoredSession, never, SessionBackend> =>
  Effect.flatMap(SessionBackend, (backend) => backend.find(id, at)).pipe(
    Effect.flatMap(Option.match({
      onNone: () => Effect.dieMessage("there is no such record"),
      onSome: (record) => "_tag" in record ? Effect.dieMessage(record._tag) : Effect.succeed(record)
    })),
    Effect.orDie
  )

export const isThere = (id: string, at = now): Effect.Effect<boolean, never, SessionBackend> =>
  Effect.orDie(Effect.map(Effect.flatMap(SessionBackend, (backend) => backend.find(id, at)), Option.isSome))
