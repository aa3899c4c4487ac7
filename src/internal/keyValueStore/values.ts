/**
 * The values of a `KeyValueStore` under a prefix, and who may touch which one now.
 *
 * Every key is safe as the name of a file where `a` and `A` are the same file, and where letters are few: ids are written
 * in hexadecimal.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import { Turns } from "../store/turns.js"

export const hexOf = (id: string): string => Buffer.from(id, "base64url").toString("hex")

export const hashOf = (subject: string): string => createHash("sha256").update(JSON.stringify(subject)).digest("hex")

export class Values {
  private readonly turns = new Turns<never>()

  constructor(private readonly store: KeyValueStore.KeyValueStore, private readonly prefix: string) {}

  get(key: string): Effect.Effect<string | undefined, PlatformError> {
    return Effect.map(this.store.get(this.prefix + key), Option.getOrUndefined)
  }

  has(key: string): Effect.Effect<boolean, PlatformError> {
    return this.store.has(this.prefix + key)
  }

  set(key: string, value: string): Effect.Effect<void, PlatformError> {
    return this.store.set(this.prefix + key, value)
  }

  /** Removing what is not there is fine; the file system calls it an error. */
  remove(key: string): Effect.Effect<void, PlatformError> {
    return Effect.catchIf(
      this.store.remove(this.prefix + key),
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.void
    )
  }

  /** Reads, alone with the thing of that name: a write that is under way would be seen half done. */
  reading<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.turns.take(name, () => effect, () => undefined)
  }

  /**
   * Reads and writes, alone with the thing of that name, and not to be cut off: interrupting the write of a file leaves
   * half a file.
   *
   * Who holds one name may take another in this order only: sweep, subject, record, agenda.
   */
  writing<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.turns.take(name, () => Effect.uninterruptible(effect), () => undefined)
  }
}
