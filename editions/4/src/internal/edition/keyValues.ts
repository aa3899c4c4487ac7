/**
 * The errors and the answers of a `KeyValueStore`.
 */
import type * as Effect from "effect/Effect"
import type { KeyValueStore, KeyValueStoreError } from "effect/persistence/KeyValueStore"

/** What a call fails with. */
export type KeyValueError = KeyValueStoreError

/** The value; undefined where there is none. */
export const get = (store: KeyValueStore, key: string): Effect.Effect<string | undefined, KeyValueError> =>
  store.get(key)

/** Whether a call failed because there is no such value. */
export const isNotFound = ({ cause }: KeyValueError): boolean =>
  (cause as { readonly reason?: { readonly _tag?: unknown } } | undefined)?.reason?._tag === "NotFound"
