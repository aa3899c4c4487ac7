/**
 * The fields of a form, as the platform reads them from a request.
 */
import type { UrlParams } from "effect/http/UrlParams"

export type Fields = UrlParams

/** Each field with its text, without those that the app has redacted. */
export const pairsOf = (fields: Iterable<readonly [string, unknown]>): ReadonlyArray<readonly [string, string]> =>
  [...fields].flatMap(([name, text]) => typeof text === "string" ? [[name, text] as const] : [])
