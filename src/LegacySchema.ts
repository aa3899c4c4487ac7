/**
 * Schemas of the frozen `@effect/schema` package as schemas of its successor, `effect/Schema`.
 *
 * For code that still holds old schemas; new code needs nothing of this. `@effect/schema` is an optional peer that only
 * this module imports.
 *
 * @since 0.1.0
 */
import * as LegacyFormatter from "@effect/schema/ArrayFormatter"
import * as LegacyParseResult from "@effect/schema/ParseResult"
import type * as Legacy from "@effect/schema/Schema"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

/**
 * The same schema for `effect/Schema`: what the old one decodes and encodes, this one does, by calling it. Failures keep
 * their path and message.
 *
 * @example
 * ```ts
 * import * as Old from "@effect/schema/Schema"
 * import { SessionKey } from "effect-session"
 * import { fromLegacy } from "effect-session/LegacySchema"
 *
 * const LastSeen = SessionKey.make("lastSeen", fromLegacy(Old.Date))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromLegacy = <A, I, R>(schema: Legacy.Schema<A, I, R>): Schema.Schema<A, I, R> => {
  const decode = LegacyParseResult.decodeUnknown(schema)
  const encode = LegacyParseResult.encode(schema)
  const is = LegacyParseResult.is(schema)
  return Schema.transformOrFail(
    // The old schema checks the encoded side itself; here it is what its type says.
    Schema.Unknown as unknown as Schema.Schema<I>,
    Schema.declare((value): value is A => is(value)),
    {
      strict: true,
      decode: (encoded, _options, ast) => Effect.mapError(decode(encoded), toIssue(ast, encoded)),
      encode: (value, _options, ast) => Effect.mapError(encode(value), toIssue(ast, value))
    }
  )
}

const toIssue = (ast: AST.AST, actual: unknown) => (issue: LegacyParseResult.ParseIssue): ParseResult.ParseIssue => {
  const first = LegacyFormatter.formatIssueSync(issue)[0]
  const type = new ParseResult.Type(ast, actual, first?.message)
  if (first === undefined || first.path.length === 0) return type
  const [head, ...rest] = first.path
  return new ParseResult.Pointer([head, ...rest], actual, type)
}
