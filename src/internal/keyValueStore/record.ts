/**
 * A session as the text of one value: a line that says the format and a checksum, a line of numbers, the owner if there is
 * one, and the packed data. The checksum is what tells a record that was cut off in the middle of its write; it covers the
 * id, so that the value of another key is no record either.
 */
import { createHash } from "node:crypto"
import type { Owner, StoredSession } from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"

const format = 1
const magic = "effect-session"

export interface Stored {
  readonly _tag: "Stored"
  readonly session: StoredSession
  /** the time under which the agenda has this session; no later than `expiresAt` was when it was written */
  readonly indexedAt: number
}

/** `newerFormat`: see `Corrupt` in the backend's contract. */
export interface Unreadable {
  readonly _tag: "Corrupt"
  readonly newerFormat: boolean
  readonly detail: string
}

const checksum = (id: string, body: string): string =>
  createHash("sha256").update(id).update("\n").update(body).digest("hex").slice(0, 16)

export const encode = (id: string, session: StoredSession, indexedAt: number): string => {
  const { owner } = session
  const ownerText = owner === undefined
    ? ""
    : JSON.stringify([owner.subject, owner.authenticatedAt, owner.userAgent, owner.address])
  const numbers = [
    session.version,
    session.createdAt,
    session.refreshedAt,
    session.expiresAt,
    session.idleMillis,
    session.persistent ? 1 : 0,
    session.own ? 1 : 0,
    indexedAt,
    ownerText.length
  ]
  const body = `${numbers.join(" ")}\n${ownerText}${Data.pack(session.data)}`
  return `${magic} ${format} ${checksum(id, body)}\n${body}`
}

export const decode = (id: string, text: string): Stored | Unreadable => {
  const head = /^effect-session (\d{1,9}) ([^\n]*)\n/.exec(text)
  if (head === null) return corrupt("it has no header")
  if (Number(head[1]) > format) return { _tag: "Corrupt", newerFormat: true, detail: `it has format ${head[1]}` }
  const body = text.slice(head[0].length)
  if (Number(head[1]) !== format || head[2] !== checksum(id, body)) return corrupt("its checksum is wrong")
  const lineEnd = body.indexOf("\n")
  const numbers = body.slice(0, lineEnd).split(" ").map(Number)
  const [version, createdAt, refreshedAt, expiresAt, idleMillis, persistent, own, indexedAt, ownerLength] = numbers
  const dataStart = lineEnd + 1 + ownerLength
  const data = Data.unpack(body, dataStart)
  // Behind a checksum that is right this is a fault of ours, and a corrupt record all the same.
  if (lineEnd === -1 || numbers.length !== 9 || numbers.some(Number.isNaN) || data === undefined) {
    return corrupt("its content is wrong")
  }
  return {
    _tag: "Stored",
    indexedAt,
    session: {
      version,
      createdAt,
      refreshedAt,
      expiresAt,
      idleMillis,
      persistent: persistent === 1,
      own: own === 1,
      owner: ownerLength === 0 ? undefined : decodeOwner(body.slice(lineEnd + 1, dataStart)),
      data
    }
  }
}

const corrupt = (detail: string): Unreadable => ({ _tag: "Corrupt", newerFormat: false, detail })

const decodeOwner = (text: string): Owner => {
  const [subject, authenticatedAt, userAgent, address] = JSON.parse(text)
  return { subject, authenticatedAt, userAgent: userAgent ?? undefined, address: address ?? undefined }
}
