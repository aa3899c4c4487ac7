/**
 * The errors and the answers of a `KeyValueStore`.
 */
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"

/** What a call fails with. */
export type KeyValueError = KeyValueStore.KeyValueStoreError

/** The value; undefined where there is none. */
export const get = (
  store: KeyValueStore.KeyValueStore,
  key: string
): Effect.Effect<string | undefined, KeyValueError> => store.get(key)

/** Whether a call failed because there is no such value. */
export const isNotFound = ({ cause }: KeyValueError): boolean =>
  (cause as { readonly reason?: { readonly _tag?: unknown } } | undefined)?.reason?._tag === "NotFound"

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
      catch: (cause) => new KeyValueStore.KeyValueStoreError({ method, message: `${method} failed`, cause })
    })
  const unused = Effect.die(new Error("the session store does not use this function"))
  return KeyValueStore.make({
    get: (key) => call("get", () => get(key)),
    getUint8Array: () => unused,
    set: (key, value) => call("set", () => set(key, value as string)), // the session store keeps texts only
    remove: (key) => call("remove", () => remove(key)),
    clear: unused,
    size: unused,
    keys: unused
  })
}
