/**
 * Writes a record as columns, and reads it from columns, in which each driver gives 64-bit integers, texts and bytes in a form
 * of its own.
 *
 * A row whose `format` is not the one that this version writes is not read: a later version may lay out its rows, or kinds of
 * rows, in any way, as long as `id` and `expires_at` keep their meaning.
 */
import type {
  Corrupt,
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  Renewed,
  StoredSession,
  Successor
} from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"
import { sha256 } from "../codec/sha256.js"
import * as Mark from "../store/mark.js"
import { type Dialect, format, markFormat } from "./table.js"

/** The columns by name, as `statements.ts` selects them. */
export type Row = { readonly [column: string]: unknown }

/**
 * Writes text that a client or a person chose in a form that every database takes and returns unchanged: PostgreSQL refuses
 * NUL, and a lone surrogate has no UTF-8.
 */
const escape = (text: string): string => JSON.stringify(text).slice(1, -1)

const unescape = (text: string): string => text.includes("\\") ? JSON.parse(`"${text}"`) as string : text

/** What the index holds of a subject: a text of one length, however long the subject is, which is compared byte by byte. */
export const hashOfSubject = (subject: string): string => sha256(escape(subject))

/** The row on which the sign-ins of a subject take turns. */
export const slotOf = (hash: string, slots: number): number => Buffer.from(hash, "base64url").readUInt16BE(0) % slots

/** MySQL gets bytes, which no character set of a connection and no sql_mode changes on the way. */
export const textFor = (dialect: Dialect): (text: string) => unknown =>
  dialect === "mysql" ? (text) => Buffer.from(text) : (text) => text

/** Columns hold whole milliseconds. They are rounded down, so that nothing lives longer than it should. */
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

/** The times, in the order of `statements.ts`. */
export const timeParams = (expiry: Expiry): Array<unknown> => [
  whole(expiry.createdAt),
  whole(expiry.refreshedAt),
  whole(expiry.expiresAt),
  whole(expiry.idleMillis),
  expiry.persistent ? 1 : 0,
  expiry.own ? 1 : 0
]

/** All parameters of an insert after the id. */
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

/** NaN for a value that is not a whole number: every comparison with NaN is false. */
const integer = (value: unknown): number => {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : NaN
  // pg gives 64-bit integers as text; better-sqlite3 gives a bigint under SafeIntegers.
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

/** The record of the first row, if there is one that has not expired. */
export const parseFirst = (rows: ReadonlyArray<Row>, now: number): StoredSession | Corrupt | Renewed | undefined =>
  rows.length === 0 ? undefined : parse(rows[0], now)

/** The record of a row; undefined when it has expired. Details name columns, and never what is in them. */
export const parse = (row: Row, now: number): StoredSession | Corrupt | Renewed | undefined => {
  if (integer(row.format) === markFormat) return parseMark(row, now)
  const session = parseListed(row, now)
  if (session === undefined || "_tag" in session) return session
  const flat = text(row.data)
  if (flat === undefined) return corrupt("data is not text")
  const data = Data.unpack(flat)
  return data === undefined ? corrupt("data cannot be parsed") : { ...session, data }
}

/** The parameters of a mark: its times and its data. */
export const markParams = (successor: Successor, now: number, text: (text: string) => unknown): Array<unknown> => {
  const record = Mark.toRecord(successor, now)
  const params = timeParams(record)
  params.push(text(Data.pack(record.data)))
  return params
}

const parseMark = (row: Row, now: number): Corrupt | Renewed | undefined => {
  if (integer(row.expires_at) <= now) return undefined
  const flat = text(row.data)
  const data = flat === undefined ? undefined : Data.unpack(flat)
  return data === undefined
    ? corrupt("the mark of a renewal cannot be parsed")
    : Mark.fromRecord({ createdAt: integer(row.created_at), data })
}

/** The record of a row that was selected without its data. */
export const parseListed = (row: Row, now: number): ListedSession | Corrupt | undefined => {
  const expiresAt = integer(row.expires_at)
  if (expiresAt <= now) return undefined
  const rowFormat = integer(row.format)
  if (rowFormat > format) {
    return {
      _tag: "Corrupt",
      newerFormat: true,
      detail: `its format is ${rowFormat}, and this version reads format ${format}`
    }
  }
  if (rowFormat !== format) return corrupt("format is not a known number")
  const version = integer(row.version)
  const createdAt = integer(row.created_at)
  const refreshedAt = integer(row.refreshed_at)
  const idleMillis = integer(row.idle_millis)
  const persistent = integer(row.persistent)
  const own = integer(row.own)
  if (!(version >= 1)) return corrupt("version is not a whole number above 0")
  if (!(createdAt >= 0 && refreshedAt >= 0 && expiresAt >= 0 && idleMillis >= 0)) {
    return corrupt("a time is not a whole number")
  }
  if (!(persistent === 0 || persistent === 1) || !(own === 0 || own === 1)) return corrupt("a flag is neither 0 nor 1")
  const owner = row.subject === null || row.subject === undefined ? undefined : parseOwner(row)
  if (owner === null) return corrupt("the owner cannot be parsed")
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

/** The owner; null when no insert has written such columns. */
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
  if (escaped === undefined) throw new TypeError("the column is neither text nor null")
  return unescape(escaped)
}
