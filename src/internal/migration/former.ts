/**
 * What a migration needs to know of the library whose sessions it reads.
 */
import * as Redacted from "effect/Redacted"
import { createHmac, timingSafeEqual } from "node:crypto"

/** A session that a cookie of the request opens: its data as they are, or the id by which its store knows it. */
export type Opened = { readonly _tag: "Data"; readonly data: unknown } | { readonly _tag: "Id"; readonly id: string }

/**
 * - `names`: the cookies that hold a session; the first one holds its value.
 * - `open`: the sessions that the cookies open, in the order sent. It never throws, and takes nothing for granted of a cookie.
 */
export interface Former {
  readonly names: ReadonlyArray<string>
  readonly open: (header: string, now: number) => ReadonlyArray<Opened>
}

/** How many cookies of one name are tried. A browser sends two of them if their paths or domains differ. */
export const maxDuplicates = 4

/** The secrets as texts. Throws where there is none, or where one is shorter than `least`. */
export const secretsOf = (
  option: string,
  secrets: ReadonlyArray<Redacted.Redacted<string>>,
  least = 1
): ReadonlyArray<string> => {
  const texts = secrets.map(Redacted.value)
  if (texts.length === 0) throw new TypeError(`${option}: expected at least one secret, the one that signs first`)
  const short = texts.findIndex((text) => typeof text !== "string" || text.length < least)
  if (short !== -1) {
    throw new TypeError(
      `${option}[${short}]: expected a text of at least ${least} ${least === 1 ? "character" : "characters"}`
    )
  }
  return texts
}

/** Compares in a time that depends on the lengths alone. */
export const equals = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

export const hmac = (
  algorithm: "sha1" | "sha256",
  key: string | Uint8Array,
  text: string,
  encoding: "base64" | "base64url"
): string => createHmac(algorithm, key).update(text).digest(encoding)

/** JSON that is an object; undefined for anything else. */
export const parseObject = (text: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
