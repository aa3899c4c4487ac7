/**
 * The errors and the answers of a `KeyValueStore`.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** What a call fails with. */
export type KeyValueError = PlatformError

/** The value; undefined where there is none. */
export const get = (store: KeyValueStore, key: string): Effect.Effect<string | undefined, KeyValueError> =>
  Effect.map(store.get(key), Option.getOrUndefined)

/** Whether a call failed because there is no such value. */
export const isNotFound = (error: KeyValueError): boolean => error._tag === "SystemError" && error.reason === "NotFound"
