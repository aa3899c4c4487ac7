/**
 * The data of a session as one flat text, for a sealed cookie, a text column, a file or a slot of memory.
 *
 * Each entry is `<length of key>:<length of text>:<key><text>`, with lengths in UTF-16 code units. Reading only slices the text:
 * no value is parsed until somebody asks for it. The key is escaped as in JSON, so that the flat text has no control characters
 * (PostgreSQL refuses NUL). The text is JSON already, which has none.
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

/** Reads what `pack` wrote, from a position on; undefined for any other text. */
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
    return undefined // a malformed escape
  }
  return data
}

/** A decimal number without sign and leading zero; NaN for anything else, so that every comparison with it is false. */
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

/** The bytes of UTF-8 that one entry adds to the flat text. */
export const packedBytes = (key: string, text: string): number => {
  const escaped = escapeKey(key)
  return digits(escaped.length) + digits(text.length) + 2 + Buffer.byteLength(escaped) + Buffer.byteLength(text)
}

const digits = (n: number): number => n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : n < 10_000 ? 4 : String(n).length

/** The bytes that one entry counts against `maxSessionBytes`: the UTF-8 of key and text. */
export const bytes = (key: string, text: string): number => Buffer.byteLength(key) + Buffer.byteLength(text)

/** The bytes that all entries count against `maxSessionBytes`. */
export const totalBytes = (data: Data): number => {
  let total = 0
  for (const [key, text] of data) total += bytes(key, text)
  return total
}

type PatchOfData = { readonly clear: boolean; readonly set: Data; readonly remove: ReadonlySet<string> }

/** Returns the data after a patch. The given data stays as it is. */
export const applyPatch = (data: Data, patch: PatchOfData): Map<string, string> => {
  const next = new Map<string, string>()
  // `new Map(data)` would make an array for each entry.
  if (!patch.clear) data.forEach((text, key) => next.set(key, text))
  return change(next, patch)
}

/** Makes the changes of a patch in the data itself, all but `clear`, and returns the data. */
export const change = (data: Map<string, string>, patch: Omit<PatchOfData, "clear">): Map<string, string> => {
  patch.remove.forEach((key) => data.delete(key))
  patch.set.forEach((text, key) => data.set(key, text))
  return data
}
