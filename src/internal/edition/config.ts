/**
 * Refusals of Effect's `Config`.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"

/** Fails with the message where `f` says so. */
export const mapOrRefuse = <A, B>(
  config: Config.Config<A>,
  f: (a: A) => { readonly value: B } | { readonly refused: string }
): Config.Config<B> =>
  Config.mapOrFail(config, (a) => {
    const result = f(a)
    return "value" in result ? Either.right(result.value) : Either.left(ConfigError.InvalidData([], result.refused))
  })

/** The kind of an error. Its message may hold what the provider read. */
export const kindOf = (error: ConfigError.ConfigError): string => error._op
