/**
 * SQLite has one connection and one writer. Statements that arrive while another runs are gathered and run in one go: the
 * connection is waited for once, reads of single sessions are one statement, and writes share one transaction, hence one
 * commit. Nobody hears of a write before
 * that transaction is committed.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Caller } from "../edition/call.js"

type Rows = ReadonlyArray<unknown>

/** The text that asks for so many ids, or null, what another asks for one: its rows have the id besides. */
export type Many = (count: number) => string

export interface Job {
  readonly caller: Caller
  readonly text: string
  readonly params: ReadonlyArray<unknown>
  /** where `params` is one id */
  readonly many: Many | undefined
  readonly answer: (exit: Exit.Exit<Rows, SqlError>) => void
}

/** So that the app's own transactions get their turn, and no batch holds up the process for long. */
const maxBatch = 64

/** For how many ids there is a text: few, so that each is prepared once. */
const sizes = [2, 4, 8, 16, 32, maxBatch]

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

  run(job: Job, isWrite: boolean): void {
    const queue = isWrite ? this.writes : this.reads
    queue.push(job)
    if (!this.running) {
      this.running = true
      // A fiber of nobody: whoever asked may be interrupted, the statements of the others run all the same.
      Effect.runFork(this.drain)
    }
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
          (connection) => Effect.zipRight(reads(connection, this.takeReads()), each(connection, this.takeWrites(1)))
        )
      )
      : Effect.scoped(
        Effect.flatMap(
          this.forMany,
          (connection) => Effect.zipRight(reads(connection, this.takeReads()), together(connection, this.takeWrites()))
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

/** What nobody waits for any more is not run. */
const isAwaited = ({ caller }: Job): boolean => caller.isWaiting()

const refuse = (jobs: ReadonlyArray<Job>, cause: Cause.Cause<SqlError>): void => {
  for (const job of jobs) job.answer(Exit.failCause(cause))
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
    step: (exit) => jobs[i++].answer(exit)
  })
}

/** Those that look for one id each in one statement, at half the cost (measured); where it fails, each by itself. */
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
 * All in one transaction; where one of them fails it is undone, and each is run by itself.
 *
 * Not one `UPDATE … FROM (VALUES …)` for all: a tenth faster with 32 at once, but its order of the join cannot be forced,
 * and with old statistics of ANALYZE SQLite then reads the whole table.
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
    // Another process writes: each by itself would wait for it just as long, one after the other.
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
