/**
 * Decodes configuration with a schema and lists everything that is wrong with it (row F3). No message repeats a value,
 * because an operator may have pasted a key into the wrong place. Effect's own formatters print the value that they
 * refuse, so this file has its own.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
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

/** Annotates a schema with what it accepts. The formatter below prints this and never the refused value. */
export const expects = (accepted: string) => ({ message: () => `must be ${accepted}` })

/** The same for a value that has a default: `key:` without a value is null in YAML, and often means "the default". */
export const expectsOrDefault = (accepted: string) => ({
  message: ({ actual }: { readonly actual: unknown }) =>
    `must be ${accepted}${actual === null ? "; leave it out for the default" : ""}`
})

/** A schema of whatever needs nothing but the value. */
export type AnySchema = Schema.Schema.AnyNoContext

/** A value that `read` understands; for any other value `read` returns undefined. */
export const readable = <A>(read: (value: unknown) => A | undefined) =>
  Schema.transformOrFail(Schema.Unknown, Schema.make<A>(AST.unknownKeyword), {
    decode: (value, _, ast) => Either.fromNullable(read(value), () => new ParseResult.Type(ast, value)),
    encode: ParseResult.succeed
  })

/** A value that `parse` makes something of, at once; it fails with a message that repeats nothing of the value. */
export const parsed = <A>(parse: (value: unknown) => Effect.Effect<A, string>) =>
  Schema.transformOrFail(Schema.Unknown, Schema.make<A>(AST.unknownKeyword), {
    decode: (value, _, ast) => Effect.mapError(parse(value), (message) => new ParseResult.Type(ast, value, message)),
    encode: ParseResult.succeed
  })

/** A value of which `problem` says nothing; its text becomes the message. */
export const without =
  <A>(problem: (value: A) => string | undefined) => <I>(schema: Schema.Schema<A, I>): Schema.Schema<A, I> =>
    Schema.filter<Schema.Schema<A, I>>(problem)(schema)

/** What `f` makes of a value that the schema has decoded. */
export const mapped = <A, I, B>(schema: Schema.Schema<A, I>, f: (value: A) => B) =>
  Schema.transformOrFail(schema, Schema.make<B>(AST.unknownKeyword), {
    strict: false,
    decode: (value) => ParseResult.succeed(f(value)),
    encode: ParseResult.succeed
  })

/** Fields that may be absent. */
export const partial = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.partialWith(Schema.Struct(fields), { exact: true })

/** A struct that has no other keys, wherever it stands. */
export const exact = <A, I>(struct: Schema.Schema<A, I>): Schema.Schema<A, I> =>
  struct.annotations({ parseOptions: { onExcessProperty: "error" } })

/** A mapping with the fields of a struct; a property that is undefined counts as absent. */
export const mapping = <A, I>(struct: Schema.Schema<A, I>) =>
  Schema.transform(Schema.Unknown, struct, {
    strict: false,
    decode: (value) =>
      typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)
        ? value
        : Object.fromEntries(Object.entries(value).filter(([, property]) => property !== undefined)),
    encode: (record) => record
  })

// ── decoding ──

/** One property, where there is one; those beside it are not even read. */
export const propertyOf = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key] // sound: an own property of it
    : undefined

/** The decoded value, or undefined with what is wrong added to `mistakes`; of a mapping, the fields that were decoded. */
export const decode = <A, I>(
  schema: Schema.Schema<A, I>,
  value: unknown,
  path: string,
  mistakes: Array<Mistake>,
  onExcessProperty: "error" | "ignore" = "error"
): Partial<A> | undefined => {
  const decoded = ParseResult.decodeUnknownEither(schema, { onExcessProperty, errors: "all" })(value)
  if (Either.isRight(decoded)) return decoded.right
  for (const mistake of mistakesOf(decoded.left, path)) mistakes.push(mistake)
  // Sound: only a mapping has parts, and they are the fields that its schema decoded.
  return partsOf(decoded.left) as Partial<A> | undefined
}

const partsOf = (issue: ParseResult.ParseIssue): unknown =>
  issue._tag === "Composite" ? issue.output : "issue" in issue ? partsOf(issue.issue) : undefined

const mistakesOf = (issue: ParseResult.ParseIssue, path: string): ReadonlyArray<Mistake> => {
  switch (issue._tag) {
    case "Composite":
      if (AST.isUnion(issue.ast)) return [{ path, message: acceptedBy(issue.ast, issue) }]
      return [issue.issues].flat().flatMap((inner) =>
        inner._tag === "Pointer" && inner.issue._tag === "Unexpected"
          ? [unknownKey(path, inner.path, namesOf(issue.ast))]
          : mistakesOf(inner, path)
      )
    case "Pointer":
      return mistakesOf(issue.issue, [issue.path].flat().reduce<string>(join, path))
    case "Refinement":
    case "Transformation":
      return mistakesOf(issue.issue, path)
    case "Missing":
      return [{ path, message: acceptedBy(issue.ast.type, issue) }]
    case "Type":
      // Only the schemas of this folder write such a message, and they repeat no value.
      return [{ path, message: issue.message ?? acceptedBy(issue.ast, issue) }]
    case "Forbidden":
    case "Unexpected":
      return [{ path, message: "cannot be read" }]
  }
}

const join = (path: string, key: PropertyKey): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`

/**
 * The key is repeated only when it looks like a name of ours, because a key, a secret or a template of one may stand where
 * a name belongs: the shortest secret has 32 characters, and generated ones have digits.
 */
const unknownKey = (path: string, key: ParseResult.Path, accepted: string): Mistake =>
  typeof key === "string" && /^[a-z_]{1,24}$/i.test(key)
    ? { path: join(path, key), message: `is not a known key; accepted: ${accepted}` }
    : { path, message: `has an unknown key; accepted: ${accepted}` }

const namesOf = (ast: AST.AST): string =>
  AST.isTypeLiteral(ast) ? ast.propertySignatures.map(({ name }) => String(name)).join(", ") : ""

const acceptedBy = (ast: AST.AST, issue: ParseResult.Missing | ParseResult.Type | ParseResult.Composite): string => {
  const annotated = Option.map(AST.getMessageAnnotation(ast), (message) => message(issue))
  const accepted = Option.isSome(annotated) && typeof annotated.value === "string"
    ? annotated.value
    : AST.isTypeLiteral(ast)
    ? `must be a mapping with ${namesOf(ast)}`
    : "must be something else"
  return issue.actual === undefined ? `is missing: it ${accepted}` : accepted
}
