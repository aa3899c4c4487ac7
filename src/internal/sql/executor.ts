/**
 * Runs prebuilt statements on the connections of the app's `SqlClient`.
 *
 * Not through `client.unsafe(…)`: its span, scope and compilation for each statement take as long as PostgreSQL takes to
 * answer it (measured: two thirds of the raw driver's rate, against nine tenths this way).
 */
import { type SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import { SessionStoreError } from "../../SessionError.js"
import { Call, type Caller } from "../edition/call.js"
import { afterFailure, withRetry } from "./failure.js"
import { execute, Lane, type Many } from "./lane.js"
import type { Row } from "./record.js"
import type { Dialect } from "./table.js"

type Operation = SessionStoreError["operation"]
type Params = ReadonlyArray<unknown>

/** Where it has its answer it gives an `Exit`; what takes more than that runs in a fiber of its own. */
type Next<R, A> = (result: R) => Effect.Effect<A, SessionStoreError>

interface Asked {
  readonly text: string
  readonly params: Params
  readonly many?: Many | undefined
  readonly isWrite: boolean
  /** in the transaction that the caller is in */
  readonly takesPart: boolean
}

/** Statements on one connection. */
export interface OnConnection {
  readonly read: (text: string, params: Params) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  /** how many rows were changed */
  readonly write: (text: string, params: Params) => Effect.Effect<number, SqlError>
}

/**
 * Where the caller is inside a transaction of the app (`sql.withTransaction`):
 *
 * - Reads take part in it. A second connection for each request that already holds one is how a pool runs dry.
 * - Writes do not: a session that ended stays ended when the app's transaction is rolled back. A transaction that looks at
 *   one moment (MySQL's default, PostgreSQL's REPEATABLE READ) never sees them: once the caller has written, its reads do
 *   not take part any more either. SQLite has one connection only: there writes take part.
 */
export interface Executor {
  readonly dialect: Dialect
  /** One statement, and what `next` makes of its answer. `many` may stand for several at once, see `lane.ts`. */
  readonly read: <A>(
    operation: Operation,
    text: string,
    params: Params,
    next: Next<ReadonlyArray<Row>, A>,
    many?: Many
  ) => Effect.Effect<A, SessionStoreError>
  /** A read that sees what others have written since a transaction of the app began. */
  readonly readLatest: Executor["read"]
  /**
   * What the caller's transaction reads is not what is there: from now on its reads do not take part in it either. (Under
   * MySQL's REPEATABLE READ a compare-and-set that lost once would lose for ever.)
   */
  readonly distrustTransaction: Effect.Effect<void>
  /** Whether the fiber holds the only connection: whoever waits for that must not be waited for. */
  readonly isAlone: (fiber: Fiber.RuntimeFiber<unknown, unknown>) => boolean
  /** `next` hears how many rows were changed. */
  readonly write: <A>(
    operation: Operation,
    text: string,
    params: Params,
    next: Next<number, A>
  ) => Effect.Effect<A, SessionStoreError>
  /** One transaction; undone where the body fails, is interrupted, or `keep` says so. */
  readonly transaction: <A>(
    operation: Operation,
    body: (on: OnConnection) => Effect.Effect<A, SqlError | SessionStoreError>,
    keep: (a: A) => boolean
  ) => Effect.Effect<A, SessionStoreError>
}

/** A statement without rows of its own says how many it changed (MySQL), one with RETURNING gives one row for each. */
const changed = (result: unknown): number => {
  if (Array.isArray(result)) return result.length
  const { affectedRows } = result as { readonly affectedRows?: unknown }
  return typeof affectedRows === "number" ? affectedRows : 0
}

const runOn = (
  dialect: Dialect,
  connection: Connection,
  text: string,
  params: Params,
  isWrite: boolean
): Effect.Effect<unknown, SqlError> => {
  if (dialect === "sqlite") return execute(connection, text, params)
  return dialect === "mysql" && isWrite
    ? connection.executeRaw(text, params)
    : connection.execute(text, params, undefined)
}

// A connection gives its rows as `any`: `record.ts` looks at each column.
const onConnection = (dialect: Dialect, connection: Connection): OnConnection => ({
  read: (text, params) =>
    runOn(dialect, connection, text, params, false) as Effect.Effect<ReadonlyArray<Row>, SqlError>,
  write: (text, params) => Effect.map(runOn(dialect, connection, text, params, true), changed)
})

const begin: { readonly [dialect in Dialect]: ReadonlyArray<string> } = {
  // READ COMMITTED, whatever the server's default: a snapshot from before the wait for a lock would not see what its
  // holder did, and MySQL locks fewer gaps.
  pg: ["BEGIN ISOLATION LEVEL READ COMMITTED"],
  mysql: ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"],
  // At once a writer: a reader that becomes one later is refused when another was faster.
  sqlite: ["BEGIN IMMEDIATE"]
}

/** What a client turned out to be: see `probe`. */
interface Probed {
  /** one connection of it; whose transaction the caller is in, is told by it */
  readonly known: Connection
  /** the pool in the form of a connection, which any number of statements may use at once */
  readonly pool: Connection | undefined
}

/**
 * What the client's own statements run on. It is no part of the public interface, therefore looked at closely: it is taken
 * for the pool only where it is the same object each time, and not the one that transactions get. Otherwise each statement
 * reserves a connection, which takes longer and is right with any client.
 */
const probe = (dialect: Dialect, client: SqlClient): Effect.Effect<Probed, SqlError> =>
  Effect.flatMap(reserved(client, Effect.succeed), (own) => {
    const acquirer = acquirerOf(client)
    if (dialect === "sqlite" || acquirer === undefined) return Effect.succeed({ known: own, pool: undefined })
    const shared = Effect.scoped(acquirer)
    return Effect.zipWith(shared, shared, (first, second) => ({
      known: own,
      pool: first === second && first !== own ? first : undefined
    }))
  })

/** As if nobody were in a transaction. */
const acquirerOf = (client: SqlClient): Connection.Acquirer | undefined => {
  const { acquirer } = client.unsafe("SELECT 1") as { readonly acquirer?: unknown }
  // sound as far as it goes: whatever runs a statement in @effect/sql takes it for that
  return Effect.isEffect(acquirer)
    ? Effect.mapInputContext(
      acquirer as Connection.Acquirer,
      Context.omit(TransactionConnection)
    ) as Connection.Acquirer
    : undefined
}

export const make = (dialect: Dialect, client: SqlClient): Effect.Effect<Executor> => {
  const executor = makeWith(dialect, client)
  // Where the database does not answer yet, the first statement asks again.
  return Effect.as(Effect.exit(executor.prepare), executor)
}

const makeWith = (
  dialect: Dialect,
  client: SqlClient
): Executor & { readonly prepare: Effect.Effect<Probed, SqlError> } => {
  let probed: Probed | undefined

  const prepare = Effect.tap(probe(dialect, client), (result) =>
    Effect.sync(() => {
      probed = result
    }))

  // All clients share the tag of the connection in transaction: a transaction on another database is none of ours.
  const isOurs = (connection: Connection): boolean => {
    if (probed === undefined) return false
    const prototype = Object.getPrototypeOf(connection)
    return connection === probed.known
      || (prototype !== Object.prototype && prototype === Object.getPrototypeOf(probed.known))
  }

  const joined = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Connection | undefined => {
    const transaction = Context.getOption(fiber.currentContext, TransactionConnection)
    return transaction._tag === "Some" && isOurs(transaction.value[0]) ? transaction.value[0] : undefined
  }

  const distrusted = new WeakSet<Connection>()

  /** Of whatever transaction the fiber is in: that it is another database's is harmless to remember. */
  const distrust = (fiber: Fiber.RuntimeFiber<unknown, unknown>): void => {
    const transaction = Context.getOption(fiber.currentContext, TransactionConnection)
    if (transaction._tag === "Some") distrusted.add(transaction.value[0])
  }

  const distrustTransaction: Executor["distrustTransaction"] = Effect.withFiberRuntime((fiber) => {
    distrust(fiber)
    return Effect.void
  })

  const isAlone: Executor["isAlone"] = (fiber) => dialect === "sqlite" && joined(fiber) !== undefined

  const lane = dialect === "sqlite" ? new Lane(acquirerOf(client) ?? client.reserve, client.reserve) : undefined

  const alone = (text: string, params: Params, isWrite: boolean): Effect.Effect<unknown, SqlError> => {
    if (probed === undefined) return Effect.zipRight(prepare, Effect.suspend(() => alone(text, params, isWrite)))
    const on = (connection: Connection) => runOn(dialect, connection, text, params, isWrite)
    return probed.pool === undefined
      ? reserved(client, (connection, restore) => restore(on(connection)))
      : on(probed.pool)
  }

  /** A statement by itself, as a call: no fiber but the one in which the client's effect has to run. */
  const statement = <R, A>(
    operation: Operation,
    { isWrite, many, params, takesPart, text }: Asked,
    read: (result: unknown) => R,
    next: Next<R, A>
  ): Call<A, SessionStoreError> => {
    const start = (answer: (exit: Exit.Exit<unknown, unknown>) => void, caller: Caller): Running | undefined => {
      if (isWrite && !takesPart) distrust(caller.fiber)
      const connection = takesPart ? joined(caller.fiber) : undefined
      if (connection !== undefined && (lane !== undefined || !distrusted.has(connection))) {
        return run(runOn(dialect, connection, text, params, isWrite), answer)
      }
      if (lane === undefined) return run(alone(text, params, isWrite), answer)
      lane.run({ caller, text, params, many, answer }, isWrite)
    }
    const again = new Call<unknown, unknown>((answer, caller) => {
      const running = start(answer, caller)
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
        // What takes more is the caller's: it may ask whether that is in a transaction.
        if (Exit.isExit(effect)) answer(effect as Exit.Exit<A, SessionStoreError>)
        else running = run(effect, answer, caller)
      }
      const first = start(goOn, caller)
      running ??= first
      return () => stop(running)
    })
  }

  const read: Executor["read"] = (operation, text, params, next, many) =>
    statement(operation, { text, params, many, isWrite: false, takesPart: true }, rowsIn, next)

  const readLatest: Executor["readLatest"] = (operation, text, params, next, many) =>
    statement(operation, { text, params, many, isWrite: false, takesPart: dialect === "sqlite" }, rowsIn, next)

  const write: Executor["write"] = (operation, text, params, next) =>
    statement(operation, { text, params, isWrite: true, takesPart: dialect === "sqlite" }, changed, next)

  const transaction: Executor["transaction"] = (operation, body, keep) =>
    Effect.withFiberRuntime((fiber) => {
      const connection = dialect === "sqlite" ? joined(fiber) : undefined
      distrust(fiber)
      return withRetry(
        operation,
        connection === undefined
          ? reserved(client, (connection, restore) =>
            within(connection, separate(dialect), restore(body(onConnection(dialect, connection))), keep))
          : Effect.uninterruptibleMask((restore) =>
            within(connection, savepoint, restore(body(onConnection(dialect, connection))), keep)
          )
      )
    })

  return { prepare, dialect, read, readLatest, distrustTransaction, isAlone, write, transaction }
}

