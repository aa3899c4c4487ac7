/**
 * The data of a session as one flat text: for a sealed cookie, a text column, a file, a slot of memory.
 *
 * Each entry is `<length of key>:<length of text>:<key><text>`, lengths in UTF-16 code units. Reading is slicing: no value
 * is parsed until it is asked for. The key is escaped as JSON escapes it, so that the flat text has no control character
 * (PostgreSQL refuses NUL); the text is JSON and has none by itself.
 */
import type { Data } from "../../SessionBackend.js"

const escapeKey = (key: string): string => JSON.stringify(key).slice(1, -1)

const unescapeKey = (escaped: string): string => escaped.includes("\\") ? JSON.parse(`"${escaped}"`) as string : escaped

export const pack = (data: Data): string => {
  let flat = ""
  for (const [key, text] of data) {
    const escaped = escapeKey(key)
    flat += `${escaped.length}:${text.length}:${escaped}${text}`
  }
  return flat
}

/** undefined when the text is not one that `pack` wrote. */
export const unpack = (flat: string, from = 0): Map<string, string> | undefined => {
  const data = new Map<string, string>()
  let at = from
  try {
    while (at < flat.length) {
      const keyEnd = flat.indexOf(":", at)
      const textEnd = flat.indexOf(":", keyEnd + 1)
      if (keyEnd === -1 || textEnd === -1) return undefined
      const keyLength = length(flat, at, keyEnd)
      const textLength = length(flat, keyEnd + 1, textEnd)
      const start = textEnd + 1
      at = start + keyLength + textLength
      if (!(at <= flat.length)) return undefined
      const key = unescapeKey(flat.slice(start, start + keyLength))
      if (data.has(key)) return undefined
      data.set(key, flat.slice(start + keyLength, at))
    }
  } catch {
    return undefined // an escape that is none
  }
  return data
}

/** A decimal without sign or leading zero, else NaN, which no comparison passes. */
const length = (flat: string, from: number, to: number): number => {
  if (to === from || to - from > 7 || (to - from > 1 && flat.charCodeAt(from) === 0x30)) return NaN
  let n = 0
  for (let i = from; i < to; i++) {
    const digit = flat.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return NaN
    n = n * 10 + digit
  }
  return n
}

/** What one entry adds to the flat text, in octets of UTF-8. */
export const packedOctets = (key: string, text: string): number => {
  const escaped = escapeKey(key)
  return digits(escaped.length) + digits(text.length) + 2 + Buffer.byteLength(escaped) + Buffer.byteLength(text)
}

const digits = (n: number): number => n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : n < 10_000 ? 4 : String(n).length

/** What one entry counts against `maxSessionBytes`: octets of UTF-8 of key and text. */
export const octets = (key: string, text: string): number => Buffer.byteLength(key) + Buffer.byteLength(text)

/** `maxSessionBytes` counts this. */
export const totalOctets = (data: Data): number => {
  let total = 0
  for (const [key, text] of data) total += octets(key, text)
  return total
}

/** The data after a patch; the given data stays as it is. */
export const applyPatch = (
  data: Data,
  patch: { readonly clear: boolean; readonly set: Data; readonly remove: ReadonlySet<string> }
): Map<string, string> => {
  const next = patch.clear ? new Map<string, string>() : new Map(data)
  for (const key of patch.remove) next.delete(key)
  for (const [key, text] of patch.set) next.set(key, text)
  return next
}
