/**
 * What the owner of a session adds to its size: somebody who signs in chooses the User-Agent (row S7).
 */
import type { Owner } from "../../SessionBackend.js"

/** The bytes of UTF-8 that an owner takes; 0 without an owner. */
export const ownerSize = (owner: Owner | undefined): number =>
  owner === undefined
    ? 0
    : Buffer.byteLength(owner.subject) + Buffer.byteLength(owner.userAgent ?? "") +
      Buffer.byteLength(owner.address ?? "")
