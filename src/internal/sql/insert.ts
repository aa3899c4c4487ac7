/**
 * Inserts a record unless its id is taken. An expired record of the same id is replaced in the same step.
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { NewSession } from "../../SessionBackend.js"
import * as Record from "./record.js"
import type { Statements } from "./statements.js"
import type { Dialect } from "./table.js"

/** Runs one statement, and continues with the number of rows that it changed. */
export type Write<E> = <A>(
  text: string,
  params: ReadonlyArray<unknown>,
  next: (changed: number) => Effect.Effect<A, E>
) => Effect.Effect<A, E>

const isOne = (changed: number) => Exit.succeed(changed === 1)

/** Whether the record was inserted. */
export const insert = <E>(
  dialect: Dialect,
  statements: Statements,
  write: Write<E>,
  id: string,
  session: NewSession,
  now: number
): Effect.Effect<boolean, E> => {
  const params = Record.recordParams(session, Record.textFor(dialect))
  const at = Record.whole(now)
  return dialect === "mysql"
    ? write(
      statements.insert,
      [id, ...params],
      (inserted) => inserted === 1 ? Exit.succeed(true) : write(statements.replaceExpired, [...params, id, at], isOne)
    )
    : write(statements.insert, [id, ...params, at], isOne)
}
