/**
 * A record as columns, and columns as a record: every driver's idea of a 64-bit integer, a text and octets.
 */
import * as Crypto from "node:crypto"
import type { Corrupt, Expiry, ListedSession, NewSession, Owner, StoredSession } from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"
import { type Dialect, format } from "./table.js"

/** Columns by name, as `statements.ts` selects them. */
export type Row = { readonly [column: string]: unknown }

/**
 * Text that a client or a person chose, in a form that every database takes and gives back as it was: PostgreSQL refuses
 * NUL, and a lone surrogate has no UTF-8.
 */
const escape = (text: string): string => JSON.stringify(text).slice(1, -1)

const unescape = (text: string): string => text.includes("\\") ? JSON.parse(`"${text}"`) as string : text

/** What the index holds of a subject: of one length, however long the subject, and compared octet by octet. */
export const hashOfSubject = (subject: string): string =>
  Crypto.createHash("sha256").update(escape(subject)).digest("base64url")

/** One of the rows on which sign-ins take turns. */
export const slotOf = (hash: string, slots: number): number => Buffer.from(hash, "base64url").readUInt16BE(0) % slots

/** MySQL: as octets, which no connection's character set and no sql_mode changes on the way. */
export const textFor = (dialect: Dialect): (text: string) => unknown =>
  dialect === "mysql" ? (text) => Buffer.from(text) : (text) => text

/** Columns hold whole milliseconds; rounded down, so that nothing lives longer than it was given. */
export const whole = (millis: number): number =>
  Number.isSafeInteger(millis) ? millis : Math.min(Math.max(Math.floor(millis), 0), Number.MAX_SAFE_INTEGER)

/** The times as they are stored. */
export const wholeExpiry = (expiry: Expiry): Expiry => ({
  createdAt: whole(expiry.createdAt),
  refreshedAt: whole(expiry.refreshedAt),
  expiresAt: whole(expiry.expiresAt),
  idleMillis: whole(expiry.idleMillis),
  persistent: expiry.persistent,
  own: expiry.own
})

/** In the order of `statements.ts`. */
export const timeParams = (expiry: Expiry): Array<unknown> => [
  whole(expiry.createdAt),
  whole(expiry.refreshedAt),
  whole(expiry.expiresAt),
  whole(expiry.idleMillis),
  expiry.persistent ? 1 : 0,
  expiry.own ? 1 : 0
]

/** All that an insert is given after the id. */
export const recordParams = (session: NewSession, text: (text: string) => unknown): Array<unknown> => {
  const params = timeParams(session)
  params.push(text(Data.pack(session.data)))
  const { owner } = session
  if (owner === undefined) params.push(null, null, null, null, null)
  else {
    params.push(
      hashOfSubject(owner.subject),
      text(escape(owner.subject)),
      whole(owner.authenticatedAt),
      owner.userAgent === undefined ? null : text(escape(owner.userAgent)),
      owner.address === undefined ? null : text(escape(owner.address))
    )
  }
  return params
}

/** NaN for what is no whole number: every comparison with it is false. */
const integer = (value: unknown): number => {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : NaN
  // pg gives 64-bit integers as text, better-sqlite3 as bigint under SafeIntegers
  if (typeof value === "bigint" || (typeof value === "string" && /^-?\d{1,16}$/.test(value))) {
    return integer(Number(value))
  }
  return NaN
}

const text = (value: unknown): string | undefined => {
  if (typeof value === "string") return value
  if (Buffer.isBuffer(value)) return value.toString("utf8")
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8")
    : undefined
}

export const idIn = (row: Row): string => text(row.id) ?? ""

const corrupt = (detail: string): Corrupt => ({ _tag: "Corrupt", newerFormat: false, detail })

/** The record of a row; undefined when it has expired. The details name columns, never what is in them. */
export const parse = (row: Row, now: number): StoredSession | Corrupt | undefined => {
  const session = parseListed(row, now)
  if (session === undefined || "_tag" in session) return session
  const flat = text(row.data)
  if (flat === undefined) return corrupt("data is no text")
  const data = Data.unpack(flat)
  return data === undefined ? corrupt("data does not parse") : { ...session, data }
}

/** The record of a row without its data. */
export const parseListed = (row: Row, now: number): ListedSession | Corrupt | undefined => {
  const expiresAt = integer(row.expires_at)
  if (expiresAt <= now) return undefined
  const rowFormat = integer(row.format)
  if (rowFormat > format) {
    return { _tag: "Corrupt", newerFormat: true, detail: `format ${rowFormat}, this version knows ${format}` }
  }
  if (rowFormat !== format) return corrupt("format is no known number")
  const version = integer(row.version)
  const createdAt = integer(row.created_at)
  const refreshedAt = integer(row.refreshed_at)
  const idleMillis = integer(row.idle_millis)
  const persistent = integer(row.persistent)
  const own = integer(row.own)
  if (!(version >= 1)) return corrupt("version is no number above 0")
  if (!(createdAt >= 0 && refreshedAt >= 0 && expiresAt >= 0 && idleMillis >= 0)) {
    return corrupt("a time is no whole number")
  }
  if (!(persistent === 0 || persistent === 1) || !(own === 0 || own === 1)) return corrupt("a flag is neither 0 nor 1")
  const owner = row.subject === null || row.subject === undefined ? undefined : parseOwner(row)
  if (owner === null) return corrupt("the owner does not parse")
  return {
    createdAt,
    refreshedAt,
    expiresAt,
    idleMillis,
    persistent: persistent === 1,
    own: own === 1,
    owner,
    version
  }
}

/** null when the columns are not ones that an insert wrote. */
const parseOwner = (row: Row): Owner | null => {
  const subject = text(row.subject)
  const authenticatedAt = integer(row.authenticated_at)
  if (subject === undefined || !(authenticatedAt >= 0)) return null
  try {
    return {
      subject: unescape(subject),
      authenticatedAt,
      userAgent: optional(row.user_agent),
      address: optional(row.address)
    }
  } catch {
    return null
  }
}

const optional = (value: unknown): string | undefined => {
  if (value === null || value === undefined) return undefined
  const escaped = text(value)
  if (escaped === undefined) throw new TypeError("neither text nor null")
  return unescape(escaped)
}
