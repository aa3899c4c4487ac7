/**
 * Decodes configuration with a schema and lists everything that is wrong with it (row F3). No message repeats a value,
 * because an operator may have pasted a key into the wrong place. Effect's own formatters may print the value that they
 * refuse, so this file has its own.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { SessionConfigError } from "../../SessionError.js"

export interface Mistake {
  readonly path: string
  readonly message: string
}

/** There must be at least one mistake. */
export const configError = (mistakes: ReadonlyArray<Mistake>): SessionConfigError => {
  const [first, ...rest] = mistakes
  return new SessionConfigError({ mistakes: [first, ...rest] })
}

// ── schemas that say what they accept ──

type Accepts = (actual: unknown) => string

const accepts = "effect-session/accepts"
const isExact = "effect-session/isExact"

/** Annotates a schema with what it accepts. The formatter below prints this and never the refused value. */
export const expects = (accepted: string) => ({ [accepts]: () => `must be ${accepted}` })

/** The same for a value that has a default: `key:` without a value is null in YAML, and often means "the default". */
export const expectsOrDefault = (accepted: string) => ({
  [accepts]: (actual: unknown) => `must be ${accepted}${actual === null ? "; leave it out for the default" : ""}`
})

/** A schema of whatever needs nothing but the value. */

export type AnySchema = Schema.Codec<any, any>

const anything = <A>() => Schema.Unknown as unknown as Schema.Codec<A, A>

/** A value that `parse` makes something of, at once; it fails with a message that repeats nothing of the value. */
export const parsed = <A>(parse: (value: unknown) => Effect.Effect<A, string | undefined>) =>
  Schema.Unknown.pipe(Schema.decodeTo(anything<A>(), {
    decode: SchemaGetter.transformEffect((value: unknown) =>
      Effect.mapError(parse(value), (message) => new SchemaIssue.InvalidValue(message === undefined ? {} : { message }))
    ),
    encode: SchemaGetter.transform((value: A) => value as unknown)
  }))

/** A value that `read` understands; for any other value `read` returns undefined. */
export const readable = <A>(read: (value: unknown) => A | undefined) =>
  parsed<A>((value) => {
    const result = read(value)
    return result === undefined ? Effect.fail(undefined) : Effect.succeed(result)
  })

/** A value of which `problem` says nothing; its text becomes the message. */
export const without =
  <A>(problem: (value: A) => string | undefined) => <I>(schema: Schema.Codec<A, I>): Schema.Codec<A, I> =>
    schema.check(Schema.makeFilter<A>(problem))

/** What `f` makes of a value that the schema has decoded. */
export const mapped = <A, I, B>(schema: Schema.Codec<A, I>, f: (value: A) => B): Schema.Codec<B, I> =>
  schema.pipe(Schema.decodeTo(anything<B>(), {
    decode: SchemaGetter.transform((value: A) => f(value)),
    encode: SchemaGetter.transform((value: B) => value as unknown as A)
  }))

/** Fields that may be absent. */
export const partial = <const Fields extends { readonly [name: string]: AnySchema }>(fields: Fields) =>
  Schema.Struct(
    Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, Schema.optionalKey(schema)])) as {
      readonly [name in keyof Fields]: Schema.optionalKey<Fields[name]>
    }
  )

/** A struct that has no other keys, wherever it stands. */
export const exact = <Fields extends Schema.Struct.Fields>(struct: Schema.Struct<Fields>): Schema.Struct<Fields> =>
  struct.annotate({ [isExact]: true })

/** A mapping with the fields of a struct; a property that is undefined counts as absent. */
export const mapping = <Fields extends Schema.Struct.Fields>(
  struct: Schema.Struct<Fields>
): Schema.Codec<Schema.Struct.Type<Fields>, unknown> => {
  const names = Object.keys(struct.fields)
  // Where anything is accepted, so is nothing.
  const maybeAbsent = Object.entries(struct.fields as unknown as { readonly [name: string]: AnySchema }).flatMap((
    [name, { ast }]
  ) => AST.isUnknown(ast) && !AST.isOptional(ast) ? [[name, undefined]] : [])
  const decode = (value: unknown): Effect.Effect<unknown, SchemaIssue.Issue> => {
    if (!isMapping(value)) return Effect.succeed(value)
    const given = Object.entries(value).filter(([, property]) => property !== undefined)
    const unknown = AST.resolveAt<boolean>(isExact)(struct.ast) === true
      ? given.flatMap(([name]) => names.includes(name) ? [] : [name])
      : []
    const [first, ...rest] = unknown.map((name) =>
      new SchemaIssue.Pointer([name], new SchemaIssue.UnexpectedKey(struct.ast))
    )
    return first === undefined
      ? Effect.succeed(Object.fromEntries([...maybeAbsent, ...given]))
      : Effect.fail(new SchemaIssue.Composite(struct.ast, [first, ...rest]))
  }
  const schema = Schema.Unknown.pipe(Schema.decodeTo(struct as unknown as AnySchema, {
    decode: SchemaGetter.transformEffect(decode),
    encode: SchemaGetter.transform((record: unknown) => record)
  })) as unknown as Schema.Codec<Schema.Struct.Type<Fields>, unknown>
  fieldsOf.set(schema, struct.fields as unknown as { readonly [name: string]: AnySchema })
  return schema
}

