/**
 * The token of a server session: 256 random bits in the cookie, and their SHA-256 in the store (row S1).
 */
import { sha256 } from "../codec/sha256.js"

/** 43 characters of base64url. The last one carries four bits only, so that only every fourth letter is canonical there. */
const tokenPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

export const isToken = (value: string): boolean => value.length === 43 && tokenPattern.test(value)

/** The id of the record that a token names: the SHA-256 of the token, so that a dump of the store signs nobody in. */
export const idOf: (token: string) => string = sha256
