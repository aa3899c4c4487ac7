import { Layer, Logger, LogLevel } from "effect"

/** Collects what is logged, each message with its level in front. */
export const collectLogs = (lines: Array<string>) =>
  Layer.merge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${JSON.stringify(message)}`))
    ),
    Logger.minimumLogLevel(LogLevel.All)
  )
