/**
 * Keys, names and readings that several suites of rows use.
 */
import type * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RequestContext from "../../RequestContext.js"
import * as SessionKey from "../../SessionKey.js"
import { errorOf } from "../edition/cause.js"

export const User = SessionKey.make("user", Schema.String)
export const Other = SessionKey.make("other", Schema.String)
export const Late = SessionKey.make("late", Schema.String)
export const Count = SessionKey.make("count", Schema.Int)

/** What an effect failed with: typed, and nothing else. */
export const failureOf = <A, E>(exit: Exit.Exit<A, E>): E | Cause.Cause<E> | undefined =>
  Exit.isSuccess(exit) ? undefined : errorOf(exit.cause) ?? exit.cause

export const increment = RequestContext.modify(Count, (count) => {
  const next = Option.getOrElse(count, () => 0) + 1
  return [next, Option.some(next)]
})

export const attributesOf = (setCookie: string): ReadonlyArray<string> =>
  setCookie.split(";").slice(1).map((attribute) => attribute.trim())

export const maxAgeOf = (setCookie: string | undefined): number | undefined => {
  const match = /; Max-Age=(\d+)/i.exec(setCookie ?? "")
  return match === null ? undefined : Number(match[1])
}

/** Names that a store may mix up: with fields of its own or of its language, with each other, with nothing. */
export const awkwardNames = [
  "",
  " ",
  "a",
  "A",
  "a ",
  " a",
  "\u00e9",
  "e\u0301",
  "\u0000",
  "a\u0000b",
  "a\nb",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "version",
  "expires",
  "expiresAt",
  "data",
  "owner",
  "v",
  "1",
  "'; DROP TABLE sessions; --",
  "\\",
  "\\u0000",
  "\"",
  "a\"b",
  "%",
  "%61",
  "_",
  "*",
  "d:a",
  "\ud83d\ude00",
  "\uffff",
  "\u2028"
]
