/**
 * The values of a `KeyValueStore` under a prefix, and the turns that the callers in this process take at them.
 *
 * Keys consist of `a` to `z`, digits and hyphens. So each is a safe file name, also where `a` and `A` name the same file.
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { get, isNotFound, type KeyValueError } from "../edition/keyValues.js"
import { Turns } from "../store/turns.js"

export type Values = ReturnType<typeof make>

export const make = (unprefixed: KeyValueStore.KeyValueStore, prefix: string) => {
  const store = KeyValueStore.prefix(unprefixed, prefix)
  const turns = new Turns<never>()

  /** Runs a reader while no writer of the same name runs, because it would see a half-written value. */
  const reading = <A, E>(name: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    turns.take(name, () => effect, () => undefined)

  return {
    get: (key: string) => get(store, key),
    has: store.has,
    set: store.set,
    /** Succeeds also when there is no such value, which a file system reports as an error. */
    remove: (key: string): Effect.Effect<void, KeyValueError> =>
      Effect.catchIf(
        store.remove(key),
        isNotFound,
        () => Effect.void
      ),
    reading,
    /** Runs a writer alone and to its end, because interrupting the write of a file leaves half a file. */
    writing: <A, E>(name: string, effect: Effect.Effect<A, E>) => reading(name, Effect.uninterruptible(effect))
  }
}

/** Distinguishes a whole value from one whose write was cut off, and from a value that belongs to another name. */
export const checksum = (name: string, content: string): string =>
  createHash("sha256").update(`${name}\n${content}`).digest("hex").slice(0, 16)
