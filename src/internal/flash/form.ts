/**
 * What a form that failed shows again: what was put into it, and what is wrong with that. Plain data, in pairs, because the
 * names of fields are the client's.
 */
import * as Schema from "effect/Schema"
import * as Fields from "../edition/fields.js"
import * as Issues from "../edition/schema.js"

type Pairs = ReadonlyArray<readonly [name: string, text: string]>

const Pairs = Schema.Array(Schema.Tuple(Schema.String, Schema.String))

/** As it is in the session. */
export const Failed = Schema.Struct({ input: Pairs, errors: Pairs })

export type Failed = typeof Failed.Type

/** Texts by their names, as an app may give them; a field may have several. */
export type Texts = Readonly<Record<string, string | ReadonlyArray<string>>>

const isFields = (texts: Texts | Pairs | Fields.Fields): texts is Pairs | Fields.Fields => Symbol.iterator in texts

export const pairsOf = (texts: Texts | Pairs | Fields.Fields): Pairs =>
  isFields(texts)
    ? Fields.pairsOf(texts)
    : Object.entries(texts).flatMap(([name, value]) => [value].flat().map((text) => [name, text] as const))

/** What was put in, without what must not be kept. */
export const inputOf = (input: Texts | Pairs | Fields.Fields, secrets: ReadonlySet<string>): Pairs =>
  pairsOf(input).filter(([name]) => !secrets.has(name))

/** The errors by the paths of their fields, such as `address.street`; that of the whole form has the empty path. */
export const errorsOf = (errors: Texts | Issues.SchemaError): Pairs =>
  Issues.isSchemaError(errors) ? Issues.messagesOf(errors) : pairsOf(errors)
