/**
 * The values of one key as the request sees them, and how they are changed: before the response's head they are
 * remembered, after it they are saved at once.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionSchemaError, SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import { SessionClosed } from "../../SessionError.js"
import type { SessionKey } from "../../SessionKey.js"
import { andThen, map } from "../edition/done.js"
import type { SaveFailure } from "./answer.js"
import { load, type Parts } from "./parts.js"
import { save } from "./saving.js"

const none = Effect.succeed(Option.none<never>())

export const failClosed: Effect.Effect<never, SessionClosed> = Effect.suspend(() => Effect.fail(new SessionClosed()))

/** The text under a key as this request sees it; undefined when there is none. */
export const textOf = (
  parts: Parts,
  name: string,
  now: number
): Effect.Effect<string | undefined, SessionStoreError> => {
  const pending = parts.draft.lookup(name)
  if (pending !== undefined) return Effect.succeed(pending ?? undefined)
  return map(load(parts, now), () => parts.draft.visible(name, parts.stored.data))
}

export const read = <A, I, R>(
  key: SessionKey<A, I, R, unknown>,
  text: string | undefined
): Effect.Effect<Option.Option<A>, SessionSchemaError, R> =>
  text === undefined
    ? none
    : map(key.read(text), (read) => read.present ? Option.some(read.value) : Option.none())

export const setText = (
  parts: Parts,
  name: string,
  text: string,
  now: number
): Effect.Effect<void, SessionStoreError | SessionTooLarge> => {
  const { draft, store, stored } = parts
  // The size of a sealed session is known only with what it already holds.
  if (store.kind === "client" && stored.state._tag === "Unloaded") {
    return andThen(load(parts, now), () => setText(parts, name, text, now))
  }
  const error = draft.set(name, text, stored.data)
  return error === undefined ? Effect.void : Effect.fail(error)
}

/** Sets and removes several texts, or none of them where they would not fit together. */
export const patchTexts = (
  parts: Parts,
  texts: ReadonlyMap<string, string | undefined>,
  now: number
): Effect.Effect<void, SessionStoreError | SessionTooLarge> => {
  const { draft, store, stored } = parts
  if (store.kind === "client" && stored.state._tag === "Unloaded") {
    return andThen(load(parts, now), () => patchTexts(parts, texts, now))
  }
  const error = draft.patch(texts, stored.data)
  return error === undefined ? Effect.void : Effect.fail(error)
}

export const removeText = ({ draft, stored }: Parts, name: string): Effect.Effect<void> => {
  draft.remove(name, stored.data)
  return Effect.void
}

/**
 * Makes a change. After the head it is saved at once on a server store with a known id; else it is `SessionClosed`, or
 * `whenAbsent` where there is no session.
 */
export const change = <E, R>(
  parts: Parts,
  now: number,
  apply: () => Effect.Effect<void, E, R>,
  whenAbsent: Effect.Effect<void, SessionClosed> = failClosed
): Effect.Effect<void, E | SaveFailure | SessionClosed, R> => {
  const { answer, draft, inFlight, store, stored } = parts
  if (!answer.isClosed) return apply()
  return inFlight.exclusively(
    () => load(parts, now),
    (): Effect.Effect<void, E | SaveFailure | SessionClosed, R> => {
      if (stored.state._tag === "Ended") return Effect.void
      if (stored.state._tag !== "Found") return whenAbsent
      if (store.kind === "client") return failClosed
      // What could not be saved was reported as failed, and must not come along with a later change.
      const discard = () => Effect.sync(() => draft.discard())
      return Effect.tapErrorCause(andThen(apply(), () => save(parts, now, undefined)), discard)
    }
  )
}
