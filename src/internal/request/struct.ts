/**
 * A patch of several keys as texts: all of them encoded before any is changed.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionSchemaError } from "../../SessionError.js"
import { keysOf, type Struct } from "../../SessionKey.js"
import { andThen, map } from "../edition/done.js"

/** By the names of the keys; undefined removes. A property that is undefined is not in the patch. */
export const textsOf = <Fields extends Struct.Fields>(
  struct: Struct<Fields>,
  changes: Struct.Patch<Fields>
): Effect.Effect<ReadonlyMap<string, string | undefined>, SessionSchemaError, Struct.Context<Fields>> => {
  let texts: Effect.Effect<Map<string, string | undefined>, SessionSchemaError, Struct.Context<Fields>> = Effect.sync(
    () => new Map<string, string | undefined>()
  )
  for (const [property, key] of keysOf(struct)) {
    const given: unknown = Object.hasOwn(changes, property) ? changes[property as keyof Fields] : undefined
    if (given === undefined) continue
    // What reading returns: the value itself where the key has a default.
    const value = key.default === undefined ? given as Option.Option<unknown> : Option.some<unknown>(given)
    const text = Option.isNone(value) ? Effect.succeed(undefined) : key.write(value.value)
    texts = andThen(texts, (texts) => map(text, (text) => texts.set(key.name, text)))
  }
  return texts
}
