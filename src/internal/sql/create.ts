/**
 * Creates what a table consists of, unless it is there. Any number of instances may do so at once.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Failure from "./failure.js"
import type { Dialect, Part } from "./table.js"

/** The dialect of a client; undefined where it is for another database. */
export const dialectOf = (client: SqlClient): Dialect | undefined =>
  client.onDialectOrElse({
    pg: (): Dialect | undefined => "pg",
    mysql: (): Dialect | undefined => "mysql",
    sqlite: (): Dialect | undefined => "sqlite",
    orElse: () => undefined
  })

/** What PostgreSQL answers to two `CREATE … IF NOT EXISTS` at once: unique violation, duplicate table, duplicate object. */
const createRaces: ReadonlySet<string | number> = new Set(["23505", "42P07", "42710"])

const lostRace = (error: SqlError): boolean => {
  const { codes, contended } = Failure.describe(Cause.fail(error))
  return contended || codes.some((code) => createRaces.has(code))
}

export const create = (client: SqlClient, parts: ReadonlyArray<Part>): Effect.Effect<void, SqlError> =>
  Effect.forEach(
    parts,
    ({ create, isThere }) =>
      Effect.flatMap(
        isThere === undefined
          ? Effect.succeed(false)
          : Effect.map(client.unsafe(isThere), (rows) => rows.length > 0),
        (there) =>
          there ? Effect.void : Effect.retry(client.unsafe(create), {
            times: 8,
            while: (error) => lostRace(error) ? Effect.as(Failure.backoff(1), true) : false
          })
      ),
    { discard: true }
  )
