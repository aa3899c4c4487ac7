/**
 * Tokens of forms (row X5): the session keeps one secret, and each page gets it masked with random bytes of its own. What
 * does not repeat cannot be read from the sizes of compressed responses (BREACH).
 */
import { timingSafeEqual } from "node:crypto"
import * as Random from "../codec/random.js"

/** Bytes of the secret: 128 bits. */
const length = 16

/** Characters of a token: the mask and the masked secret in base64url. */
const tokenLength = Math.ceil(2 * length * 4 / 3)

/** Makes a secret, as 22 characters of base64url. */
export const secret = Random.sid

const bytesOf = (text: string): Buffer => Buffer.from(text, "base64url")

/** Writes one text over another, byte by byte; done twice it gives the first one back. */
const xor = (bytes: Uint8Array, mask: Uint8Array): Uint8Array => bytes.map((byte, index) => byte ^ mask[index])

/** The secret under a new mask: 43 characters of base64url, no two of them alike. */
export const mask = (secret: string): string => {
  const mask = bytesOf(Random.sid())
  return Buffer.concat([mask, xor(bytesOf(secret), mask)]).toString("base64url")
}

/** Whether a client's text is the secret under some mask. */
export const matches = (token: string, secret: string): boolean => {
  if (token.length !== tokenLength) return false
  const bytes = bytesOf(token)
  const expected = bytesOf(secret)
  if (bytes.length !== 2 * length || expected.length !== length) return false
  return timingSafeEqual(xor(bytes.subarray(length), bytes.subarray(0, length)), expected)
}
