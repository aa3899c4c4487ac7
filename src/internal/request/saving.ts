/**
 * Saves the session of a request: takes what changed, decides what that asks of the store, carries it out, and reports the
 * outcome to the other parts.
 */
import * as Effect from "effect/Effect"
import type { Owner } from "../../SessionBackend.js"
import { andThen, isDone } from "../edition/done.js"
import type { Save, Saved } from "../store/contract.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { Held, SaveFailure } from "./answer.js"
import { type Basis, decide } from "./decide.js"
import type { Taken } from "./draft.js"
import { endedElsewhere, load, type Parts } from "./parts.js"
import * as Reporting from "./reporting.js"

export type Full = Extract<Saved, { _tag: "Full" }>

const nothing = Effect.succeed(undefined)

/**
 * The one place where a session is saved. Only a sign-in, which has an owner, can find the store `Full`. `takesCookie` says that
 * a cookie will go out, so that the id may be renewed by `renewEvery`.
 */
export const save = (
  parts: Parts,
  now: number,
  owner: Owner | undefined,
  takesCookie = false
): Effect.Effect<Full | undefined, SaveFailure> => {
  const { draft, store, stored } = parts
  const { basis } = stored
  if (basis === undefined) {
    draft.discard()
    return nothing
  }
  const taken = draft.peek(stored.data)
  const marks = { renew: taken.renewing, own: taken.own, owner, takesCookie, passive: parts.isPassive }
  const decision = decide(store.config, basis, taken.changes, marks, now)
  if (decision._tag === "Nothing") return nothing

  draft.take(taken)
  const saving = andThen(
    store.save(decision.save, now),
    (saved) =>
      saved._tag === "Conflict" && decision.without !== undefined
        ? store.save(decision.without, now)
        : Effect.succeed(saved)
  )
  const step: Step = { basis, taken, save: decision.save, now, takesCookie, passive: marks.passive }
  if (isDone(saving)) return renewed(parts, step, saving.value)
  const saved = Effect.onExit(
    saving,
    (exit) => exit._tag === "Success" ? Effect.void : Effect.sync(() => draft.undo(taken))
  )
  if (!decision.mere) return Effect.flatMap(saved, (saved) => renewed(parts, step, saved))
  // A mere refresh that failed is no failed commit: the session stands as it was (row M5). The store has logged the failure.
  return Effect.match(saved, { onSuccess: (saved) => settle(parts, step, saved), onFailure: () => undefined })
}

/** What a save was asked for, and on what basis. */
interface Step {
  readonly basis: Basis
  readonly taken: Taken
  readonly save: Save
  readonly now: number
  readonly takesCookie: boolean
  readonly passive: boolean
}

const settle = (parts: Parts, { basis, now, save, taken }: Step, saved: Saved): Full | undefined => {
  if (saved._tag === "Full") {
    parts.draft.undo(taken)
    Reporting.full(parts, save.owner, now)
    return saved
  }
  parts.draft.saved()
  report(parts, basis, saved, now)
  if (saved._tag === "Saved") Reporting.saved(parts.store, basis, save, saved, now)
  return undefined
}

/** A write that never read the session did not know that its id is of an earlier period: then it is read, and renewed. */
const renewed = (parts: Parts, step: Step, saved: Saved): Effect.Effect<Full | undefined, SaveFailure> => {
  const { basis, now, passive, takesCookie } = step
  const full = settle(parts, step, saved)
  const isDue = takesCookie && basis._tag === "Token" && !passive && saved._tag === "Saved"
    && ExpiryPolicy.isRenewalDue(parts.store.config, saved.expiry, now)
  if (!isDue) return full === undefined ? nothing : Effect.succeed(full)
  // What was written stays written: the renewal can wait for the next request (row M5).
  const renewing = andThen(load(parts, now), () => save(parts, now, undefined, true))
  return isDone(renewing) ? renewing : Effect.orElseSucceed(renewing, () => undefined)
}

const report = (parts: Parts, basis: Basis, saved: Exclude<Saved, Full>, now: number): void => {
  const { answer, stored } = parts
  switch (saved._tag) {
    case "Ended":
      return endedElsewhere(parts)
    case "Missing":
      return stored.unknown() // and there was nothing to start a new session with
    case "Conflict":
      return // migrated values that another request has overwritten
    case "Saved":
      if (saved.session === undefined) stored.written(saved.token)
      else stored.found(saved.token, saved.id, saved.session)
      return answer.written(saved, cookieBefore(basis, saved.expiry.persistent), now)
  }
}

/** What the browser holds. How long it keeps the cookie of a session that was not loaded is taken to be as it is now. */
const cookieBefore = (basis: Basis, persistent: boolean): Held | undefined =>
  basis._tag === "None"
    ? undefined
    : { token: basis.token, persistent: basis._tag === "Found" ? basis.session.persistent : persistent }
