/**
 * What the mark of a renewal says about the session that replaced the old one (rows S9, I3).
 *
 * After an explicit renewal it is the id alone, and nobody can get from the old token to the new one. After a renewal by
 * `renewEvery` the new token stands behind the id, under a mask that only the old token can make. Requests that were on their
 * way, and a browser that never got its response, then arrive at the same session. A dump of the store still opens nothing.
 */
import { createHmac } from "node:crypto"
import * as Token from "./token.js"

/** The session that replaced another one; `token` is undefined where the old token does not lead to the new one. */
export interface Next {
  readonly id: string
  readonly token: string | undefined
}

const separator = "."

/** XOR with 32 bytes that depend on the old token: applied twice, it gives back what it was applied to. */
const masked = (oldToken: string, id: string, bytes: Buffer): Buffer => {
  const mask = createHmac("sha256", oldToken).update(`effect-session successor ${id}`).digest()
  return Buffer.from(bytes.map((byte, i) => byte ^ mask[i]))
}

/** The text of a mark whose old token leads to the new one. */
export const leading = (oldToken: string, newToken: string, id: string): string =>
  id + separator + masked(oldToken, id, Buffer.from(newToken, "base64url")).toString("base64url")

/** The id in the text of a mark. */
export const idOf = (successor: string): string => successor.split(separator, 1)[0]

/** What the text of a mark says to whoever has the old token. */
export const read = (successor: string, oldToken: string): Next => {
  const id = idOf(successor)
  if (id === successor) return { id, token: undefined }
  const token = masked(oldToken, id, Buffer.from(successor.slice(id.length + 1), "base64url")).toString("base64url")
  return { id, token: Token.isToken(token) && Token.idOf(token) === id ? token : undefined }
}
