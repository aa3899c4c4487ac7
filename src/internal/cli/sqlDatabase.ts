/**
 * The sessions in a table of PostgreSQL, MySQL, MariaDB or SQLite.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Backend from "../sql/backend.js"
import * as Executor from "../sql/executor.js"
import * as Statements from "../sql/statements.js"
import * as Index from "../sql/subjectIndex.js"
import * as Table from "../sql/table.js"
import { misused, type Stop } from "./command.js"
import type { Database } from "./opened.js"

export const open = (
  context: Context.Context<never>,
  dialect: Table.Dialect,
  name: string | undefined
): Effect.Effect<Database, Stop> => {
  const parsed = Table.parseName(name ?? Table.defaultName)
  if ("message" in parsed) return Effect.fail(misused(`--table ${parsed.message}`))
  const client = Context.unsafeGet(context, SqlClient.SqlClient)
  const table = Table.make(dialect, parsed.schema, parsed.name)
  return Effect.map(Executor.make(dialect, client), (executor) => {
    const statements = Statements.make(dialect, table)
    return {
      backend: Backend.make(executor, statements),
      index: Index.make(executor, statements),
      removesExpired: true,
      count: (now) =>
        Effect.map(
          // Both numbers are integers of this program, and no text.
          client.unsafe<{ readonly live: unknown; readonly owned: unknown }>(
            `SELECT COUNT(*) AS live, COUNT(subject_hash) AS owned FROM ${table.sessions} WHERE format = ${Table.format} AND expires_at > ${
              Math.floor(now)
            }`
          ),
          ([row]) => ({ all: Number(row?.live), signedIn: Number(row?.owned) })
        )
    }
  })
}
