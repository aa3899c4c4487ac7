/**
 * `SubjectIndex` over the table of the sessions: the rows of a subject are found by the hash in `subject_hash`. The index
 * therefore never differs from the records, and there is nothing to forget.
 *
 * A bounded sign-in counts the living sessions of its subject and inserts one more. On PostgreSQL and MySQL such
 * transactions take turns on a row of the second table (see `lockSlots` in `table.ts`); on SQLite a transaction is the only
 * writer from its beginning.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { NewSession, Owner, SubjectBound, SubjectIndexService } from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"
import { passing, storeIsDown, Turns } from "../store/turns.js"
import type { Executor, OnConnection } from "./executor.js"
import { insert } from "./insert.js"
import * as Record from "./record.js"
import type { Statements } from "./statements.js"
import { lockSlots } from "./table.js"

type OwnedSession = NewSession & { readonly owner: Owner }
type Answer = "Inserted" | "Taken" | "Full"

/** What an insert came to, and the ids of the sessions that it has removed. */
interface Inserted {
  readonly answer: Answer
  readonly removed: ReadonlyArray<string>
}

const answered = (answer: Answer): Inserted => ({ answer, removed: [] })

export const make = (executor: Executor, statements: Statements): SubjectIndexService => {
  const { dialect } = executor
  const turns = new Turns<SessionStoreError>(passing(executor.isAlone))

  const insertUnbound = (id: string, session: OwnedSession, now: number): Effect.Effect<Answer, SessionStoreError> =>
    Effect.map(
      insert(
        dialect,
        statements,
        (text, params, next) => executor.write("insert", text, params, next),
        id,
        session,
        now
      ),
      (inserted) => inserted ? "Inserted" : "Taken"
    )

  const insertBound = (
    id: string,
    session: OwnedSession,
    now: number,
    bound: SubjectBound,
    evicted: ((id: string) => void) | undefined
  ): Effect.Effect<Answer, SessionStoreError> => {
    const hash = Record.hashOfSubject(session.owner.subject)
    const slot = Record.slotOf(hash, lockSlots)
    const transaction = executor.transaction<Inserted>(
      "insert",
      (on) => Effect.zipRight(lock(on, slot), insertInTransaction(on, id, session, now, bound, hash)),
      ({ answer }) => answer === "Inserted"
    )
    const committed = Effect.map(transaction, ({ answer, removed }) => {
      for (const id of removed) evicted?.(id)
      return answer
    })
    // The queue of this process comes first: while sign-ins wait in it, they hold no connection.
    return turns.take(String(slot), () => committed, storeIsDown)
  }

  /** Until the transaction ends, no other sign-in of this subject gets past this, in any process. */
  const lock = (on: OnConnection, slot: number): Effect.Effect<void, SqlError> =>
    dialect === "sqlite"
      ? Effect.void
      : Effect.flatMap(on.write(statements.lock, [slot]), (locked) =>
        locked > 0
          ? Effect.void
          // Somebody has emptied the table, or restored it without its rows.
          : Effect.zipRight(on.write(statements.makeLock, [slot]), on.write(statements.lock, [slot])))

  const insertInTransaction = (
    on: OnConnection,
    id: string,
    session: OwnedSession,
    now: number,
    bound: SubjectBound,
    hash: string
  ): Effect.Effect<Inserted, SqlError> => {
    const at = Record.whole(now)
    return Effect.flatMap(on.read(statements.living, [hash, at]), (living) => {
      if (bound.whenFull === "refuse" && living.length >= bound.max) {
        return Effect.map(
          on.read(statements.find, [id]),
          (rows) => answered(Record.parseFirst(rows, now) === undefined ? "Full" : "Taken")
        )
      }
      const excess = living.slice(0, Math.max(living.length + 1 - bound.max, 0))
      return Effect.flatMap(
        insert(
          dialect,
          statements,
          (text, params, next) => Effect.flatMap(on.write(text, params), next),
          id,
          session,
          now
        ),
        (inserted) =>
          inserted
            ? Effect.as(
              Effect.forEach(excess, (row) => on.write(statements.remove, [Record.idIn(row), at]), { discard: true }),
              { answer: "Inserted", removed: excess.map(Record.idIn) }
            )
            : Effect.succeed(answered("Taken"))
      )
    })
  }

  return {
    insert: (id, session, now, bound, evicted) =>
      bound === undefined ? insertUnbound(id, session, now) : insertBound(id, session, now, bound, evicted),
    list: (subject, now) =>
      // A caller that lists the sessions may do so to end them all: inside a transaction of the app it must not get them as
      // they were when that began.
      executor.readLatest("list", statements.list, [Record.hashOfSubject(subject), Record.whole(now)], (rows) =>
        Exit.succeed(rows.flatMap((row) => {
          const session = Record.parseListed(row, now)
          return session === undefined || "_tag" in session || session.owner?.subject !== subject
            ? []
            : [{ id: Record.idIn(row), session }]
        }))),
    forget: () => Effect.void
  }
}
