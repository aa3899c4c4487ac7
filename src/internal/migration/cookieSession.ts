/**
 * The two cookies of cookie-session: the JSON of the session in base64, and under `<name>.sig` the HMAC-SHA-1 of
 * `<name>=<value>` in base64url, as keygrip makes it.
 */
import type * as Redacted from "effect/Redacted"
import { scan } from "../request/cookieHeader.js"
import { equals, type Former, hmac, maxDuplicates, parseObject, secretsOf } from "./former.js"

export const make = (name: string, keys: ReadonlyArray<Redacted.Redacted<string>>): Former => {
  const texts = secretsOf("keys", keys)
  const signatureName = `${name}.sig`

  const isSigned = (value: string, signatures: ReadonlyArray<string>): boolean =>
    texts.some((key) => {
      const expected = hmac("sha1", key, `${name}=${value}`, "base64url")
      return signatures.some((signature) => equals(expected, signature))
    })

  return {
    names: [name, signatureName],
    open: (header) => {
      const { tokens } = scan(header, name, maxDuplicates, (value) => /^[A-Za-z0-9+/_-]+=*$/.test(value))
      if (tokens.length === 0) return []
      const signatures = scan(header, signatureName, maxDuplicates, (value) => value.length === 27).tokens
      return tokens.flatMap((value) => {
        const data = isSigned(value, signatures) ? parseObject(Buffer.from(value, "base64").toString()) : undefined
        return data === undefined ? [] : [{ _tag: "Data", data }]
      })
    }
  }
}
