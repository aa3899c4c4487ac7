/**
 * A key of the cookie store, as a file or the environment declares it (rows F1, K2). No mistake repeats anything of it.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as KeyRing from "../../KeyRing.js"
import type { SessionConfigError } from "../../SessionError.js"
import { fromEither } from "../edition/done.js"
import { parsed } from "./mistakes.js"

/** `<…>` as a whole: a random text may well hold both; the other two are too long to come up by chance. */
const placeholders = [/^\s*<[\s\S]*>\s*$/, /\{\{[\s\S]*\}\}/, /\$\{[\s\S]*\}/]

const materialOf = (value: unknown): Either.Either<string | Uint8Array, string> => {
  if (value instanceof Uint8Array) return Either.right(value)
  if (typeof value === "string") {
    return placeholders.some((placeholder) => placeholder.test(value))
      // What a template holds is public.
      ? Either.left(
        "is a placeholder or a template that nothing expanded (<…>, {{…}}, ${…}); put a real key in its place"
      )
      : Either.right(value)
  }
  if (Array.isArray(value)) {
    const wrong = value.flatMap((byte, index) => Number.isInteger(byte) && byte >= 0 && byte <= 255 ? [] : [index])
    if (wrong.length === 0) return Either.right(Uint8Array.from(value))
    const which = wrong.length === 1
      ? `entry ${wrong[0]} is not one`
      : `${wrong.length} entries are not, and entry ${wrong[0]} is the first of them`
    return Either.left(`must be a list of integers from 0 to 255; ${which} (counted from 0)`)
  }
  const accepted = "must be text (in quotes) or a list of integers from 0 to 255"
  // YAML reads a template in braces without quotes as a mapping.
  const mapping = typeof value === "object" && value !== null
  return Either.left(mapping ? `${accepted}, not a mapping; is it a template that nothing expanded?` : accepted)
}

/** The ring of one key; nothing for a value that is undefined. */
const ringOf = (make: (material: string | Uint8Array) => Effect.Effect<KeyRing.KeyRing, SessionConfigError>) =>
  parsed<KeyRing.KeyRing | undefined>((value) =>
    value === undefined
      ? Effect.succeed(value)
      : Effect.flatMap(
        fromEither(materialOf(value)),
        (material) => Effect.mapError(make(material), ({ mistakes: [{ message }] }) => message)
      )
  )

/** The material of a key itself. */
export const privateKey = ringOf((material) =>
  typeof material === "string" ? KeyRing.fromUtf8(material) : KeyRing.fromBytes(material)
)

/** What a key is derived from. */
export const secret = ringOf(KeyRing.derive)
