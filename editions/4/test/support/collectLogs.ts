import { Layer, Logger, References } from "effect"

/** Collects what is logged, each message with its level in front. */
export const collectLogs = (lines: Array<string>) =>
  Layer.merge(
    Logger.layer([
      Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.toUpperCase()} ${JSON.stringify(message)}`))
    ]),
    Layer.succeed(References.MinimumLogLevel, "All")
  )
