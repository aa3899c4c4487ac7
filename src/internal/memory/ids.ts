/**
 * Ids as eight words of 32 bits instead of a text of 43 characters. An id then takes 32 bytes of its record, and no record keeps
 * the text of a request alive. The decoder is written out here because `Buffer`'s decoder is lenient, and two texts must not
 * name one record.
 */
import { id as idField, idWords, type Records } from "./records.js"

const characters = 43
const bytes = 32

const valueOf = new Uint8Array(128).fill(0xff)
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
for (let i = 0; i < alphabet.length; i++) valueOf[alphabet.charCodeAt(i)] = i

const buffer = Buffer.from(new ArrayBuffer(bytes))
const words = new Uint32Array(buffer.buffer)

/** The six bits of a character; 0xff for a character that is not in the alphabet. */
const bits = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  return code < 128 ? valueOf[code] : 0xff
}

/**
 * Reads an id for the functions below; false for a text that is not an id. The id is kept until the next call, so that it must
 * be used within the same synchronous step.
 */
export const read = (text: string): boolean => {
  if (text.length !== characters) return false
  let wrong = 0
  let to = 0
  for (let at = 0; at < 40; at += 4) {
    const a = bits(text, at)
    const b = bits(text, at + 1)
    const c = bits(text, at + 2)
    const d = bits(text, at + 3)
    wrong |= a | b | c | d
    buffer[to++] = a << 2 | b >>> 4
    buffer[to++] = b << 4 | c >>> 2
    buffer[to++] = c << 6 | d
  }
  const a = bits(text, 40)
  const b = bits(text, 41)
  const c = bits(text, 42)
  wrong |= a | b | c
  buffer[to++] = a << 2 | b >>> 4
  buffer[to] = b << 4 | c >>> 2
  // 0xff sets bits that no value has. The last two bits lie beyond the 256 of the id and must be 0.
  return wrong < 64 && (c & 3) === 0
}

/** The hash of the id that was read. An id is a SHA-256, so any part of it serves as its hash. */
export const hash = (): number => words[0]

/** Whether a record has the id that was read. */
export const matches = (records: Records, slot: number): boolean => {
  for (let i = 0; i < idWords; i++) {
    if (records.get(slot, idField + i) !== words[i]) return false
  }
  return true
}

/** Writes the id that was read into a record. */
export const store = (records: Records, slot: number): void => {
  for (let i = 0; i < idWords; i++) records.set(slot, idField + i, words[i])
}

const shown = Buffer.from(new ArrayBuffer(bytes))
const shownWords = new Uint32Array(shown.buffer)

/** The id of a record as text. The id that was read stays as it is. */
export const text = (records: Records, slot: number): string => {
  for (let i = 0; i < idWords; i++) shownWords[i] = records.get(slot, idField + i)
  return shown.toString("base64url")
}
