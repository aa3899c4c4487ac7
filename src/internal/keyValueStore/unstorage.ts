/**
 * A `Storage` of unstorage as the `KeyValueStore` that the backend of this folder works over. Nothing of that package is
 * imported here.
 */
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import { fromPromises } from "../edition/keyValues.js"

/**
 * What is used of a `Storage`, as `createStorage` of unstorage makes it, over any of its drivers.
 *
 * @since 1.0.0
 * @category models
 */
export interface UnstorageStorage {
  getItem(key: string): Promise<unknown>
  setItem(key: string, value: string): Promise<unknown>
  removeItem(key: string): Promise<unknown>
}

/** `getItem` makes values of texts that look like JSON. None does that begins with this mark. */
const mark = "="

const made = new WeakMap<UnstorageStorage, KeyValueStore>()

/** Returns the same store for the same storage, because the backend of a store is what makes its calls atomic. */
export const fromStorage = (storage: UnstorageStorage): KeyValueStore => {
  let store = made.get(storage)
  if (store === undefined) {
    store = fromPromises({
      get: async (key) => {
        const value = await storage.getItem(key)
        // Anything else is foreign, and reads as a value that is corrupt.
        return value === null || value === undefined ? undefined : typeof value === "string" ? value.slice(1) : ""
      },
      set: (key, text) => storage.setItem(key, mark + text),
      remove: (key) => storage.removeItem(key)
    })
    made.set(storage, store)
  }
  return store
}

/** unstorage changes the other characters of a key, so that two keys could become one. */
export const isPrefix = (prefix: string): boolean => /^(?!:)[A-Za-z0-9_-]*(:[A-Za-z0-9_-]+)*:?$/.test(prefix)
