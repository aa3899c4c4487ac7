/**
 * A client whose statements are written down, wherever they run: on the pool, or on a connection of their own.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import * as Effect from "effect/Effect"

export interface Counted {
  readonly client: SqlClient
  readonly statements: Array<string>
  /** how often a connection was taken out of the pool for its caller alone */
  readonly reserved: () => number
}

export const counted: Effect.Effect<Counted, never, SqlClient> = Effect.map(SqlClient, (sql) => {
  const statements: Array<string> = []
  let reserved = 0
  const wrapped = new WeakMap<Connection, Connection>()
  const wrap = (connection: Connection): Connection => {
    const known = wrapped.get(connection)
    if (known !== undefined) return known
    const record =
      <A, E>(run: (text: string, ...rest: ReadonlyArray<any>) => Effect.Effect<A, E>) =>
      (text: string, ...rest: ReadonlyArray<any>): Effect.Effect<A, E> =>
        Effect.suspend(() => {
          statements.push(text)
          return run(text, ...rest)
        })
    const counting: Connection = {
      execute: record(connection.execute.bind(connection) as any),
      executeRaw: record(connection.executeRaw.bind(connection) as any),
      executeStream: connection.executeStream.bind(connection),
      executeValues: record(connection.executeValues.bind(connection) as any),
      executeUnprepared: record(connection.executeUnprepared.bind(connection) as any)
    }
    wrapped.set(connection, counting)
    return counting
  }
  const client = new Proxy(sql, {
    get: (target, property) => {
      const value = (target as any)[property]
      if (property === "reserve") {
        return Effect.map(target.reserve, (connection) => {
          reserved++
          return wrap(connection)
        })
      }
      if (property !== "unsafe") return value
      return (...args: [string]) => ({ acquirer: Effect.map((target.unsafe(...args) as any).acquirer, wrap as any) })
    }
  })
  return { client, statements, reserved: () => reserved }
})
