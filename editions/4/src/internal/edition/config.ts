/**
 * Refusals of Effect's `Config`.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"

/** Fails with the message where `f` says so. */
export const mapOrRefuse = <A, B>(
  config: Config.Config<A>,
  f: (a: A) => { readonly value: B } | { readonly refused: string }
): Config.Config<B> =>
  Config.flatMap(config, (a) => {
    const result = f(a)
    return "value" in result
      ? Config.succeed(result.value)
      : Config.fail(new ConfigProvider.SourceError({ message: result.refused }))
  })

/** The kind of an error. Its message may hold what the provider read. */
export const kindOf = (error: Config.ConfigError): string => error.cause._tag
