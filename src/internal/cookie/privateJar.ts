/**
 * The sealed format of the private cookie jar: base64 of `nonce(12) ‖ AES-256-GCM ciphertext ‖ tag(16)`, with the cookie's name
 * as additional data.
 *
 * The cipher is that of `node:crypto` and synchronous, because for a value of a cookie's size WebCrypto spends most of its time
 * on the round trip. One scratch buffer holds the value that is being sealed or opened. Nothing waits in between, and the
 * buffer never holds plaintext: the cipher takes and returns plaintext in memory of its own.
 */
import { isAscii, isUtf8 } from "node:buffer"
import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto"
import * as random from "../codec/random.js"
import * as base64 from "./base64.js"

const algorithm = "aes-256-gcm"
const tagLength = 16

/** Without this option Node accepts tags of 4 bytes, which can be forged with a few billion guesses. */
const options = { authTagLength: tagLength }

/** The bytes that sealing adds to a text, before base64. */
export const sealBytes = random.nonceLength + tagLength

/** A longer value is not worth a call of the cipher: browsers accept 4,096 bytes of a cookie's name and value. */
export const maxSealedLength = 8192

const maxBytes = (maxSealedLength / 4) * 3

/** The most bytes of UTF-8 that a sealed value can carry. */
export const maxTextBytes = maxBytes - sealBytes

const scratch = Buffer.alloc(maxBytes)
const scratchNonce = scratch.subarray(0, random.nonceLength)

/** The length of a sealed value whose text has so many bytes. */
export const sealedLength = (textBytes: number): number => base64.encodedLength(sealBytes + textBytes)

/** Decodes into the scratch buffer. Returns the number of bytes, or -1 for a text that cannot be a sealed value. */
const decode = (sealed: string): number => {
  if (sealed.length > maxSealedLength) return -1
  const bytes = base64.decode(sealed, scratch)
  return bytes < sealBytes ? -1 : bytes
}

/** Whether a text can be a sealed value at all, decided without the cipher. */
export const isWellFormed = (sealed: string): boolean => decode(sealed) !== -1

/** Seals a text of at most `maxTextBytes`. */
export const seal = (key: KeyObject, name: Uint8Array, text: string): string => {
  random.nonce(scratchNonce)
  const cipher = createCipheriv(algorithm, key, scratchNonce, options)
  cipher.setAAD(name)
  const body = cipher.update(text, "utf8")
  cipher.final()
  scratch.set(body, random.nonceLength)
  scratch.set(cipher.getAuthTag(), random.nonceLength + body.length)
  return scratch.toString("base64", 0, sealBytes + body.length)
}

/**
 * - `text`: undefined when the sealed bytes are authentic but not UTF-8.
 * - `key`: the index of the key that opened the value.
 */
export interface Opened {
  readonly text: string | undefined
  readonly key: number
}

/** Opens a sealed value with the first of the keys that fits. Returns undefined when none does. */
export const open = (keys: ReadonlyArray<KeyObject>, name: Uint8Array, sealed: string): Opened | undefined => {
  const bytes = decode(sealed)
  if (bytes === -1) return undefined
  for (let key = 0; key < keys.length; key++) {
    const plain = decrypt(keys[key], name, bytes)
    if (plain !== undefined) return { text: decodeText(plain), key }
  }
  return undefined
}

/** Decrypts the first bytes of the scratch buffer. */
const decrypt = (key: KeyObject, name: Uint8Array, bytes: number): Buffer | undefined => {
  const tagFrom = bytes - tagLength
  const decipher = createDecipheriv(algorithm, key, scratchNonce, options)
  decipher.setAAD(name)
  decipher.setAuthTag(scratch.subarray(tagFrom, bytes))
  const plain = decipher.update(scratch.subarray(random.nonceLength, tagFrom))
  try {
    decipher.final()
    return plain
  } catch {
    return undefined // not authentic: nothing may look at `plain`
  }
}

/** Text is nearly always ASCII, and ASCII is read faster as Latin-1 than as UTF-8. */
const decodeText = (plain: Buffer): string | undefined =>
  isAscii(plain) ? plain.toString("latin1") : isUtf8(plain) ? plain.toString("utf8") : undefined
