/**
 * A schema as two functions between a value and what JSON can hold, done at once where nothing in the schema is asynchronous.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as Done from "./done.js"

/** Why a value does not match. */
export type Issue = SchemaIssue.Issue

/** What a schema fails with in an app. */
export type SchemaError = Schema.SchemaError

export const isSchemaError: (u: unknown) => u is SchemaError = Schema.isSchemaError

/** A schema of a value, its encoded side and the services that it needs. */
export type Codec<A, I = A, R = never> = Schema.Codec<A, I, R, R>

export const decoder = <A, I, R>(schema: Codec<A, I, R>): (json: unknown) => Effect.Effect<A, Issue, R> =>
  SchemaParser.decodeUnknownEffect(Schema.toCodecJson(schema))

/**
 * Encodes as Effect 3 does, so that either edition reads what the other one wrote: Effect 4's own form of JSON has the texts
 * "NaN" and "Infinity" for numbers that JSON does not know, and null for undefined.
 */
export const encoder = <A, I, R>(schema: Codec<A, I, R>): (value: A) => Effect.Effect<I, Issue, R> => {
  const toJson = SchemaParser.encodeEffect(Schema.toCodecJson(schema))
  const toEncoded = SchemaParser.encodeEffect(schema)
  // Sound: what differs from the encoded side is JSON in place of a value that JSON does not know.
  return (value) => {
    const json = toJson(value)
    const asIs = () => toEncoded(value)
    const result = Done.isExit(json) && json._tag === "Failure"
      // What is not JSON is refused by whoever writes the text, who knows where it is.
      ? asIs()
      : Done.andThen(
        Done.isExit(json) ? json : Effect.catch(json, asIs),
        (json) => mayDiffer(json) ? Done.map(asIs(), (encoded) => merge(json, encoded)) : Effect.succeed(json)
      )
    return result as unknown as Effect.Effect<I, Issue, R>
  }
}

const numbers: ReadonlySet<unknown> = new Set(["NaN", "Infinity", "-Infinity"])

const mayDiffer = (json: unknown): boolean =>
  json === null || numbers.has(json) || (typeof json === "object" && Object.values(json).some(mayDiffer))

/** The JSON with the numbers and the undefined values of the encoded side. */
const merge = (json: unknown, encoded: unknown): unknown => {
  if (encoded === undefined && json === null) return undefined
  if (typeof encoded === "number" && typeof json === "string") return encoded
  if (Array.isArray(json) && Array.isArray(encoded) && json.length === encoded.length) {
    return json.map((item, i) => merge(item, encoded[i]))
  }
  if (isRecord(json) && isRecord(encoded)) {
    return Object.fromEntries(
      Object.entries(json).map((
        [name, item]
      ) => [name, Object.hasOwn(encoded, name) ? merge(item, encoded[name]) : item])
    )
  }
  return json
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

export const map: <A, B, R>(result: Effect.Effect<A, Issue, R>, f: (a: A) => B) => Effect.Effect<B, Issue, R> = Done.map

/** What became of a step: its value, its issue, or undefined where it has yet to run. */
export type Outcome<A> = { readonly value: A } | { readonly issue: Issue } | undefined

/** @throws what the schema threw */
export const outcomeOf = <A, R>(result: Effect.Effect<A, Issue, R>): Outcome<A> => {
  if (!Done.isExit(result)) return undefined
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

/** The messages of an error by the paths that they belong to. They never repeat the value, unless the schema's own do. */
export const messagesOf = (error: SchemaError): ReadonlyArray<readonly [path: string, message: string]> =>
  format(error.issue).issues.map(({ message, path = [] }) => [path.map(String).join("."), message] as const)
