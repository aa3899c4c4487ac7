/**
 * `SessionBackend` over one table (see `table.ts`).
 *
 * A row changes only by a compare-and-set on its version and its `expires_at`: the version tells one state of a record from
 * the next, and both together tell a record from an expired one that had the same id before.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Patch, SessionBackendService, StoredSession, Updated } from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { passing, storeIsDown, type Turn, Turns } from "../store/turns.js"
import type { Executor } from "./executor.js"
import { backoff, pause } from "./failure.js"
import * as Insert from "./insert.js"
import * as Record from "./record.js"
import type { Statements } from "./statements.js"
import type { Dialect } from "./table.js"

/** How often a compare-and-set is tried against other processes before the update fails with `Contention`. */
const maxTries = 64

/**
 * Rows per statement of the clean-up. SQLite runs it in this process, which does nothing else in the meantime: of a million
 * rows, 500 took 10 ms of CPU, and 100 took 1.2 ms and still removed two thirds as many in a second.
 */
const maxRemoved: { readonly [dialect in Dialect]: number } = { pg: Infinity, mysql: Infinity, sqlite: 100 }

const missing: Updated = { _tag: "Missing" }
type Removed = Effect.Effect.Success<ReturnType<SessionBackendService["remove"]>>

const conflict: Updated = { _tag: "Conflict" }

interface Change {
  readonly id: string
  readonly patch: Patch
  readonly now: number
  readonly ifVersion: number | undefined
}

/** What an update came to, and the record as it is then; undefined when another one was faster. */
type Next<A> = (updated: Updated | undefined, after?: StoredSession) => Effect.Effect<A, SessionStoreError>

