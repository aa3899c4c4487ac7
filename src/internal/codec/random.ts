/**
 * Random bytes from a pool, because asking the system costs nearly the same for 4,096 bytes as for 12.
 *
 * No byte is handed out twice, because a nonce that is used twice breaks AES-GCM. Bytes leave the pool as copies, never as
 * views, and they are wiped from it at once. When a refill fails, the pool stays empty and hands out neither old bytes nor
 * zeros. The pool is filled at its first use and not when the module is loaded, so that a start-up snapshot holds no random
 * bytes.
 */
import { randomFillSync } from "node:crypto"

const size = 4096
const pool = Buffer.alloc(size)
let used = size

/** Reserves so many bytes of the pool and returns where they start. */
const take = (bytes: number): number => {
  if (used + bytes > size) {
    used = size
    randomFillSync(pool)
    used = 0
  }
  const start = used
  used += bytes
  return start
}

/** The bytes of an AES-GCM nonce (NIST SP 800-38D, 8.2.2: 96 bits, random). */
export const nonceLength = 12

/** Writes a new nonce into the first 12 bytes of `into`. */
export const nonce = (into: Uint8Array): void => {
  const start = take(nonceLength)
  // For so few bytes a loop is faster than calls of `copy` and `fill`.
  for (let i = 0; i < nonceLength; i++) {
    into[i] = pool[start + i]
    pool[start + i] = 0
  }
}

const base64url = (bytes: number): string => {
  const start = take(bytes)
  const text = pool.toString("base64url", start, start + bytes)
  pool.fill(0, start, start + bytes)
  return text
}

/** Makes a token of a server store: 256 bits as 43 characters of canonical base64url. */
export const token = (): string => base64url(32)

/** Makes the id of a sealed session: 128 bits as 22 characters of canonical base64url. */
export const sid = (): string => base64url(16)
