/**
 * A client whose statements are written down, wherever they run: on the pool, or on a connection of their own.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import * as Effect from "effect/Effect"

export interface Counted {
  readonly client: SqlClient
  readonly statements: Array<string>
}

export const counted: Effect.Effect<Counted, never, SqlClient> = Effect.map(SqlClient, (sql) => {
  const statements: Array<string> = []
  const wrapped = new WeakMap<Connection, Connection>()
  const wrap = (connection: Connection): Connection => {
    const known = wrapped.get(connection)
    if (known !== undefined) return known
    const record =
      <A>(run: (text: string, ...rest: ReadonlyArray<any>) => A) => (text: string, ...rest: ReadonlyArray<any>): A => {
        statements.push(text)
        return run(text, ...rest)
      }
    const counting: Connection = {
      execute: record(connection.execute.bind(connection) as any) as any,
      executeRaw: record(connection.executeRaw.bind(connection) as any) as any,
      executeStream: connection.executeStream.bind(connection),
      executeValues: record(connection.executeValues.bind(connection) as any) as any,
      executeUnprepared: record(connection.executeUnprepared.bind(connection) as any) as any
    }
    wrapped.set(connection, counting)
    return counting
  }
  const client = new Proxy(sql, {
    get: (target, property) => {
      const value = (target as any)[property]
      if (property === "reserve") return Effect.map(target.reserve, wrap)
      if (property !== "unsafe") return value
      return (...args: [string]) => {
        const statement = target.unsafe(...args) as any
        const { acquirer } = statement
        // a pool stays what it is: an effect that is done
        return acquirer._tag === "Success" ? { acquirer: Effect.succeed(wrap(acquirer.value)) } : statement
      }
    }
  })
  return { client, statements }
})
