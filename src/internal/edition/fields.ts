/**
 * The fields of a form, as the platform reads them from a request.
 */
import type { UrlParams } from "@effect/platform/UrlParams"

export type Fields = UrlParams

/** Each field with its text. */
export const pairsOf = (fields: Iterable<readonly [string, string]>): ReadonlyArray<readonly [string, string]> => [
  ...fields
]
