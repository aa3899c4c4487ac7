/**
 * Runs prebuilt statements on the connections of the app's `SqlClient`, and decides which of them take part in a
 * transaction of the app.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { SessionStoreError } from "../../SessionError.js"
import { Call, type Caller } from "../edition/call.js"
import { fork, type Running, stop } from "../edition/fork.js"
import { connectionsOf, isOfSameClient, type Kind, kindOf, transactionOf } from "./connections.js"
import { afterFailure, withRetry } from "./failure.js"
import { execute, Lane, type Many } from "./lane.js"
import type { Row } from "./record.js"
import type { Dialect } from "./table.js"
import * as Transaction from "./transaction.js"

type Operation = SessionStoreError["operation"]
type Params = ReadonlyArray<unknown>

/**
 * What an operation makes of a statement's result: an `Exit` when that is its answer, or an effect that runs more
 * statements. Only the latter needs a fiber of its own.
 */
export type Next<R, A> = (result: R) => Effect.Effect<A, SessionStoreError>

interface Asked {
  readonly text: string
  readonly params: Params
  readonly many?: Many | undefined
  readonly isWrite: boolean
  /** whether it runs in the transaction that the caller is in */
  readonly takesPart: boolean
}

/** Statements on one connection. `write` says how many rows it changed. */
export interface OnConnection {
  readonly read: (text: string, params: Params) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  readonly write: (text: string, params: Params) => Effect.Effect<number, SqlError>
}

/**
 * Inside a transaction of the app (`sql.withTransaction`):
 *
 * - Reads take part in it. If each request that already holds a connection took a second one, the pool would run dry.
 * - Writes do not take part: a session that ended stays ended when the app's transaction is rolled back. A transaction that
 *   sees the database as it was at one moment (MySQL's default, PostgreSQL's REPEATABLE READ) never sees such a write.
 *   Therefore, once the caller has written, its reads take no part any more either.
 * - On SQLite, which has one connection only, writes take part, too.
 */
export interface Executor {
  readonly dialect: Dialect
  /** Runs one statement, and what `next` makes of its rows. `many` is the text for several at once, see `lane.ts`. */
  readonly read: <A>(
    operation: Operation,
    text: string,
    params: Params,
    next: Next<ReadonlyArray<Row>, A>,
    many?: Many
  ) => Effect.Effect<A, SessionStoreError>
  /** A read that sees what others have written after a transaction of the app began. */
  readonly readLatest: Executor["read"]
  /** Runs one statement, and what `next` makes of the number of rows that it changed. */
  readonly write: <A>(
    operation: Operation,
    text: string,
    params: Params,
    next: Next<number, A>
  ) => Effect.Effect<A, SessionStoreError>
  /** Runs a transaction of its own. It is undone when the body fails or is interrupted, and when `keep` refuses its answer. */
  readonly transaction: <A>(
    operation: Operation,
    body: (on: OnConnection) => Effect.Effect<A, SqlError | SessionStoreError>,
    keep: (a: A) => boolean
  ) => Effect.Effect<A, SessionStoreError>
  /**
   * From now on the caller's reads take no part in its transaction, because that no longer shows what is stored. (Under
   * MySQL's REPEATABLE READ, a compare-and-set that lost once would otherwise lose for ever.)
   */
  readonly distrustTransaction: Effect.Effect<void>
  /** SQLite: whether the caller holds the only connection, so that it must not wait for those who wait for that. */
  readonly isAlone: Effect.Effect<boolean> | undefined
}

