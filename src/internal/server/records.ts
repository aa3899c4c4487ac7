/**
 * Creates and removes the records of a store: under fresh ids, and with their entries in the index of a subject's sessions.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  NewSession,
  Owner,
  SessionBackendService,
  SubjectBound,
  SubjectIndexService
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as RandomPool from "../codec/random.js"
import { andThen, map } from "../edition/done.js"
import * as Happened from "../events/happened.js"
import type { Saved } from "../store/contract.js"
import type { Events } from "../store/event.js"
import * as Moved from "./moved.js"
import * as Successor from "./successor.js"
import * as Token from "./token.js"

/** A taken id among 2^256 means a broken source of randomness or a broken backend; several in a row mean the latter. */
const maxIds = 4

/** How many marks a logout follows: more renewals than that within a minute are no user's. */
const maxSteps = 100

export type Inserted = Extract<Saved, { readonly _tag: "Saved" | "Full" }>

/**
 * - `insert`: a new record under a fresh id. `bound` limits how many sessions the owner may have.
 * - `end`: removes the record, whatever its version is. Where a renewal has left its mark, the successor is removed. Returns
 *   whose id was removed; undefined where there was none any more.
 * - `forget`: takes a record that is gone out of its owner's index. A failure does no harm: the records decide.
 */
export interface Records {
  readonly insert: (
    session: NewSession,
    now: number,
    bound: SubjectBound | undefined
  ) => Effect.Effect<Inserted, SessionStoreError>
  readonly end: (
    id: string,
    owner: Owner | undefined,
    now: number
  ) => Effect.Effect<Happened.Which | undefined, SessionStoreError>
  readonly forget: (id: string, owner: Owner | undefined) => Effect.Effect<void>
}

const noOwner = Effect.succeed(undefined)

export const make = (
  backend: SessionBackendService,
  index: SubjectIndexService | undefined,
  events: Events
): Records => {
  /** Inserts under one id; `Taken` when another record has it. */
  const insertAs = (
    id: string,
    session: NewSession,
    now: number,
    bound: SubjectBound | undefined
  ): Effect.Effect<"Inserted" | "Taken" | "Full", SessionStoreError> => {
    const { owner } = session
    return owner === undefined || index === undefined
      ? andThen(backend.insert(id, session, now), (inserted) => Effect.succeed(inserted ? "Inserted" : "Taken"))
      : index.insert(
        id,
        { ...session, owner },
        now,
        bound,
        (evicted) => Happened.evicted(events, now, { session: evicted, subject: owner.subject }, "SubjectBound")
      )
  }

  const insert = (
    session: NewSession,
    now: number,
    bound: SubjectBound | undefined,
    tries = 0
  ): Effect.Effect<Inserted, SessionStoreError> => {
    if (tries === maxIds) {
      return Effect.fail(
        SessionStoreError.of("insert", "Unavailable", `the backend says of ${maxIds} random ids that they are taken`)
      )
    }
    const token = RandomPool.token()
    const id = Token.idOf(token)
    return andThen(insertAs(id, session, now, bound), (answer) => {
      switch (answer) {
        case "Inserted":
          return Effect.succeed<Inserted>({
            _tag: "Saved",
            token,
            id,
            expiry: session,
            moved: true,
            session: { ...session, version: 1 }
          })
        case "Full":
          return Effect.succeed<Inserted>({ _tag: "Full", limit: bound?.max ?? 0 })
        case "Taken":
          return insert(session, now, bound, tries + 1)
      }
    })
  }

  /** Who has signed in to a session that nobody has loaded: looked up only for those who listen to events. */
  const ownerOf = (id: string, known: Owner | undefined, now: number): Effect.Effect<Owner | undefined> =>
    known !== undefined || !events.isHeard
      ? known === undefined ? noOwner : Effect.succeed(known)
      : Effect.orElseSucceed(
        map(
          backend.find(id, now),
          (found) => Option.isSome(found) && !("_tag" in found.value) ? found.value.owner : undefined
        ),
        () => undefined
      )

  /** A session that was renewed several times while a mark lives is at the end of a chain of marks. */
  const endChain = (
    id: string,
    owner: Owner | undefined,
    now: number,
    step: number
  ): Effect.Effect<Happened.Which | undefined, SessionStoreError> =>
    andThen(ownerOf(id, owner, now), (owner) =>
      andThen(backend.remove(id, undefined, now), (removed) => {
        if (removed === "removed") return Effect.succeed({ session: id, subject: owner?.subject })
        if (typeof removed === "string" || step === maxSteps) return Effect.succeed(undefined)
        Moved.report(events, id, removed, now)
        return endChain(Successor.idOf(removed.successor), owner, now, step + 1)
      }))

  const forget: Records["forget"] = (id, owner) =>
    owner === undefined || index === undefined ? Effect.void : Effect.ignore(index.forget(owner.subject, id))

  return {
    insert,
    end: (id, owner, now) =>
      andThen(endChain(id, owner, now, 0), (ended) => andThen(forget(id, owner), () => Effect.succeed(ended))),
    forget
  }
}
