/**
 * SQLite has one connection and one writer. Statements that arrive while another runs are gathered and run in one go:
 * the connection is waited for once, and writes share one transaction, hence one commit. Nobody hears of a write before
 * that transaction is committed.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"

type Rows = ReadonlyArray<unknown>

interface Job {
  readonly caller: Fiber.RuntimeFiber<unknown, unknown>
  readonly text: string
  readonly params: ReadonlyArray<unknown>
  readonly resume: (effect: Effect.Effect<Rows, SqlError>) => void
  rows: Rows
}

/** So that the app's own transactions get their turn, and no batch holds up the process for long. */
const maxBatch = 64

/**
 * Statements block the process, and fibers that only wait for each other never let the event loop go on: after so long
 * the sockets and timers come first.
 */
const maxMillis = 2

const nextTurn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

export class Lane {
  private reads: Array<Job> = []
  private writes: Array<Job> = []
  private running = false
  /** undefined until the first statement of a turn of the event loop */
  private turnEnds: number | undefined

  /**
   * - `forOne`: the connection once no transaction of the app holds it; what statements of the client itself run on.
   * - `forMany`: the connection, held until the scope ends; costs three times as much.
   */
  constructor(
    private readonly forOne: Connection.Acquirer,
    private readonly forMany: Connection.Acquirer
  ) {}

  run(
    caller: Fiber.RuntimeFiber<unknown, unknown>,
    text: string,
    params: ReadonlyArray<unknown>,
    isWrite: boolean
  ): Effect.Effect<Rows, SqlError> {
    return Effect.async((resume) => {
      const queue = isWrite ? this.writes : this.reads
      queue.push({ caller, text, params, resume, rows: [] })
      if (!this.running) {
        this.running = true
        // A fiber of nobody: whoever asked may be interrupted, the statements of the others run all the same.
        Effect.runFork(this.drain)
      }
    })
  }

  private readonly drain: Effect.Effect<void> = Effect.suspend(() => {
    const batch = Effect.flatMap(Effect.exit(this.batch()), (exit) => {
      // The connection itself was refused: everybody who waits for it hears so.
      if (Exit.isFailure(exit)) refuse([...this.takeReads(), ...this.takeWrites()], exit.cause)
      if (this.reads.length === 0 && this.writes.length === 0) {
        this.running = false
        return Effect.void
      }
      // Twice: the first lets whoever waits for the connection wake up, the second lets them take it.
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
    return this.writes.length < 2
      ? Effect.scoped(
        Effect.flatMap(
          this.forOne,
          (connection) => Effect.zipRight(each(connection, this.takeReads()), each(connection, this.takeWrites(1)))
        )
      )
      : Effect.scoped(
        Effect.flatMap(
          this.forMany,
          (connection) => Effect.zipRight(each(connection, this.takeReads()), together(connection, this.takeWrites()))
        )
      )
  }

  private takeReads(): ReadonlyArray<Job> {
    return this.reads.splice(0, maxBatch).filter(isAwaited)
  }

  private takeWrites(most = maxBatch): ReadonlyArray<Job> {
    return this.writes.splice(0, most).filter(isAwaited)
  }
}

/**
 * What nobody waits for any more is not run. (Asked here instead of being told by the interrupted caller: that costs each
 * statement as much as running it.)
 */
const isAwaited = ({ caller }: Job): boolean => Cause.isEmpty(caller.getFiberRef(FiberRef.interruptedCause))

const refuse = (jobs: ReadonlyArray<Job>, cause: Cause.Cause<SqlError>): void => {
  for (const job of jobs) job.resume(Effect.failCause(cause))
}

/**
 * The client keeps what it prepared, and for ten minutes also that it could not (no table yet, a file that was locked): a
 * statement that could not be prepared is tried once more without its memory.
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

/** Each by itself: what fails, fails alone. */
const each = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> => {
  let i = 0
  return Effect.whileLoop({
    while: () => i < jobs.length,
    body: () => Effect.exit(execute(connection, jobs[i].text, jobs[i].params)),
    step: (exit) => jobs[i++].resume(exit)
  })
}

/** All in one transaction; where one of them fails it is undone, and each is run by itself. */
const together = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> => {
  if (jobs.length < 2) return each(connection, jobs)
  let i = 0
  const all = Effect.whileLoop({
    while: () => i < jobs.length,
    body: () => execute(connection, jobs[i].text, jobs[i].params),
    step: (rows) => {
      jobs[i++].rows = rows
    }
  })
  return Effect.matchCauseEffect(execute(connection, "BEGIN IMMEDIATE", []), {
    // Another process writes: each by itself would wait for it just as long, one after the other.
    onFailure: (cause) => Effect.sync(() => refuse(jobs, cause)),
    onSuccess: () =>
      Effect.matchCauseEffect(Effect.zipRight(all, execute(connection, "COMMIT", [])), {
        onFailure: () => Effect.zipRight(Effect.exit(execute(connection, "ROLLBACK", [])), each(connection, jobs)),
        onSuccess: () =>
          Effect.sync(() => {
            for (const job of jobs) job.resume(Effect.succeed(job.rows))
          })
      })
  })
}