export const make = (dialect: Dialect, client: SqlClient): Effect.Effect<Executor> => {
  const connections = connectionsOf(client)
  const lane = new Lane(connections)
  const distrusted = new WeakSet<Connection>()
  let kind: Kind | undefined

  const prepare = Effect.map(kindOf(dialect, connections), (found) => {
    kind = found
  })

  /** The connection of the app's transaction that the fiber is in. */
  const joined = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Connection | undefined => {
    const connection = transactionOf(client, fiber)
    return connection !== undefined && kind !== undefined && isOfSameClient(kind.known, connection)
      ? connection
      : undefined
  }

  /** To remember it of a transaction on another database is harmless. */
  const distrust = (fiber: Fiber.RuntimeFiber<unknown, unknown>): void => {
    const connection = transactionOf(client, fiber)
    if (connection !== undefined) distrusted.add(connection)
  }

  /** Starts a statement. Where a fiber runs it, that is the result. */
  const start = (
    asked: Asked,
    answer: (exit: Exit.Exit<unknown, unknown>) => void,
    caller: Caller
  ): Running | undefined => {
    const { isWrite, many, params, takesPart, text } = asked
    if (kind === undefined) {
      const again = new Call<unknown, unknown>((resume) => {
        const running = start(asked, resume, caller)
        return () => stop(running)
      })
      return fork(Effect.zipRight(prepare, again), answer)
    }
    if (isWrite && !takesPart) distrust(caller.fiber)
    const on = (connection: Connection) => executeOn(dialect, connection, text, params, isWrite)
    const transaction = takesPart ? joined(caller.fiber) : undefined
    if (transaction !== undefined && !distrusted.has(transaction)) return fork(on(transaction), answer)
    if (!kind.isSynchronous) return fork(connections.shared(on), answer)
    lane.run({ caller, text, params, many, answer }, isWrite)
  }

  /** A statement by itself, as a call: it needs no fiber but the one in which the client's effect has to run. */
  const statement = <R, A>(
    operation: Operation,
    asked: Asked,
    read: (result: unknown) => R,
    next: Next<R, A>
  ): Call<A, SessionStoreError> => {
    const again = new Call<unknown, unknown>((answer, caller) => {
      const running = start(asked, answer, caller)
      return () => stop(running)
    })
    return new Call((answer, caller) => {
      let running: Running | undefined
      const goOn = (exit: Exit.Exit<unknown, unknown>): void => {
        let effect: Effect.Effect<A, SessionStoreError>
        try {
          effect = exit._tag === "Success"
            ? next(read(exit.value))
            : Effect.flatMap(afterFailure(operation, exit.cause, again), (result) => next(read(result)))
        } catch (defect) {
          effect = Exit.fail(SessionStoreError.of(operation, "Unavailable", defect))
        }
        // More statements run as the caller: they look at the transaction that it is in.
        if (Exit.isExit(effect)) answer(effect as Exit.Exit<A, SessionStoreError>)
        else running = fork(effect, answer, caller.fiber)
      }
      const first = start(asked, goOn, caller)
      running ??= first
      return () => stop(running)
    })
  }

  const takesPartInWrites = dialect === "sqlite"

  return Effect.as(
    // A database that does not answer yet is asked again by the first statement.
    Effect.exit(prepare),
    {
      dialect,
      read: (operation, text, params, next, many) =>
        statement(operation, { text, params, many, isWrite: false, takesPart: true }, rowsIn, next),
      readLatest: (operation, text, params, next, many) =>
        statement(operation, { text, params, many, isWrite: false, takesPart: takesPartInWrites }, rowsIn, next),
      write: (operation, text, params, next) =>
        statement(operation, { text, params, isWrite: true, takesPart: takesPartInWrites }, changedIn, next),
      transaction: <A>(
        operation: Operation,
        body: (on: OnConnection) => Effect.Effect<A, SqlError | SessionStoreError>,
        keep: (a: A) => boolean
      ) =>
        Effect.withFiberRuntime<A, SessionStoreError>((fiber) => {
          const transaction = takesPartInWrites ? joined(fiber) : undefined
          if (!takesPartInWrites) distrust(fiber)
          const on = (texts: Transaction.Texts) => (connection: Connection) =>
            Transaction.within(connection, texts, body(onConnection(dialect, connection)), keep)
          return withRetry(
            operation,
            transaction === undefined
              ? connections.reserved(on(Transaction.separate[dialect]))
              : on(Transaction.savepoint)(transaction)
          )
        }),
      distrustTransaction: Effect.withFiberRuntime((fiber) => {
        if (!takesPartInWrites) distrust(fiber)
        return Effect.void
      }),
      isAlone: takesPartInWrites
        ? Effect.withFiberRuntime((fiber) => Effect.succeed(joined(fiber) !== undefined))
        : undefined
    }
  )
}

const rowsIn = (result: unknown): ReadonlyArray<Row> => result as ReadonlyArray<Row>

/** A statement without rows of its own says how many it changed (MySQL); one with RETURNING gives a row for each. */
const changedIn = (result: unknown): number => {
  if (Array.isArray(result)) return result.length
  const { affectedRows } = result as { readonly affectedRows?: unknown }
  return typeof affectedRows === "number" ? affectedRows : 0
}

const executeOn = (
  dialect: Dialect,
  connection: Connection,
  text: string,
  params: Params,
  isWrite: boolean
): Effect.Effect<unknown, SqlError> => {
  switch (dialect) {
    case "sqlite":
      return execute(connection, text, params)
    case "mysql":
      return isWrite ? connection.executeRaw(text, params) : connection.execute(text, params, undefined)
    case "pg":
      return connection.execute(text, params, undefined)
  }
}

// A connection gives its rows as `any`; `record.ts` looks at each column.
const onConnection = (dialect: Dialect, connection: Connection): OnConnection => ({
  read: (text, params) => Effect.map(executeOn(dialect, connection, text, params, false), rowsIn),
  write: (text, params) => Effect.map(executeOn(dialect, connection, text, params, true), changedIn)
})
