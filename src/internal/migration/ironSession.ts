/**
 * The cookie of iron-session: the session's JSON, sealed by iron (`Fe26.2`) with a password, and `~2` behind it.
 *
 * A seal has eight parts between `*`: the prefix, the password's id, the salt and the vector of the cipher, the sealed text, the
 * end as milliseconds (empty: none), the salt of the signature, and the signature of all that is before its salt. Both keys are
 * derived from the password with PBKDF2, of one round, because the password is long.
 */
import * as Redacted from "effect/Redacted"
import { createDecipheriv, pbkdf2Sync } from "node:crypto"
import { scan } from "../request/cookieHeader.js"
import { equals, type Former, hmac, maxDuplicates, parseObject, secretsOf } from "./former.js"

/** A password, or several by their ids, of which iron-session seals with the one that has the greatest id. */
export type Passwords = Redacted.Redacted<string> | Readonly<Record<string, Redacted.Redacted<string>>>

/** How far the clock of the process that sealed may be ahead, as in iron. */
const skewMillis = 60_000

export const make = (name: string, password: Passwords): Former => {
  const given = Redacted.isRedacted(password) ? { 1: password } : password
  const ids = Object.keys(given)
  const texts = secretsOf("password", Object.values(given), 32)
  const passwords = new Map(ids.map((id, i) => [id, texts[i]]))

  return {
    names: [name],
    open: (header, now) => {
      const { tokens } = scan(header, name, maxDuplicates, (value) => value.startsWith("Fe26.2*"))
      return tokens.flatMap((value) => {
        const [seal, version] = value.split("~")
        const text = version === "2" ? unseal(seal, passwords, now) : undefined
        const data = text === undefined ? undefined : parseObject(text)
        return data === undefined ? [] : [{ _tag: "Data", data }]
      })
    }
  }
}

const keyOf = (password: string, salt: string): Uint8Array => pbkdf2Sync(password, salt, 1, 32, "sha1")

const unseal = (seal: string, passwords: ReadonlyMap<string, string>, now: number): string | undefined => {
  const parts = seal.split("*")
  if (parts.length !== 8) return undefined
  const [, id, salt, vector, sealed, end, signatureSalt, signature] = parts
  const password = passwords.get(id === "" ? "1" : id)
  if (password === undefined || !/^\d*$/.test(end)) return undefined
  if (end !== "" && Number(end) <= now - skewMillis) return undefined
  const signed = parts.slice(0, 6).join("*")
  if (!equals(hmac("sha256", keyOf(password, signatureSalt), signed, "base64url"), signature)) return undefined
  try {
    const cipher = createDecipheriv("aes-256-cbc", keyOf(password, salt), Buffer.from(vector, "base64url"))
    return Buffer.concat([cipher.update(Buffer.from(sealed, "base64url")), cipher.final()]).toString()
  } catch {
    return undefined // signed with this password, and sealed with something else
  }
}
