/**
 * SHA-256 as 43 characters of base64url, under which stores keep what they must not reveal.
 */
import * as Crypto from "node:crypto"

/** `crypto.hash` since Node 20.12. */
export const sha256: (text: string) => string = typeof Crypto.hash === "function"
  ? (text) => Crypto.hash("sha256", text, "base64url")
  : (text) => Crypto.createHash("sha256").update(text).digest("base64url")
