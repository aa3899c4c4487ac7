import { ConfigError, ConfigProvider, Effect } from "effect"

/** A provider whose names are parts with an underscore between them; it reads below the prefix. */
export const prefixed = (prefix: string, values: Record<string, string>): ConfigProvider.ConfigProvider =>
  ConfigProvider.fromMap(
    new Map(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value])),
    { pathDelim: "_" }
  ).pipe(ConfigProvider.nested(prefix))

/** A provider that fails with the message, and the name of such an error. */
export const failing = (message: string) => ({
  provider: ConfigProvider.fromFlat(ConfigProvider.makeFlat({
    load: (path) => Effect.fail(ConfigError.SourceUnavailable([...path], message, undefined as never)),
    enumerateChildren: () => Effect.succeed(new Set<string>() as never),
    patch: { _tag: "Empty" }
  })),
  kind: "SourceUnavailable"
})
