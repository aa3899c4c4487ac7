/**
 * The errors and the answers of a `KeyValueStore`.
 */
import { type PlatformError, SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** What a call fails with. */
export type KeyValueError = PlatformError

/** The value, or undefined. */
export const get = (
  store: KeyValueStore.KeyValueStore,
  key: string
): Effect.Effect<string | undefined, KeyValueError> => Effect.map(store.get(key), Option.getOrUndefined)

/** Whether a call failed because there is no such value. */
export const isNotFound = (error: KeyValueError): boolean => error._tag === "SystemError" && error.reason === "NotFound"

/** A `KeyValueStore` of texts over three functions that return promises. Its other functions are never called here. */
export const fromPromises = ({ get, remove, set }: {
  readonly get: (key: string) => Promise<string | undefined>
  readonly set: (key: string, text: string) => Promise<unknown>
  readonly remove: (key: string) => Promise<unknown>
}): KeyValueStore.KeyValueStore => {
  const call = <A>(method: string, promise: () => Promise<A>) =>
    Effect.tryPromise({
      try: promise,
      // What went wrong is left to `cause`, because a driver's own words may repeat the value.
      catch: (cause) => new SystemError({ reason: "Unknown", module: "KeyValueStore", method, cause })
    })
  const unused = Effect.dieMessage("the session store does not use this function")
  return KeyValueStore.make({
    get: (key) => Effect.map(call("get", () => get(key)), Option.fromNullable),
    getUint8Array: () => unused,
    set: (key, value) => call("set", () => set(key, value as string)), // the session store keeps texts only
    remove: (key) => call("remove", () => remove(key)),
    clear: unused,
    size: unused
  })
}
