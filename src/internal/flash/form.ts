/**
 * What a form that failed shows again: what was put into it, and what is wrong with that. Plain data, in pairs, because the
 * names of fields are the client's.
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

type Pairs = ReadonlyArray<readonly [name: string, text: string]>

const Pairs = Schema.Array(Schema.Tuple(Schema.String, Schema.String))

/** As it is in the session. */
export const Failed = Schema.Struct({ input: Pairs, errors: Pairs })

export type Failed = typeof Failed.Type

/** Texts by their names, as an app may give them; a field may have several. */
export type Texts = Readonly<Record<string, string | ReadonlyArray<string>>>

export const pairsOf = (texts: Texts | Pairs): Pairs =>
  Array.isArray(texts)
    ? texts as Pairs
    : Object.entries(texts as Texts).flatMap(([name, value]) => [value].flat().map((text) => [name, text] as const))

/** What was put in, without what must not be kept. */
export const inputOf = (input: Texts | Pairs, secrets: ReadonlySet<string>): Pairs =>
  pairsOf(input).filter(([name]) => !secrets.has(name))

/**
 * The errors by the paths of their fields, such as `address.street`; that of the whole form has the empty path. Where the
 * schema has no message of its own, Effect's repeats the input, which may be a password: that part is cut off.
 */
export const errorsOf = (errors: Texts | ParseResult.ParseError): Pairs =>
  ParseResult.isParseError(errors)
    ? ParseResult.ArrayFormatter.formatErrorSync(errors).map(({ message, path }) =>
      [path.map(String).join("."), withoutInput(message)] as const
    )
    : pairsOf(errors)

const withoutInput = (message: string): string => {
  const end = message.indexOf(", actual ")
  return end < 0 ? message : message.slice(0, end)
}
