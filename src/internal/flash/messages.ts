/**
 * Messages of one kind, as a list under a key of the session: added at its end, and taken as a whole.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ReadError, SessionSchemaError } from "../../SessionError.js"
import type { SessionKey } from "../../SessionKey.js"
import type { ChangeError, RequestContextService } from "../request/contract.js"

export interface List<A, I, R> {
  readonly key: SessionKey<ReadonlyArray<A>, ReadonlyArray<I>, R>
  /** the most messages that are kept; the oldest go first */
  readonly max: number
}

/** A list is modified, so that two requests at once neither lose a message nor take the same one. */
export const add = <A, I, R>(
  context: RequestContextService,
  list: List<A, I, R>,
  message: A
): Effect.Effect<void, ChangeError, R> => {
  const { key, max } = list
  const append = context.modify(
    key,
    (current) => [undefined, Option.some([...Option.getOrElse(current, () => []), message].slice(-max))]
  )
  return append.pipe(
    Effect.catchIf(isUnreadable, (error) => Effect.zipRight(discard(context, list, error), append)),
    Effect.catchTag("SessionEnded", () => Effect.void)
  )
}

export const take = <A, I, R>(
  context: RequestContextService,
  list: List<A, I, R>
): Effect.Effect<ReadonlyArray<A>, ChangeError, R> => {
  const { key } = list
  const all = context.modify(key, (current) => [Option.getOrElse(current, () => []), Option.none()])
  return Effect.flatMap(
    context.get(key), // where there is nothing, there is nothing to change either
    (current): Effect.Effect<ReadonlyArray<A>, ChangeError, R> =>
      Option.isNone(current)
        ? Effect.succeed([])
        : Effect.catchTag(all, "SessionEnded", () => Effect.succeed([]))
  ).pipe(
    Effect.catchIf(isUnreadable, (error) => Effect.as(discard(context, list, error), []))
  )
}

export const peek = <A, I, R>(
  context: RequestContextService,
  list: List<A, I, R>
): Effect.Effect<ReadonlyArray<A>, ReadError, R> =>
  context.get(list.key).pipe(
    Effect.map(Option.getOrElse((): ReadonlyArray<A> => [])),
    Effect.catchIf(isUnreadable, () => Effect.succeed([]))
  )

const isUnreadable = (error: { readonly _tag: string }): error is SessionSchemaError =>
  error._tag === "SessionSchemaError" && (error as SessionSchemaError).direction === "decode"

/** An older version of the app may have left messages that this one cannot read. They must not make a page fail. */
const discard = <A, I, R>(
  context: RequestContextService,
  { key }: List<A, I, R>,
  error: SessionSchemaError
): Effect.Effect<void, ChangeError, R> =>
  Effect.zipRight(
    Effect.logWarning("dropped flash messages that cannot be read", error.message),
    Effect.asVoid(Effect.catchIf(context.remove(key), isUnreadable, () => Effect.void))
  )