const isMapping = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

const fieldsOf = new WeakMap<object, { readonly [name: string]: AnySchema }>()

// ── decoding ──

/** One property, where there is one; those beside it are not even read. */
export const propertyOf = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key] // sound: an own property of it
    : undefined

/** The decoded value, or undefined with what is wrong added to `mistakes`; of a mapping, the fields that were decoded. */
export const decode = <A, I>(
  schema: Schema.Codec<A, I>,
  value: unknown,
  path: string,
  mistakes: Array<Mistake>,
  onExcessProperty: "error" | "ignore" = "error"
): Partial<A> | undefined => {
  const options = { onExcessProperty, errors: "all" } as const
  const decoded = SchemaParser.decodeUnknownResult(schema, options)(value)
  if (Result.isSuccess(decoded)) return decoded.success
  for (const mistake of mistakesOf(decoded.failure, path, value)) mistakes.push(mistake)
  const fields = fieldsOf.get(schema)
  if (fields === undefined || !isMapping(value)) return undefined
  // Sound: they are the fields of the mapping, each decoded with its own schema.
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      if (!Object.hasOwn(value, name)) return []
      const property = (value as Record<string, unknown>)[name]
      if (property === undefined) return []
      const part = SchemaParser.decodeUnknownResult(field, options)(property)
      return Result.isSuccess(part) ? [[name, part.success]] : []
    })
  ) as Partial<A>
}

const acceptsOf = (ast: AST.AST): Accepts | undefined => ast.annotations?.[accepts] as Accepts | undefined

const mistakesOf = (
  issue: SchemaIssue.Issue,
  path: string,
  actual: unknown,
  accepted?: Accepts
): ReadonlyArray<Mistake> => {
  const say = (ast: AST.AST | undefined): ReadonlyArray<Mistake> => [{
    path,
    message: acceptedBy((ast && acceptsOf(ast)) ?? accepted, ast, actual)
  }]
  switch (issue._tag) {
    case "Composite":
      return issue.issues.flatMap((inner) => {
        if (inner._tag !== "Pointer") return mistakesOf(inner, path, actual, accepted)
        const [key] = inner.path
        if (inner.issue._tag === "UnexpectedKey") return [unknownKey(path, key, namesOf(issue.ast))]
        const field = AST.isObjects(issue.ast)
          ? issue.ast.propertySignatures.find(({ name }) => name === key)?.type
          : undefined
        return mistakesOf(inner, path, actual, field && acceptsOf(field))
      })
    case "Pointer":
      return mistakesOf(
        issue.issue,
        issue.path.reduce<string>(join, path),
        issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], actual),
        accepted
      )
    case "Filter":
      return mistakesOf(issue.issue, path, actual, accepted)
    case "Encoding":
      return mistakesOf(issue.issue, path, actual, acceptsOf(issue.ast) ?? accepted)
    case "MissingKey":
      return say(undefined)
    case "InvalidValue": {
      // Only the schemas of this folder write such a message, and they repeat no value.
      const message = issue.annotations?.message
      return typeof message === "string" ? [{ path, message }] : say(undefined)
    }
    case "InvalidType":
    case "AnyOf":
    case "OneOf":
      return say(issue.ast)
    case "Forbidden":
    case "UnexpectedKey":
      return [{ path, message: "cannot be read" }]
  }
}

const join = (path: string, key: PropertyKey): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`

/**
 * The key is repeated only when it looks like a name of ours, because a key, a secret or a template of one may stand where
 * a name belongs: the shortest secret has 32 characters, and generated ones have digits.
 */
const unknownKey = (path: string, key: PropertyKey | undefined, accepted: string): Mistake =>
  typeof key === "string" && /^[a-z_]{1,24}$/i.test(key)
    ? { path: join(path, key), message: `is not a known key; accepted: ${accepted}` }
    : { path, message: `has an unknown key; accepted: ${accepted}` }

const namesOf = (ast: AST.AST): string =>
  AST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)).join(", ") : ""

const acceptedBy = (accepts: Accepts | undefined, ast: AST.AST | undefined, actual: unknown): string => {
  const accepted = accepts?.(actual)
    ?? (ast !== undefined && AST.isObjects(ast) ? `must be a mapping with ${namesOf(ast)}` : "must be something else")
  return actual === undefined ? `is missing: it ${accepted}` : accepted
}
