/**
 * SQLite has one connection and one writer. Statements that arrive while another runs are gathered and run in one go:
 * the connection is waited for once, and writes share one transaction, hence one commit. Nobody hears of a write before
 * that transaction is committed.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

type Rows = ReadonlyArray<unknown>

interface Job {
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
  private readonly reads: Array<Job> = []
  private readonly writes: Array<Job> = []
  private running = false
  /** undefined until the first statement of a turn of the event loop */
  private turnEnds: number | undefined

  constructor(private readonly client: SqlClient) {}

  run(text: string, params: ReadonlyArray<unknown>, isWrite: boolean): Effect.Effect<Rows, SqlError> {
    return Effect.async((resume) => {
      const job: Job = { text, params, resume, rows: [] }
      const queue = isWrite ? this.writes : this.reads
      queue.push(job)
      if (!this.running) {
        this.running = true
        // A fiber of nobody: whoever asked may be interrupted, the statements of the others run all the same.
        Effect.runFork(this.drain)
      }
      return Effect.sync(() => {
        const index = queue.indexOf(job)
        if (index !== -1) queue.splice(index, 1)
      })
    })
  }

  private readonly drain: Effect.Effect<void> = Effect.suspend(() => {
    const batch = Effect.flatMap(
      Effect.exit(Effect.scoped(Effect.flatMap(this.client.reserve, (connection) => this.batch(connection)))),
      (exit) => {
        // The connection itself was refused: everybody who waits for it hears so.
        if (Exit.isFailure(exit)) this.next().forEach((job) => job.resume(Effect.failCause(exit.cause)))
        if (this.reads.length === 0 && this.writes.length === 0) {
          this.running = false
          return Effect.void
        }
        // Twice: the first lets whoever waits for the connection wake up, the second lets them take it.
        return Effect.zipRight(Effect.yieldNow(), Effect.zipRight(Effect.yieldNow(), this.drain))
      }
    )
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

  private next(): ReadonlyArray<Job> {
    return [...this.reads.splice(0, maxBatch), ...this.writes.splice(0, maxBatch)]
  }

  private batch(connection: Connection): Effect.Effect<void> {
    const reads = this.reads.splice(0, maxBatch)
    const writes = this.writes.splice(0, maxBatch)
    return Effect.zipRight(
      each(connection, reads),
      writes.length < 2 ? each(connection, writes) : together(connection, writes)
    )
  }
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
const each = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> =>
  Effect.forEach(
    jobs,
    (job) => Effect.map(Effect.exit(execute(connection, job.text, job.params)), (exit) => job.resume(exit)),
    { discard: true }
  )

/** All in one transaction; where one of them fails it is undone, and each is run by itself. */
const together = (connection: Connection, jobs: ReadonlyArray<Job>): Effect.Effect<void> =>
  Effect.matchCauseEffect(execute(connection, "BEGIN IMMEDIATE", []), {
    // Another process writes: each by itself would wait for it just as long, one after the other.
    onFailure: (cause) => Effect.sync(() => jobs.forEach((job) => job.resume(Effect.failCause(cause)))),
    onSuccess: () =>
      Effect.matchCauseEffect(
        Effect.zipRight(
          Effect.forEach(
            jobs,
            (job) =>
              Effect.map(execute(connection, job.text, job.params), (rows) => {
                job.rows = rows
              }),
            { discard: true }
          ),
          execute(connection, "COMMIT", [])
        ),
        {
          onFailure: () => Effect.zipRight(Effect.exit(execute(connection, "ROLLBACK", [])), each(connection, jobs)),
          onSuccess: () => Effect.sync(() => jobs.forEach((job) => job.resume(Effect.succeed(job.rows))))
        }
      )
  })
