/**
 * Refusals of Effect's `Config`.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"

/** What `f` makes of a variable's text. Where it refuses that, the error has its message and the variable's name. */
export const variable = <A>(
  name: string,
  f: (text: string) => { readonly value: A } | { readonly refused: string }
): Config.Config<A> =>
  Config.mapOrFail(Config.string(name), (text) => {
    const result = f(text)
    return "value" in result ? Either.right(result.value) : Either.left(ConfigError.InvalidData([], result.refused))
  })

/** The kind of an error. Its message may hold what the provider read. */
export const kindOf = (error: ConfigError.ConfigError): string => error._op
