import { Layer, Logger, References } from "effect"

export interface Line {
  readonly level: string
  readonly message: unknown
  /** The annotation of that name. */
  readonly annotation: (name: string) => unknown
}

/** Sees each line that is logged, of every level. */
export const eachLine = (see: (line: Line) => void): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([
      Logger.make(({ fiber, logLevel, message }) =>
        see({
          level: logLevel.toUpperCase(),
          message,
          annotation: (name) => fiber.getRef(References.CurrentLogAnnotations)[name]
        })
      )
    ]),
    Layer.succeed(References.MinimumLogLevel, "All")
  )

/** Collects what is logged, each message with its level in front. */
export const collectLogs = (lines: Array<string>) =>
  eachLine(({ level, message }) => void lines.push(`${level} ${JSON.stringify(message)}`))
