/**
 * The cookie of express-session: `s:<id>.<signature>`, with the HMAC-SHA-256 of the id as the signature, in base64 without
 * padding. The data are in a store that knows the id.
 */
import type * as Redacted from "effect/Redacted"
import { scan } from "../request/cookieHeader.js"
import { equals, type Former, hmac, maxDuplicates, secretsOf } from "./former.js"

export const make = (name: string, secrets: ReadonlyArray<Redacted.Redacted<string>>): Former => {
  const keys = secretsOf("secrets", secrets)

  /** The id, where one of the secrets has signed it. */
  const idOf = (value: string): string | undefined => {
    const dot = value.lastIndexOf(".")
    const id = value.slice(2, dot)
    const signature = value.slice(dot + 1)
    return keys.some((key) => equals(hmac("sha256", key, id, "base64").replace(/=+$/, ""), signature)) ? id : undefined
  }

  return {
    names: [name],
    open: (header) => {
      const { tokens } = scan(header, name, maxDuplicates, (value) => /^s:.+\../s.test(value))
      return tokens.map(idOf).flatMap((id) => id === undefined ? [] : [{ _tag: "Id", id }])
    }
  }
}

/**
 * Whether the data from the store say that the session is over. Most stores return nothing then, but a look-up that the app has
 * written itself may not look at the time.
 */
export const isOver = (data: object, now: number): boolean => {
  const { cookie } = data as { readonly cookie?: unknown }
  if (typeof cookie !== "object" || cookie === null) return false
  const { expires } = cookie as { readonly expires?: unknown }
  if (expires === null || expires === undefined || expires === false) return false
  const end = expires instanceof Date ? expires.getTime() : typeof expires === "string" ? Date.parse(expires) : NaN
  return !(end > now)
}
