/**
 * The owner and the data of a session as one text: `<length of owner>:<owner>` where there is an owner, and then the data as
 * `pack` writes it. All of these texts are written by this process, so that reading one needs no checks.
 */
import type { NewSession, Owner } from "../../SessionBackend.js"
import * as Data from "../codec/packedData.js"

export const write = (session: NewSession): string => {
  const data = Data.pack(session.data)
  return session.owner === undefined ? data : writeOwner(session.owner) + data
}

const writeOwner = ({ address, authenticatedAt, subject, userAgent }: Owner): string => {
  const json = JSON.stringify([subject, authenticatedAt, userAgent, address])
  return `${json.length}:${json}`
}

/** Where the data begins in the text of a session that has an owner. */
export const endOfOwner = (text: string): number => {
  const colon = text.indexOf(":")
  return colon + 1 + Number(text.slice(0, colon))
}

/** The owner in the text of a session that has one. */
export const readOwner = (text: string): Owner => {
  const [subject, authenticatedAt, userAgent, address] = JSON.parse(text.slice(text.indexOf(":") + 1, endOfOwner(text)))
  return { subject, authenticatedAt, userAgent: userAgent ?? undefined, address: address ?? undefined }
}

/** The data in a text, from a position on. */
export const readData = (text: string, from: number): Map<string, string> => Data.unpack(text, from)! // `pack` wrote it
