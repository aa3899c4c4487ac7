/**
 * The mark that a renewal leaves under a session's old id, as a record: of version 0, which no session has, and with the
 * successor's id as its only value. A backend that stores records can store marks without another format.
 */
import type { NewSession, Renewed, StoredSession, Successor } from "../../SessionBackend.js"

/** The version of a mark; sessions begin at 1. */
export const version = 0

export const toRecord = ({ expiresAt, id }: Successor, now: number): NewSession => ({
  createdAt: now,
  refreshedAt: now,
  expiresAt,
  idleMillis: 0,
  persistent: false,
  own: false,
  data: new Map([["", id]]),
  owner: undefined
})

export const fromRecord = ({ createdAt, data }: Pick<StoredSession, "createdAt" | "data">): Renewed => ({
  _tag: "Renewed",
  successor: data.get("") ?? "",
  renewedAt: createdAt
})
