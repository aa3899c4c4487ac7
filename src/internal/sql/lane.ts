/**
 * The statements of SQLite in this process, which has one connection and one writer. Statements that arrive while the
 * connection is taken are gathered and run together: reads of single sessions become one statement, and writes share one
 * transaction, hence one commit. A write is answered when that transaction is committed.
 *
 * This pays because the client guards its connection by a semaphore that wakes all who wait whenever one of them leaves.
 * With 32 requests at once, a find takes a fifth of the CPU, and a read with a write a third, of what they take when each
 * statement waits for the connection by itself.
 *
 * Only a client that answers when it is called gets here (`isSynchronous` in `connections.ts`). PostgreSQL, MySQL, and
 * SQLite at the other end of a network (D1, libSQL) run each statement by itself: there, gathering would make one request
 * wait for the I/O of another, which some runtimes forbid.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Caller } from "../edition/call.js"
import type { Connections } from "./connections.js"

type Rows = ReadonlyArray<unknown>

/**
 * The text that reads so many ids, any of which may be null, where another text reads one. Its rows hold the same columns,
 * and the id.
 */
export type Many = (count: number) => string

export interface Job {
  readonly caller: Caller
  readonly text: string
  readonly params: ReadonlyArray<unknown>
  /** only where `params` is one id */
  readonly many: Many | undefined
  readonly answer: (exit: Exit.Exit<Rows, SqlError>) => void
}

/** Between two batches the app's own transactions get the connection, and no batch may hold up the process for long. */
const maxBatch = 64

/** The numbers of ids for which there is a text: few, so that each is prepared once. */
const sizes = [2, 4, 8, 16, 32, maxBatch]

/**
 * Statements block the process, and fibers that only wait for each other never let the event loop go on. After this time,
 * sockets and timers come first.
 */
const maxMillis = 2

const nextTurn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

export class Lane {
  private reads: Array<Job> = []
  private writes: Array<Job> = []
  private running = false
  /** the end of this turn of the event loop; undefined before the first statement of a turn */
  private turnEnds: number | undefined

  constructor(private readonly connections: Connections) {}

  run(job: Job, isWrite: boolean): void {
    const queue = isWrite ? this.writes : this.reads
    queue.push(job)
    if (!this.running) {
      this.running = true
      // The fiber belongs to no caller: when one of them is interrupted, the statements of the others run all the same.
      Effect.runFork(this.drain)
    }
  }

  private readonly drain: Effect.Effect<void> = Effect.suspend(() => {
    const batch = Effect.flatMap(Effect.exit(this.batch()), (exit) => {
      // The connection itself was refused, and with it everybody who waits for it.
      if (Exit.isFailure(exit)) refuse([...this.takeReads(), ...this.takeWrites()], exit.cause)
      if (this.reads.length === 0 && this.writes.length === 0) {
        this.running = false
        return Effect.void
      }
      // Twice: the first lets those who wait for the connection wake up, and the second lets them take it.
      return Effect.zipRight(Effect.yieldNow(), Effect.zipRight(Effect.yieldNow(), this.drain))
    })
    return this.isTurnOver() ? Effect.zipRight(nextTurn, batch) : batch
  })

  /** Whether this turn of the event loop has had its share of statements. */
  private isTurnOver(): boolean {
    if (this.turnEnds !== undefined) return performance.now() > this.turnEnds
    this.turnEnds = performance.now() + maxMillis
    setImmediate(() => {
      this.turnEnds = undefined
    })
    return false
  }

  private batch(): Effect.Effect<void, SqlError> {
    // Reserving the connection costs three times as much, and only a transaction needs that.
    return this.writes.length < 2
      ? this.connections.shared((connection) =>
        Effect.zipRight(reads(connection, this.takeReads()), each(connection, this.takeWrites(1)))
      )
      : this.connections.reserved((connection) =>
        Effect.zipRight(reads(connection, this.takeReads()), together(connection, this.takeWrites()))
      )
  }

