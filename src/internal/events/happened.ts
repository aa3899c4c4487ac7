/**
 * What happens to sessions, one function for each kind: it publishes the event if somebody listens, and counts what operators
 * count (`store/metrics.ts`). Each is called after the fact, and without a listener it does nothing else.
 *
 * The operations of a request call it by way of `request/reporting.ts`, which knows whose session it is.
 */
import type { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import type { Events, EvictionReason, ForeignReason, Happened, SignOutReason } from "../store/event.js"
import * as Metrics from "../store/metrics.js"

/** A session, by its id in the store, and who has signed in to it. */
export interface Which {
  readonly session: string
  readonly subject: string | undefined
}

/** The same where the session may be unknown. */
export interface Whichever {
  readonly session: string | undefined
  readonly subject: string | undefined
}

export const created = (events: Events, at: number, which: Which): void => {
  Metrics.created()
  if (events.isHeard) events.publish({ _tag: "Created", at, ...which })
}

/** `previous`: the id that the session had before, unless it has begun with this. */
export const signedIn = (events: Events, at: number, session: string, subject: string, previous?: string): void => {
  Metrics.signedIn()
  if (events.isHeard) events.publish({ _tag: "SignedIn", at, session, subject, previous })
}

export const renewed = (events: Events, at: number, which: Which, previous: string): void => {
  Metrics.renewed()
  if (events.isHeard) events.publish({ _tag: "Renewed", at, ...which, previous })
}

export const signedOut = (events: Events, at: number, which: Which, reason: SignOutReason): void => {
  Metrics.terminated(reason)
  if (events.isHeard) events.publish({ _tag: "SignedOut", at, ...which, reason })
}

/** Nobody knows the sessions of a subject that are sealed in cookies: then there is one event for all of them. */
export const revoked = (events: Events, at: number, which: Whichever): void => {
  Metrics.terminated("Revoked")
  if (events.isHeard) events.publish({ _tag: "Revoked", at, ...which })
}

export const expired = (events: Events, at: number, which: Which): void => {
  Metrics.terminated("Expired")
  if (events.isHeard) events.publish({ _tag: "Expired", at, ...which })
}

export const evicted = (events: Events, at: number, which: Which, reason: EvictionReason): void => {
  Metrics.terminated(reason)
  if (events.isHeard) events.publish({ _tag: "Evicted", at, ...which, reason })
}

/** For the memory store, which removes sessions when it has no room. Their names are read only where somebody listens. */
export const roomMaker = (events: Events) => ({
  get isHeard(): boolean {
    return events.isHeard
  },
  removed: (
    reason: "StoreFull" | "Expired",
    session: string | undefined,
    subject: string | undefined,
    at: number
  ): void => {
    if (session === undefined) Metrics.terminated(reason)
    else if (reason === "Expired") expired(events, at, { session, subject })
    else evicted(events, at, { session, subject }, reason)
  }
})

export const refused = (
  events: Events,
  at: number,
  which: Whichever,
  reason: Extract<Happened, { _tag: "Refused" }>["reason"]
): void => {
  if (events.isHeard) events.publish({ _tag: "Refused", at, ...which, reason })
}

/** `session`: the id of the one that replaced it. */
export const oldIdUsed = (events: Events, at: number, session: string, previous: string): void => {
  Metrics.oldId()
  if (events.isHeard) events.publish({ _tag: "OldIdUsed", at, session, subject: undefined, previous })
}

export const tampered = (events: Events, at: number, reason: "Malformed" | "NotAuthentic"): void => {
  if (events.isHeard) events.publish({ _tag: "Tampered", at, reason })
}

export const foreign = (events: Events, at: number, session: string | undefined, reason: ForeignReason): void => {
  if (events.isHeard) events.publish({ _tag: "Foreign", at, session, reason })
}

/** A change that was not saved, because it is too large or because the store failed. */
export const notSaved = (
  events: Events,
  at: number,
  which: Whichever,
  error: SessionStoreError | SessionTooLarge
): void => {
  if (!events.isHeard) return
  if (error._tag === "SessionTooLarge") {
    events.publish({ _tag: "TooLarge", at, ...which, size: error.size, limit: error.limit })
  } else events.publish({ _tag: "CommitFailed", at, ...which, operation: error.operation, reason: error.reason })
}
