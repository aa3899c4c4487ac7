/**
 * `modify`, in the store where the session is stored, and in the draft where it is not. Both return a value, or say that the
 * session changed under them and the modification has to be tried again.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Patch, StoredSession } from "../../SessionBackend.js"
import { type SessionClosed, SessionEnded, type SessionSchemaError, type SessionTooLarge } from "../../SessionError.js"
import type { SessionKey } from "../../SessionKey.js"
import { andThen, map } from "../edition/done.js"
import type { SaveFailure } from "./answer.js"
import { emptyContent } from "./changes.js"
import { change, read, removeText, setText, textOf } from "./contents.js"
import { endedElsewhere, load, type Parts } from "./parts.js"

type ModifyError = SessionSchemaError | SaveFailure | SessionClosed | SessionEnded

const failEnded: Effect.Effect<never, SessionEnded> = Effect.suspend(() => Effect.fail(new SessionEnded()))

type Step<B> = { readonly _tag: "Modified"; readonly value: B } | { readonly _tag: "TryAgain" }

const tryAgain: Step<never> = { _tag: "TryAgain" }

const modified = <B>(value: B): Step<B> => ({ _tag: "Modified", value })

/** What is to be done to one key of one request's session. */
interface Modification<A, I, R, Got, B> {
  readonly key: SessionKey<A, I, R, Got>
  readonly f: (current: Got) => readonly [B, Option.Option<A>]
  readonly now: number
}

export const modify = <A, I, R, Got, B>(
  parts: Parts,
  modification: Modification<A, I, R, Got, B>
): Effect.Effect<B, ModifyError, R> =>
  andThen(
    attempt(parts, modification),
    (step) => step._tag === "TryAgain" ? modify(parts, modification) : Effect.succeed(step.value)
  )

/** Decides where the key is modified: in the store, if that is where its value is. */
const attempt = <A, I, R, Got, B>(
  parts: Parts,
  modification: Modification<A, I, R, Got, B>
): Effect.Effect<Step<B>, ModifyError, R> => {
  const { answer, draft, inFlight, store, stored } = parts
  const { key, now } = modification
  if (stored.state._tag === "Ended") return failEnded
  if (store.kind === "client") {
    return stored.state._tag === "Unloaded" ? map(load(parts, now), () => tryAgain) : locally(parts, modification)
  }
  if (draft.lookup(key.name) !== undefined) {
    // What is pending after the head is being saved: it is modified where it will be.
    return answer.isClosed && draft.isBeingSaved
      ? Effect.as(inFlight.settled, tryAgain)
      : locally(parts, modification)
  }
  const { token } = stored
  if (token !== undefined) return inStore(parts, token, modification)
  if (stored.state._tag === "Absent") return locally(parts, modification)
  return map(load(parts, now), () => tryAgain)
}

/** The current value and what `f` makes of it, as texts. */
const apply = <A, I, R, Got, B>(
  { f, key }: Modification<A, I, R, Got, B>,
  text: string | undefined
): Effect.Effect<{ readonly value: B; readonly next: string | undefined }, SessionSchemaError, R> =>
  andThen(read(key, text), (current) => {
    const [value, next] = f(key.fromStored(current))
    const writing: Effect.Effect<string | undefined, SessionSchemaError, R> = Option.isNone(next)
      ? Effect.succeed(undefined)
      : key.write(next.value)
    return map(writing, (next) => ({ value, next }))
  })

const locally = <A, I, R, Got, B>(
  parts: Parts,
  modification: Modification<A, I, R, Got, B>
): Effect.Effect<Step<B>, ModifyError, R> => {
  const { key: { name }, now } = modification
  return andThen(
    textOf(parts, name, now),
    (text) =>
      andThen(apply(modification, text), ({ next, value }): Effect.Effect<Step<B>, ModifyError> => {
        // Where the schema takes its time, another fiber of the request may have been faster.
        if (parts.draft.visible(name, parts.stored.data) !== text) return Effect.succeed(tryAgain)
        if (next === text) return Effect.succeed(modified(value))
        const write = () => next === undefined ? removeText(parts, name) : setText(parts, name, next, now)
        return map(change(parts, now, write), () => modified(value))
      })
  )
}

const inStore = <A, I, R, Got, B>(
  parts: Parts,
  token: string,
  modification: Modification<A, I, R, Got, B>
): Effect.Effect<Step<B>, ModifyError, R> => {
  const { answer, draft, inFlight, store, stored } = parts
  const { key, now } = modification
  const before = stored.state
  const loaded = stored.session

  const patchOf = (session: StoredSession): Effect.Effect<
    readonly [B, Option.Option<Patch>],
    SessionSchemaError | SessionTooLarge,
    R
  > => {
    const text = session.data.get(key.name)
    return andThen(apply(modification, text), ({ next, value }) => {
      if (next === text) return Effect.succeed([value, Option.none()] as const)
      const error = next === undefined ? undefined : draft.tooLargeWith(session.data, key.name, next)
      if (error !== undefined) return Effect.fail(error)
      const content = next === undefined
        ? { ...emptyContent, remove: new Set([key.name]) }
        : { ...emptyContent, set: new Map([[key.name, next]]) }
      const patch: Patch = { ...content, expiry: undefined, maxBytes: store.config.maxSessionBytes }
      return Effect.succeed([value, Option.some(patch)] as const)
    })
  }

  const modifying = store.modify(token, loaded, patchOf, parts.isPassive)
  return Effect.flatMap(modifying, (result): Effect.Effect<Step<B>, ModifyError, R> => {
    if (result._tag === "Modified") {
      // Not where another fiber of the request has renewed or flushed the session since.
      if (stored.token === token) {
        const { id, moved, session } = result
        if (stored.state === before || stored.state._tag === "Found") stored.found(result.token, id, session)
        else stored.outdated()
        const persistent = loaded?.persistent ?? session.persistent
        answer.written({ token: result.token, expiry: session, moved }, { token, persistent }, now)
      }
      return Effect.succeed(modified(result.value))
    }
    return Effect.flatMap(inFlight.settled, (): Effect.Effect<Step<B>, ModifyError, R> => {
      // Another fiber of the request has renewed or flushed it: what became of it is to be modified.
      if (stored.token !== token) return Effect.succeed(tryAgain)
      // Never loaded: the look-up says why there is none, and logs what an operator has to know.
      if (loaded === undefined && stored.isUnseen) return map(load(parts, now), () => tryAgain)
      endedElsewhere(parts)
      return failEnded
    })
  })
}