const rowsIn = (result: unknown): ReadonlyArray<Row> => result as ReadonlyArray<Row>

type Running = Fiber.RuntimeFiber<unknown, unknown>

const stop = (running: Running | undefined): void => running?.unsafeInterruptAsFork(FiberId.none)

/**
 * Runs the effect in a fiber of its own: `as` the caller, with its context, or (a statement needs none of it, and copying it
 * for each costs a quarter of the fiber) as nobody.
 */
const run = <A, E>(
  effect: Effect.Effect<A, E>,
  answer: (exit: Exit.Exit<A, E>) => void,
  as?: Caller
): Running => {
  // Its end is the fiber's value and not its failure: the runtime would log that, and a driver's words may hold a session's.
  const exit = Effect.exit(effect)
  const fiber = as === undefined ? Effect.runFork(exit) : Runtime.runFork(
    Runtime.make({
      context: as.fiber.currentContext,
      fiberRefs: as.fiber.getFiberRefs(),
      runtimeFlags: Runtime.defaultRuntimeFlags
    })
  )(exit)
  fiber.addObserver((ended) => answer(Exit.flatten(ended)))
  return fiber
}

/**
 * A connection of one's own. Waiting for it cannot be interrupted: the PostgreSQL client would never give a connection
 * back that arrives after that.
 */
