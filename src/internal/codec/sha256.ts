/**
 * SHA-256 as 43 characters of base64url, under which stores keep what they must not reveal.
 */
import { hash } from "node:crypto"

export const sha256 = (text: string): string => hash("sha256", text, "base64url")
