/**
 * Refusals of Effect's `Config`.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"

/** What `f` makes of a variable's text. Where it refuses that, the error has its message and the variable's name. */
export const variable = <A>(
  name: string,
  f: (text: string) => { readonly value: A } | { readonly refused: string }
): Config.Config<A> =>
  Config.flatMap(Config.String(name), (text) => {
    const result = f(text)
    return "value" in result
      ? Config.succeed(result.value)
      : Config.fail(new ConfigProvider.SourceError({ message: `${name}: ${result.refused}` }))
  })

/** The kind of an error. Its message may hold what the provider read. */
export const kindOf = (error: Config.ConfigError): string => error.cause._tag
