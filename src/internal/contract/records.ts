/**
 * Records and patches for tests of a backend.
 */
import type { Data, Expiry, NewSession, Owner, Patch } from "../../SessionBackend.js"
import * as random from "../codec/random.js"
import * as Token from "../server/token.js"

/** An id that nobody has used: tests clean nothing up and need no empty database. */
export const freshId = (): string => Token.idOf(random.token())

export const hour = 60 * 60 * 1000

export const times = (createdAt: number, lifeMillis = hour): Expiry => ({
  createdAt,
  refreshedAt: createdAt,
  expiresAt: createdAt + lifeMillis,
  idleMillis: lifeMillis,
  persistent: true,
  own: false
})

/** JSON texts under keys, as the library writes them. */
export const data = (values: Readonly<Record<string, unknown>>): Data =>
  new Map(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]))

export const session = (
  now: number,
  given: Partial<NewSession> & { readonly lifeMillis?: number } = {}
): NewSession => {
  const { lifeMillis, ...rest } = given
  return { ...times(now, lifeMillis), data: data({ user: "ada" }), owner: undefined, ...rest }
}

export const ownerOf = (subject: string, authenticatedAt: number): Owner => ({
  subject,
  authenticatedAt,
  userAgent: undefined,
  address: undefined
})

export const patch = (given: Partial<Patch> = {}): Patch => ({
  clear: false,
  set: new Map(),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 262_144,
  ...given
})
