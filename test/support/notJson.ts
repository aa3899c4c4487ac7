import { Schema } from "effect"

/** Schemas whose encoded side is not JSON, each with a value that it accepts. */
export const notJson: ReadonlyArray<readonly [schema: Schema.Schema<unknown>, value: unknown]> = [
  [Schema.DateFromSelf as Schema.Schema<unknown>, new Date()],
  [Schema.BigIntFromSelf as Schema.Schema<unknown>, 1n],
  [Schema.UndefinedOr(Schema.String) as Schema.Schema<unknown>, undefined]
]