  private takeReads(): ReadonlyArray<Job> {
    return this.reads.splice(0, maxBatch).filter(isAwaited)
  }

  private takeWrites(most = maxBatch): ReadonlyArray<Job> {
    return this.writes.splice(0, most).filter(isAwaited)
  }
}

/** A statement whose caller no longer waits for it is not run. */
const isAwaited = ({ caller }: Job): boolean => caller.isWaiting()

const refuse = (jobs: ReadonlyArray<Job>, cause: Cause.Cause<SqlError>): void => {
  for (const job of jobs) job.answer(Exit.failCause(cause))
}

/**
 * The client remembers what it has prepared, and for ten minutes also what it could not prepare (the table did not exist
 * yet, or the file was locked). Such a statement is tried once more without that memory.
 */
export const execute = (
  connection: Connection,
  text: string,
  params: ReadonlyArray<unknown>
): Effect.Effect<Rows, SqlError> =>
  Effect.catchAll(connection.execute(text, params, undefined), (error) =>
    error.message?.startsWith("Failed to prepare")
      ? Effect.catchAllDefect(
        Effect.suspend(() => connection.executeUnprepared(text, params, undefined)),
        () => Effect.fail(error)
      )
      : Effect.fail(error))

/** Each statement by itself: when one fails, it fails alone. */
const each = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> => {
  let i = 0
  return Effect.whileLoop({
    while: () => i < jobs.length,
    body: () => Effect.exit(execute(connection, jobs[i].text, jobs[i].params)),
    step: (exit) => jobs[i++].answer(exit)
  })
}

/** Reads of one id each become one statement, which costs half as much. When that fails, each runs by itself. */
const reads = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> => {
  const finds = jobs.filter(({ many }) => many !== undefined)
  const many = finds[0]?.many
  if (many === undefined || finds.length < 2) return each(connection, jobs)
  const count = sizes.find((size) => size >= finds.length) ?? maxBatch
  const ids = Array.from({ length: count }, (_, i) => finds[i]?.params[0] ?? null)
  const others = jobs.filter((job) => job.many === undefined)
  return Effect.zipRight(
    Effect.matchCauseEffect(execute(connection, many(count), ids), {
      onFailure: () => each(connection, finds),
      onSuccess: (rows) =>
        Effect.sync(() => {
          const byId = new Map(rows.map((row) => [(row as { readonly id: unknown }).id, [row]]))
          for (const job of finds) job.answer(Exit.succeed(byId.get(job.params[0]) ?? []))
        })
    }),
    each(connection, others)
  )
}

/**
 * All statements in one transaction. When one of them fails, the transaction is undone, and each runs by itself.
 *
 * One `UPDATE … FROM (VALUES …)` for all of them would be a tenth faster with 32 at once. But the order of its join cannot
 * be forced, and with old statistics of ANALYZE, SQLite then reads the whole table.
 */
const together = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> => {
  if (jobs.length < 2) return each(connection, jobs)
  const answers: Array<Rows> = []
  const all = Effect.whileLoop({
    while: () => answers.length < jobs.length,
    body: () => execute(connection, jobs[answers.length].text, jobs[answers.length].params),
    step: (rows) => {
      answers.push(rows)
    }
  })
  return Effect.matchCauseEffect(execute(connection, "BEGIN IMMEDIATE", []), {
    // Another process is writing. Each statement by itself would wait for it just as long, one after the other.
    onFailure: (cause) => Effect.sync(() => refuse(jobs, cause)),
    onSuccess: () =>
      Effect.matchCauseEffect(Effect.zipRight(all, execute(connection, "COMMIT", [])), {
        onFailure: () => Effect.zipRight(Effect.exit(execute(connection, "ROLLBACK", [])), each(connection, jobs)),
        onSuccess: () =>
          Effect.sync(() => {
            jobs.forEach((job, i) => job.answer(Exit.succeed(answers[i])))
          })
      })
  })
}
