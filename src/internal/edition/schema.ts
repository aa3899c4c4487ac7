/**
 * A schema as two functions between a value and what JSON can hold, done at once where nothing in the schema is asynchronous.
 */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"

/** Why a value does not match. */
export type Issue = ParseResult.ParseIssue

/** What a schema fails with in an app. */
export type SchemaError = ParseResult.ParseError

export const isSchemaError: (u: unknown) => u is SchemaError = ParseResult.isParseError

/** A schema of a value, its encoded side and the services that it needs. */
export type Codec<A, I = A, R = never> = Schema.Schema<A, I, R>

export const decoder = <A, I, R>(schema: Codec<A, I, R>): (json: unknown) => Effect.Effect<A, Issue, R> =>
  ParseResult.decodeUnknown(schema)

export const encoder = <A, I, R>(schema: Codec<A, I, R>): (value: A) => Effect.Effect<I, Issue, R> =>
  ParseResult.encode(schema)

export const map: <A, B, R>(result: Effect.Effect<A, Issue, R>, f: (a: A) => B) => Effect.Effect<B, Issue, R> =
  ParseResult.map

/** What became of a step: its value, its issue, or undefined where it has yet to run. */
export type Outcome<A> = { readonly value: A } | { readonly issue: Issue } | undefined

export const outcomeOf = <A, R>(result: Effect.Effect<A, Issue, R>): Outcome<A> => {
  if (!Either.isEither(result)) return undefined
  const either = result as unknown as Either.Either<A, Issue>
  return either._tag === "Right" ? { value: either.right } : { issue: either.left }
}

/** The path of an issue. Nothing else of it may be shown, because its messages print the value. */
export const pathOf = (issue: Issue): string => {
  try {
    return ParseResult.ArrayFormatter.formatIssueSync(issue)[0]?.path.map(String).join(".") ?? ""
  } catch {
    return ""
  }
}

/**
 * The messages of an error by the paths that they belong to; that of the whole value has the empty path. Where the schema has no
 * message of its own, Effect's repeats the value, which may be a password: that part is cut off.
 */
export const messagesOf = (error: SchemaError): ReadonlyArray<readonly [path: string, message: string]> =>
  ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) =>
    [path.map(String).join("."), withoutValue(message)] as const
  )

const withoutValue = (message: string): string => {
  const end = message.indexOf(", actual ")
  return end < 0 ? message : message.slice(0, end)
}
