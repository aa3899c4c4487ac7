/**
 * The token of a server store: 256 random bits in the cookie, their SHA-256 in the store (row S1).
 */
import * as Crypto from "node:crypto"

/** 43 characters of base64url; the last one carries four bits, so that only every fourth letter is canonical. */
const tokenPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

export const isToken = (value: string): boolean => value.length === 43 && tokenPattern.test(value)

/** The id of the record that a token names: its SHA-256, so that a dump of the store signs nobody in. */
export const idOf: (token: string) => string = typeof Crypto.hash === "function"
  ? (token) => Crypto.hash("sha256", token, "base64url")
  : (token) => Crypto.createHash("sha256").update(token).digest("base64url")