export const make = (executor: Executor, statements: Statements): SessionBackendService => {
  const { dialect } = executor
  const textOf = Record.textFor(dialect)
  const turns = new Turns<SessionStoreError>(passing(executor.isAlone))

  const find: SessionBackendService["find"] = (id, now) =>
    executor.read(
      "find",
      statements.find,
      [id],
      (rows) => Exit.succeed(Option.fromNullable(Record.parseFirst(rows, now))),
      statements.findMany
    )

  const insert: SessionBackendService["insert"] = (id, session, now) =>
    Insert.insert(
      dialect,
      statements,
      (text, params, next) => executor.write("insert", text, params, next),
      id,
      session,
      now
    )

  // ── update ──

  /**
   * Updates of one record take turns, from the first one on: of 1,000 at once, each then costs one statement, and nobody
   * loses to another one of this process. An update of one version does not wait, because it would not succeed after that.
   */
  const update: SessionBackendService["update"] = (id, patch, now, ifVersion, base) => {
    const change = { id, patch, now, ifVersion }
    return ifVersion === undefined
      ? turns.take(id, (turn) => attempts(change, turn.snapshot ?? base, turn, 1), storeIsDown)
      : attempts(change, base, undefined, 1)
  }

  /** Tries until no other process is faster, with growing pauses. The next caller starts from what this one has written. */
  const attempts = (
    change: Change,
    base: StoredSession | undefined,
    turn: Turn | undefined,
    tries: number
  ): Effect.Effect<Updated, SessionStoreError> =>
    attempt(change, base, (updated, after) => {
      if (turn !== undefined) turn.snapshot = after
      if (updated !== undefined) return Exit.succeed(updated)
      return tries === maxTries
        ? Exit.fail(SessionStoreError.of("update", "Contention", "the record changed during each try to write it"))
        : Effect.zipRight(backoff(Math.min(tries, 4)), attempts(change, undefined, turn, tries + 1))
    })

  /** Writes on `base`, where that may still be the record; otherwise reads the record and writes on that. */
  const attempt = <A>(
    change: Change,
    base: StoredSession | undefined,
    next: Next<A>
  ): Effect.Effect<A, SessionStoreError> => {
    const { id, ifVersion, now } = change
    if (base !== undefined && base.expiresAt > now && (ifVersion === undefined || ifVersion === base.version)) {
      return compareAndSet(change, base, (updated, after) =>
        // What is too large for the record that the caller saw may fit into the one that is stored.
        updated === undefined || updated._tag === "TooLarge"
          ? attempt(change, undefined, next)
          : next(updated, after))
    }
    return executor.readLatest("update", statements.find, [id], (rows) => {
      const record = Record.parseFirst(rows, now)
      if (record === undefined) return next(missing)
      if ("_tag" in record) return next(record._tag === "Renewed" ? record : missing)
      return ifVersion !== undefined && ifVersion !== record.version
        ? Effect.zipRight(executor.distrustTransaction, next(conflict))
        : compareAndSet(change, record, next)
    })
  }

  const compareAndSet = <A>(
    { id, patch }: Change,
    record: StoredSession,
    next: Next<A>
  ): Effect.Effect<A, SessionStoreError> => {
    const changesData = patch.clear || patch.set.size > 0 || patch.remove.size > 0
    const data = changesData ? Data.applyPatch(record.data, patch) : record.data
    const times = patch.expiry === undefined ? [] : Record.timeParams(patch.expiry)
    let params = [...times, id, record.version, Record.whole(record.expiresAt)]
    if (changesData) {
      const packed = Data.pack(data)
      // A text of n code units has at most 3n bytes: most sessions need no counting.
      if (packed.length * 3 > patch.maxBytes) {
        const size = Data.totalBytes(data)
        if (size > patch.maxBytes && size > Data.totalBytes(record.data)) return next({ _tag: "TooLarge", size })
      }
      params = [textOf(packed), ...params]
    }
    const text = patch.expiry === undefined
      ? changesData ? statements.updateData : statements.updateNothing
      : changesData
      ? statements.updateAll
      : statements.updateTimes
    return executor.write("update", text, params, (changed) => {
      if (changed === 0) return next(undefined)
      const version = record.version + 1
      // Without new times, those of the record were compared with the version, and are what the row holds now.
      const expiry = Record.wholeExpiry(patch.expiry ?? record)
      return next({ _tag: "Updated", version, expiry }, { ...expiry, owner: record.owner, data, version })
    })
  }

  // ── remove ──

  const remove: SessionBackendService["remove"] = (id, ifVersion, now, successor) => {
    const params = successor === undefined ? [] : Record.markParams(successor, now, textOf)
    params.push(id, Record.whole(now))
    if (ifVersion !== undefined) params.push(ifVersion)
    return executor.write(
      "remove",
      removal(successor !== undefined, ifVersion !== undefined),
      params,
      (removed) =>
        removed > 0
          ? Exit.succeed<Removed>("removed")
          : executor.readLatest("remove", statements.find, [id], (rows): Effect.Effect<Removed> => {
            const record = Record.parseFirst(rows, now)
            if (record !== undefined && "_tag" in record && record._tag === "Renewed") return Exit.succeed(record)
            return record === undefined || ifVersion === undefined
              ? Exit.succeed("missing")
              : Effect.as(executor.distrustTransaction, "conflict")
          })
    )
  }

  const removal = (leavesMark: boolean, ofVersion: boolean): string =>
    leavesMark
      ? ofVersion ? statements.markVersion : statements.mark
      : ofVersion
      ? statements.removeVersion
      : statements.remove

  const removeExpired: SessionBackendService["removeExpired"] = (now, limit) => {
    if (limit < 1) return Effect.succeed(0)
    const most = Math.min(Math.floor(limit), maxRemoved[dialect])
    return executor.write(
      "removeExpired",
      statements.removeExpired(most),
      [Record.whole(now)],
      (removed) =>
        removed < most || most === Math.floor(limit)
          ? Exit.succeed(removed)
          // A timer and not a yield: fibers yield to other fibers only, while a timer lets new requests in.
          : Effect.map(Effect.zipRight(pause(0), removeExpired(now, limit - removed)), (more) => removed + more)
    )
  }

  const count = (now: number): Effect.Effect<number, SessionStoreError> =>
    executor.readLatest("count", statements.count, [Record.whole(now)], (rows) => Exit.succeed(Number(rows[0]?.count)))

  return { find, insert, update, remove, removeExpired, count, isAlone: executor.isAlone }
}
