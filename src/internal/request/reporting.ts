/**
 * Reports what a request did to its session, for the events and the metrics: whose it was, and what it became.
 */
import * as Effect from "effect/Effect"
import type { Owner } from "../../SessionBackend.js"
import { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import { isDone } from "../edition/done.js"
import * as Happened from "../events/happened.js"
import type { Empty, Found, Save, Saved, SessionStoreService } from "../store/contract.js"
import type { Basis } from "./decide.js"

/** What of a request's session says which one it is. */
interface Session {
  readonly store: SessionStoreService
  readonly stored: { readonly state: { readonly _tag: string } }
}

const found = ({ stored }: Session): Found | undefined =>
  stored.state._tag === "Found" ? stored.state as Found : undefined

/** The session of the request, as far as it is known without looking it up. */
export const which = (session: Session): Happened.Whichever => {
  const known = found(session)
  return { session: known?.id, subject: known?.session.owner?.subject }
}

/** The store has saved: a session has begun, has a new id, or is somebody's. A mere change of it is no event. */
export const saved = (
  { events }: SessionStoreService,
  basis: Basis,
  { owner, renew }: Save,
  { id, token }: Extract<Saved, { readonly _tag: "Saved" }>,
  now: number
): void => {
  if (basis._tag !== "Found") {
    const isNew = basis._tag === "None" || basis.token !== token
    if (isNew) Happened.created(events, now, { session: id, subject: owner?.subject })
    if (isNew && owner !== undefined) Happened.signedIn(events, now, id, owner.subject)
    return
  }
  if (!renew) return
  const { id: previous, session } = basis
  const before = session.owner?.subject
  if (owner === undefined) return Happened.renewed(events, now, { session: id, subject: before }, previous)
  if (before === undefined || before === owner.subject) {
    return Happened.signedIn(events, now, id, owner.subject, previous)
  }
  Happened.signedOut(events, now, { session: previous, subject: before }, "OtherSubject")
  Happened.created(events, now, { session: id, subject: owner.subject })
  Happened.signedIn(events, now, id, owner.subject)
}

/** A sign-in was refused because its subject has too many sessions. */
export const full = (session: Session, owner: Owner | undefined, now: number): void =>
  Happened.refused(
    session.store.events,
    now,
    { session: which(session).session, subject: owner?.subject },
    "TooManySessions"
  )

/** Why a request of another site was refused. */
export type Refusal = Exclude<Parameters<typeof Happened.refused>[3], "TooManySessions">

export const refused = (session: Session, reason: Refusal, now: number): void =>
  Happened.refused(session.store.events, now, which(session), reason)

/** No session was found, and the reason is worth an event. */
export const notFound = ({ events }: SessionStoreService, { foreign, id, reason }: Empty, now: number): void => {
  switch (reason) {
    case "Malformed":
    case "NotAuthentic":
      return Happened.tampered(events, now, reason)
    case "Corrupt":
      return Happened.foreign(events, now, id, foreign ?? "Damaged")
    case "Expired":
      return id === undefined ? undefined : Happened.expired(events, now, { session: id, subject: undefined })
    default:
      return undefined
  }
}

/** A change was not saved. */
export const failed = (session: Session, error: SessionStoreError | SessionTooLarge, now: number): void =>
  Happened.notSaved(session.store.events, now, which(session), error)

/** An operation that reports it where it could not save, or was asked for too much. Reading is no commit. */
export const failures = <A, E, R>(
  session: Session,
  operation: Effect.Effect<A, E, R>,
  now: number
): Effect.Effect<A, E, R> =>
  isDone(operation)
    ? operation
    : Effect.tapError(operation, (error) => {
      if (error instanceof SessionTooLarge) failed(session, error, now)
      if (error instanceof SessionStoreError && error.operation !== "find") failed(session, error, now)
      return Effect.void
    })
