/**
 * The values of one cookie in a request's Cookie header (rows M8, M10).
 */
import { decodePercent } from "../codec/percent.js"

/**
 * - `present`: the header has the name, with whatever value.
 * - `tokens`: well-formed values in the order sent, each once, at most `max`.
 * - `malformed`: some value was not well-formed.
 */
export interface Candidates {
  readonly present: boolean
  readonly tokens: ReadonlyArray<string>
  readonly malformed: boolean
}

export const none: Candidates = { present: false, tokens: [], malformed: false }

/**
 * One scan for `name=` at the start of a pair. Pairs end at `;` alone, which is also what hosts join several headers with:
 * a comma is part of a value, and who can set any cookie of a parent domain could write a pair of ours behind one. Attributes
 * of a Set-Cookie string that was sent back whole are pairs of other names.
 */
export const scan = (
  header: string | undefined,
  name: string,
  max: number,
  wellFormed: (value: string) => boolean
): Candidates => {
  if (header === undefined) return none
  let at = header.indexOf(name)
  if (at === -1) return none
  let present = false
  let malformed = false
  const tokens: Array<string> = []
  for (; at !== -1; at = header.indexOf(name, at)) {
    const start = at
    at += name.length
    if (!startsPair(header, start)) continue
    const equals = skipSpace(header, at)
    if (header.charCodeAt(equals) !== EQUALS) continue
    let end = equals + 1
    while (end < header.length && header.charCodeAt(end) !== SEMICOLON) end++
    at = end
    present = true
    if (tokens.length === max) break
    const value = decode(header.slice(equals + 1, end).trim())
    if (value === undefined || !wellFormed(value)) malformed = true
    else if (!tokens.includes(value)) tokens.push(value)
  }
  return present ? { present, tokens, malformed } : none
}

const SEMICOLON = 0x3b
const EQUALS = 0x3d

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

const startsPair = (header: string, at: number): boolean => {
  let before = at - 1
  while (before >= 0 && isSpace(header.charCodeAt(before))) before--
  return before < 0 || header.charCodeAt(before) === SEMICOLON
}

const skipSpace = (header: string, at: number): number => {
  while (isSpace(header.charCodeAt(at))) at++
  return at
}

/** The value without quotes and percent-escapes; undefined where an escape is malformed. */
const decode = (value: string): string | undefined => {
  const bare = value.length > 1 && value.startsWith("\"") && value.endsWith("\"") ? value.slice(1, -1) : value
  return bare.includes("%") ? decodePercent(bare) : bare
}
