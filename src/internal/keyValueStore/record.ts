/**
 * The value of a session as text: a line with the format and a checksum, a line of numbers, the owner if there is one, and
 * the packed data.
 *
 * A record of another kind takes the next format number, because each version of the library leaves a record alone whose
 * format it does not know.
 */
import type { Corrupt, Owner, Renewed, StoredSession } from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"
import * as Mark from "../store/mark.js"
import { checksum } from "./values.js"

const format = 1

/** Of the mark that a renewal leaves: a record of version 0. Version 0.2 takes it for a newer format, and leaves it alone. */
const markFormat = 2

export interface Stored {
  readonly _tag: "Stored"
  readonly session: StoredSession
  /** Whether clean-up has an entry for it. Version 0.2 kept its entries elsewhere, and wrote a time in place of the 0. */
  readonly listed: boolean
}

/** What is stored under an id. */
export type Found = Stored | Corrupt | undefined

/** Whether the id is in use. An unreadable record keeps its id in use, because it does not tell when it expires. */
export const isLive = (found: Found, now: number): boolean =>
  found?._tag === "Stored" ? found.session.expiresAt > now : found !== undefined

/** The mark that a renewal has left: it is stored like a session, but is not one. */
export const markIn = (found: Found): Renewed | undefined =>
  found?._tag === "Stored" && found.session.version === Mark.version ? Mark.fromRecord(found.session) : undefined

export const encode = (id: string, session: StoredSession): string => {
  const { createdAt, data, expiresAt, idleMillis, own, owner, persistent, refreshedAt, version } = session
  const about = owner && JSON.stringify([owner.subject, owner.authenticatedAt, owner.userAgent, owner.address])
  const times = [createdAt, refreshedAt, expiresAt, idleMillis, Number(persistent), Number(own)]
  const numbers = [version, ...times, 0, about?.length ?? 0]
  const body = `${numbers.join(" ")}\n${about ?? ""}${Data.pack(data)}`
  return `effect-session ${version === Mark.version ? markFormat : format} ${checksum(id, body)}\n${body}`
}

export const decode = (id: string, text: string): Stored | Corrupt => {
  const head = /^effect-session (\d{1,9}) ([^\n]*)\n/.exec(text)
  if (head === null) return corrupt("it has no header")
  if (Number(head[1]) > markFormat) return { _tag: "Corrupt", newerFormat: true, detail: `it has format ${head[1]}` }
  const body = text.slice(head[0].length)
  if (Number(head[1]) < format || head[2] !== checksum(id, body)) return corrupt("its checksum is wrong")
  const lineEnd = body.indexOf("\n")
  const numbers = body.slice(0, lineEnd).split(" ").map(Number)
  const [version, createdAt, refreshedAt, expiresAt, idleMillis, persistent, own, entry, ownerLength] = numbers
  const dataStart = lineEnd + 1 + ownerLength
  const data = Data.unpack(body, dataStart)
  if (numbers.length !== 9 || numbers.some(Number.isNaN) || data === undefined) return corrupt("its content is wrong")
  const owner = ownerLength === 0 ? undefined : decodeOwner(body.slice(lineEnd + 1, dataStart))
  const times = { createdAt, refreshedAt, expiresAt, idleMillis, persistent: persistent === 1, own: own === 1 }
  return { _tag: "Stored", session: { version, ...times, owner, data }, listed: entry === 0 }
}

const corrupt = (detail: string): Corrupt => ({ _tag: "Corrupt", newerFormat: false, detail })

const decodeOwner = (text: string): Owner => {
  const [subject, authenticatedAt, userAgent, address] = JSON.parse(text)
  return { subject, authenticatedAt, userAgent: userAgent ?? undefined, address: address ?? undefined }
}
