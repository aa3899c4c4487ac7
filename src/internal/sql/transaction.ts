/**
 * A transaction of the library's own on a given connection: with the isolation level that it needs, and undone where its
 * body fails, is interrupted, or comes to an answer that is not to be kept.
 *
 * `client.withTransaction` can neither set the level nor begin as a writer, and inside a transaction of the app it would be
 * a part of that.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Dialect } from "./table.js"

export interface Texts {
  readonly begin: ReadonlyArray<string>
  readonly commit: ReadonlyArray<string>
  readonly rollback: ReadonlyArray<string>
}

const separateFrom = (begin: ReadonlyArray<string>): Texts => ({ begin, commit: ["COMMIT"], rollback: ["ROLLBACK"] })

/**
 * READ COMMITTED, whatever the server's default is: a snapshot from before the wait for a lock would not show what its last
 * holder did, and MySQL locks fewer gaps.
 */
export const separate: { readonly [dialect in Dialect]: Texts } = {
  pg: separateFrom(["BEGIN ISOLATION LEVEL READ COMMITTED"]),
  mysql: separateFrom(["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"]),
  // A writer from its beginning: SQLite refuses a reader that becomes a writer after another one was faster.
  sqlite: separateFrom(["BEGIN IMMEDIATE"])
}

/** Inside a transaction of the app on SQLite, which has one connection only. */
export const savepoint: Texts = {
  begin: ["SAVEPOINT effect_session"],
  commit: ["RELEASE SAVEPOINT effect_session"],
  rollback: ["ROLLBACK TO SAVEPOINT effect_session", "RELEASE SAVEPOINT effect_session"]
}

export const within = <A, E>(
  connection: Connection,
  texts: Texts,
  body: Effect.Effect<A, E>,
  keep: (a: A) => boolean
): Effect.Effect<A, E | SqlError> => {
  const step = (name: keyof Texts): Effect.Effect<void, SqlError> =>
    Effect.forEach(texts[name], (text) => connection.executeUnprepared(text, [], undefined), { discard: true })
  // Where undoing fails, the connection is lost, and the transaction with it.
  const undo = Effect.exit(step("rollback"))
  return Effect.uninterruptibleMask((restore) =>
    Effect.zipRight(
      step("begin"),
      Effect.matchCauseEffect(restore(body), {
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
  )
}
