import { ConfigProvider, Effect } from "effect"

/** A provider whose names are parts with an underscore between them; it reads below the prefix. */
export const prefixed = (prefix: string, values: Record<string, string>): ConfigProvider.ConfigProvider =>
  ConfigProvider.fromEnv({
    env: Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]))
  }).pipe(ConfigProvider.nested(prefix))

/** A provider that fails with the message, and the name of such an error. */
export const failing = (message: string) => ({
  provider: ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message }))),
  kind: "SourceError"
})
