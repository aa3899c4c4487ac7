import { Schema } from "effect"

/** Schemas whose encoded side is not JSON, each with a value that it accepts. Effect 4 has a form for a `Date` and a `bigint`. */
export const notJson: ReadonlyArray<readonly [schema: Schema.Codec<unknown>, value: unknown]> = [
  [Schema.Unknown, new Date()],
  [Schema.Unknown, 1n],
  [Schema.UndefinedOr(Schema.String) as Schema.Codec<unknown>, undefined]
]