const reserved = <A, E>(
  client: SqlClient,
  use: (
    connection: Connection,
    restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2>
  ) => Effect.Effect<A, E>
): Effect.Effect<A, E | SqlError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.scoped(Effect.flatMap(client.reserve, (connection) => use(connection, restore)))
  )

interface Texts {
  readonly begin: ReadonlyArray<string>
  readonly commit: ReadonlyArray<string>
  readonly rollback: ReadonlyArray<string>
}

const separate = (dialect: Dialect): Texts => ({ begin: begin[dialect], commit: ["COMMIT"], rollback: ["ROLLBACK"] })

const savepoint: Texts = {
  begin: ["SAVEPOINT effect_session"],
  commit: ["RELEASE SAVEPOINT effect_session"],
  rollback: ["ROLLBACK TO SAVEPOINT effect_session", "RELEASE SAVEPOINT effect_session"]
}

/** Must run where it cannot be interrupted; the body may be restored. */
const within = <A, E>(
  connection: Connection,
  texts: Texts,
  body: Effect.Effect<A, E>,
  keep: (a: A) => boolean
): Effect.Effect<A, E | SqlError> => {
  const step = (name: keyof Texts): Effect.Effect<void, SqlError> =>
    Effect.forEach(texts[name], (text) => connection.executeUnprepared(text, [], undefined), { discard: true })
  // Where it fails the connection is lost, and the transaction with it.
  const undo = Effect.exit(step("rollback"))
  return Effect.zipRight(
    step("begin"),
    Effect.matchCauseEffect(body, {
      onFailure: (cause) => Effect.zipRight(undo, Effect.failCause(cause)),
      onSuccess: (a) =>
        keep(a)
          ? Effect.as(
            Effect.catchAllCause(step("commit"), (cause) => Effect.zipRight(undo, Effect.failCause(cause))),
            a
          )
          : Effect.as(undo, a)
    })
  )
}
