/**
 * `SessionBackend` and `SubjectIndex` over one table (see `table.ts`).
 *
 * A row is only ever changed by a compare-and-set on its version and its `expires_at`: the version tells one state of a
 * record from the next, and both together tell a record from an expired one that had the same id before.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type {
  Corrupt,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectBound,
  SubjectIndexService,
  Updated
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { declareAlone } from "../store/turns.js"
import type { Executor, OnConnection } from "./executor.js"
import { backoff, pause } from "./failure.js"
import { Queues } from "./queues.js"
import * as Record from "./record.js"
import type { Statements } from "./statements.js"
import { type Dialect, lockSlots } from "./table.js"

/** How often a compare-and-set is tried against other processes before the answer is `Contention`. */
const maxTries = 64

/**
 * Rows per statement of the clean-up. SQLite runs it in this process, which does nothing else meanwhile: of a million rows,
 * 500 took 10 ms of CPU, 100 took 1.2 ms, and that removed two thirds as many in a second.
 */
const maxRemoved: { readonly [dialect in Dialect]: number } = { pg: Infinity, mysql: Infinity, sqlite: 100 }

const missing: Updated = { _tag: "Missing" }
const conflict: Updated = { _tag: "Conflict" }

export const make = (
  executor: Executor,
  statements: Statements
): { readonly backend: SessionBackendService; readonly index: SubjectIndexService } => {
  const textOf = Record.textFor(executor.dialect)
  const queues = new Queues()

  /**
   * Inside a transaction of the app on SQLite the caller is the only writer, and holds what the holder of the turn waits
   * for: queueing up behind it would be a deadlock.
   */
  const inTurn = <A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.withFiberRuntime<A, E>((fiber) => executor.isAlone(fiber) ? effect : queues.inTurn(key, effect))

  // ── find ──

  const only = (rows: ReadonlyArray<Record.Row>, now: number): StoredSession | Corrupt | undefined =>
    rows.length === 0 ? undefined : Record.parse(rows[0], now)

  const find: SessionBackendService["find"] = (id, now) =>
    executor.read(
      "find",
      statements.find,
      [id],
      (rows) => Exit.succeed(Option.fromNullable(only(rows, now))),
      statements.findMany
    )

  // ── insert ──

  /** Whether it was inserted; an expired record of the id is replaced in the same step. */
  const insertBy = <E>(
    write: <A>(
      text: string,
      params: ReadonlyArray<unknown>,
      next: (changed: number) => Effect.Effect<A, E>
    ) => Effect.Effect<A, E>,
    id: string,
    session: NewSession,
    now: number
  ): Effect.Effect<boolean, E> => {
    const params = Record.recordParams(session, textOf)
    const at = Record.whole(now)
    const isOne = (changed: number) => Exit.succeed(changed === 1)
    return executor.dialect === "mysql"
      ? write(
        statements.insert,
        [id, ...params],
        (inserted) => inserted === 1 ? Exit.succeed(true) : write(statements.replaceExpired, [...params, id, at], isOne)
      )
      : write(statements.insert, [id, ...params, at], isOne)
  }

  const insert: SessionBackendService["insert"] = (id, session, now) =>
    insertBy((text, params, next) => executor.write("insert", text, params, next), id, session, now)

  // ── update ──

  const update: SessionBackendService["update"] = (id, patch, now, ifVersion, base) => {
    // Who must have one version has nothing to wait for; whoever else is here may as well queue up at once.
    if (ifVersion === undefined && queues.isBusy(id)) return contend(id, patch, now)
    if (base === undefined || base.expiresAt <= now || (ifVersion !== undefined && ifVersion !== base.version)) {
      return reread(id, patch, now, ifVersion)
    }
    return compareAndSet(id, patch, base, (updated) =>
      // What is too large on what the caller saw may fit on what is there now.
      updated === undefined || updated._tag === "TooLarge"
        ? reread(id, patch, now, ifVersion)
        : Exit.succeed(updated))
  }

  const reread = (
    id: string,
    patch: Patch,
    now: number,
    ifVersion: number | undefined
  ): Effect.Effect<Updated, SessionStoreError> =>
    Effect.flatMap(
      attempt(id, patch, now, ifVersion),
      (updated) => updated !== undefined ? Effect.succeed(updated) : contend(id, patch, now, ifVersion)
    )

  /** In turn with the others of this process, and with growing pauses against other processes. */
  const contend = (
    id: string,
    patch: Patch,
    now: number,
    ifVersion?: number
  ): Effect.Effect<Updated, SessionStoreError> => {
    const again = (tries: number): Effect.Effect<Updated, SessionStoreError> =>
      Effect.flatMap(attempt(id, patch, now, ifVersion), (updated) => {
        if (updated !== undefined) return Effect.succeed(updated)
        return tries === maxTries
          ? Effect.fail(
            SessionStoreError.of("update", "Contention", "the record changed each time it was to be written")
          )
          : Effect.zipRight(backoff(Math.min(tries, 4)), again(tries + 1))
      })
    return inTurn(id, again(1))
  }

  /** Reads the record and writes on that; undefined when it changed in between. */
  const attempt = (
    id: string,
    patch: Patch,
    now: number,
    ifVersion: number | undefined
  ): Effect.Effect<Updated | undefined, SessionStoreError> =>
    executor.readLatest("update", statements.find, [id], (rows) => {
      const record = only(rows, now)
      if (record === undefined || "_tag" in record) return Exit.succeed(missing)
      return ifVersion !== undefined && ifVersion !== record.version
        ? Effect.as(executor.distrustTransaction, conflict)
        : compareAndSet(id, patch, record, Exit.succeed)
    })

  /** Writes the record with the patch applied, if it still is this one; else undefined. */
  const compareAndSet = <A>(
    id: string,
    patch: Patch,
    record: StoredSession,
    next: (updated: Updated | undefined) => Effect.Effect<A, SessionStoreError>
  ): Effect.Effect<A, SessionStoreError> => {
    const changesData = patch.clear || patch.set.size > 0 || patch.remove.size > 0
    const times = patch.expiry === undefined ? [] : Record.timeParams(patch.expiry)
    const same = [id, record.version, Record.whole(record.expiresAt)]
    let params = [...times, ...same]
    if (changesData) {
      const data = Data.applyPatch(record.data, patch)
      const flat = Data.pack(data)
      // A text of n code units has at most 3n octets: most sessions need no counting.
      if (flat.length * 3 > patch.maxBytes) {
        const size = Data.totalOctets(data)
        if (size > patch.maxBytes && size > Data.totalOctets(record.data)) return next({ _tag: "TooLarge", size })
      }
      params = [textOf(flat), ...params]
    }
    const text = patch.expiry === undefined
      ? changesData ? statements.updateData : statements.updateNothing
      : changesData
      ? statements.updateAll
      : statements.updateTimes
    return executor.write("update", text, params, (changed) =>
      next(
        changed === 0 ? undefined : {
          _tag: "Updated",
          version: record.version + 1,
          // The record's own, read with the version that was compared: what the row holds now.
          expiry: Record.wholeExpiry(patch.expiry ?? record)
        }
      ))
  }

  // ── remove ──

  const remove: SessionBackendService["remove"] = (id, ifVersion, now) => {
    const at = Record.whole(now)
    if (ifVersion === undefined) {
      return executor.write(
        "remove",
        statements.remove,
        [id, at],
        (removed) => Exit.succeed(removed === 0 ? "missing" : "removed")
      )
    }
    return executor.write("remove", statements.removeVersion, [id, ifVersion, at], (removed) =>
      removed > 0
        ? Exit.succeed("removed" as const)
        : executor.readLatest("remove", statements.find, [id], (rows) =>
          only(rows, now) === undefined
            ? Exit.succeed("missing" as const)
            : Effect.as(executor.distrustTransaction, "conflict" as const)))
  }

  const removeExpired: SessionBackendService["removeExpired"] = (now, limit) => {
    if (limit < 1) return Effect.succeed(0)
    const most = Math.min(Math.floor(limit), maxRemoved[executor.dialect])
    return executor.write(
      "removeExpired",
      statements.removeExpired(most),
      [Record.whole(now)],
      (removed) =>
        removed < most || most === Math.floor(limit)
          ? Exit.succeed(removed)
          // A timer and not a yield: fibers yield to fibers, a timer lets requests in.
          : Effect.map(Effect.zipRight(pause(0), removeExpired(now, limit - removed)), (more) => removed + more)
    )
  }

  // ── the index of a subject's sessions ──

  const insertBound = (
    id: string,
    session: NewSession & { readonly owner: Owner },
    now: number,
    bound: SubjectBound
  ): Effect.Effect<"Inserted" | "Taken" | "Full", SessionStoreError> => {
    const hash = Record.hashOfSubject(session.owner.subject)
    const slot = Record.slotOf(hash, lockSlots)
    const at = Record.whole(now)
    // In turn here first: parallel sign-ins of one subject then wait for their row with one connection, not with all.
    return inTurn(
      `slot ${slot}`,
      executor.transaction<"Inserted" | "Taken" | "Full">(
        "insert",
        (on) =>
          Effect.flatMap(
            Effect.zipRight(takeTurn(on, slot), on.read(statements.living, [hash, at])),
            (living) => {
              if (bound.whenFull === "refuse" && living.length >= bound.max) {
                return Effect.map(on.read(statements.find, [id]), (rows) =>
                  only(rows, now) === undefined ? "Full" : "Taken")
              }
              const excess = living.slice(0, Math.max(living.length + 1 - bound.max, 0))
              return Effect.flatMap(
                insertBy(
                  (text, params, next) =>
                    Effect.flatMap(on.write(text, params), next),
                  id,
                  session,
                  now
                ),
                (inserted) =>
                  inserted
                    ? Effect.as(
                      Effect.forEach(excess, (row) => on.write(statements.remove, [Record.idIn(row), at]), {
                        discard: true
                      }),
                      "Inserted"
                    )
                    : Effect.succeed("Taken")
              )
            }
          ),
        (answer) => answer === "Inserted"
      )
    )
  }

  /** Until the transaction ends nobody else who signs this subject in, in any process, gets past this. */
  const takeTurn = (on: OnConnection, slot: number): Effect.Effect<void, SqlError> =>
    // SQLite: the transaction is the only writer from its beginning.
    executor.dialect === "sqlite"
      ? Effect.void
      : Effect.flatMap(on.write(statements.lock, [slot]), (locked) =>
        locked > 0
          ? Effect.void
          // Emptied by somebody, or restored without its rows.
          : Effect.zipRight(on.write(statements.makeLock, [slot]), on.write(statements.lock, [slot])))

  const index: SubjectIndexService = {
    insert: (id, session, now, bound) =>
      bound === undefined
        ? Effect.map(insert(id, session, now), (inserted) => inserted ? "Inserted" : "Taken")
        : insertBound(id, session, now, bound),
    list: (subject, now) =>
      // Who lists may do so to end them all: not as they were when a transaction of the app began.
      executor.readLatest("list", statements.list, [Record.hashOfSubject(subject), Record.whole(now)], (rows) =>
        Exit.succeed(rows.flatMap((row) => {
          const session = Record.parseListed(row, now)
          return session === undefined || "_tag" in session || session.owner?.subject !== subject
            ? []
            : [{ id: Record.idIn(row), session }]
        }))),
    forget: () => Effect.void
  }

  const backend: SessionBackendService = { find, insert, update, remove, removeExpired }
  declareAlone(backend, executor.isAlone)
  return { backend, index }
}
