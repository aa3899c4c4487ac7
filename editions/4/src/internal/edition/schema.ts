/**
 * A schema as two functions between a value and what JSON can hold, done at once where nothing in the schema is asynchronous.
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as Done from "./done.js"

/** Why a value does not match. */
export type Issue = SchemaIssue.Issue

/** A schema of a value, its encoded side and the services that it needs. */
export type Codec<A, I = A, R = never> = Schema.Codec<A, I, R, R>

export const decoder = <A, I, R>(schema: Codec<A, I, R>): (json: unknown) => Effect.Effect<A, Issue, R> =>
  SchemaParser.decodeUnknownEffect(Schema.toCodecJson(schema))

export const encoder = <A, I, R>(schema: Codec<A, I, R>): (value: A) => Effect.Effect<I, Issue, R> =>
  SchemaParser.encodeEffect(Schema.toCodecJson(schema)) as unknown as (value: A) => Effect.Effect<I, Issue, R>

export const map: <A, B, R>(result: Effect.Effect<A, Issue, R>, f: (a: A) => B) => Effect.Effect<B, Issue, R> = Done.map

/** What became of a step: its value, its issue, or undefined where it has yet to run. */
export type Outcome<A> = { readonly value: A } | { readonly issue: Issue } | undefined

/** @throws what the schema threw */
export const outcomeOf = <A, R>(result: Effect.Effect<A, Issue, R>): Outcome<A> => {
  if (!Exit.isExit(result)) return undefined
  const exit = result as unknown as Exit.Exit<A, Issue>
  if (exit._tag === "Success") return { value: exit.value }
  const reason = exit.cause.reasons[0]
  if (reason?._tag === "Fail") return { issue: reason.error }
  throw reason?._tag === "Die" ? reason.defect : new Error("interrupted")
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** The path of an issue. Nothing else of it may be shown, because its messages print the value. */
export const pathOf = (issue: Issue): string => {
  try {
    return format(issue).issues[0]?.path?.map(String).join(".") ?? ""
  } catch {
    return ""
  }
}
