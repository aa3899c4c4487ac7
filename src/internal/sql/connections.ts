/**
 * How statements reach a connection of the app's `SqlClient`, and what kind of client it is.
 *
 * Statements do not go through `client.unsafe(…)`, which opens a span and compiles the text for each of them.
 */
import { type SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { endsAtOnce } from "../edition/fork.js"
import type { Dialect } from "./table.js"

/** Runs an effect on a connection, and gives the connection back. */
export type On = <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError>

/**
 * - `shared`: on the pool, or on the only connection once no transaction of the app holds it. The client's own statements
 *   run there.
 * - `reserved`: on a connection of one's own.
 */
export interface Connections {
  readonly shared: On
  readonly reserved: On
}

export const connectionsOf = (client: SqlClient): Connections => {
  // Waiting for the connection cannot be interrupted: the PostgreSQL client would never take back one that arrives later.
  const reserved: On = (use) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.scoped(Effect.flatMap(client.reserve, (connection) => restore(use(connection))))
    )
  const { acquirer } = client.unsafe("SELECT 1") as { readonly acquirer?: unknown }
  // The acquirer is no part of the client's public interface. Without it every statement reserves a connection.
  if (!Effect.isEffect(acquirer)) return { shared: reserved, reserved }
  const outside = Effect.mapInputContext(
    acquirer as Connection.Acquirer,
    Context.omit(TransactionConnection)
  ) as Connection.Acquirer
  return { shared: (use) => Effect.scoped(Effect.flatMap(outside, use)), reserved }
}

/**
 * What a client turns out to be when it is asked.
 *
 * - `known`: one of its connections. All clients share the tag that holds the connection of a transaction, and a
 *   transaction on another database does not concern this store.
 * - `isSynchronous`: a statement has its answer when the call returns, as SQLite in this process does.
 */
export interface Kind {
  readonly known: Connection
  readonly isSynchronous: boolean
}

export const kindOf = (dialect: Dialect, { reserved, shared }: Connections): Effect.Effect<Kind, SqlError> => {
  const look = (connection: Connection): Effect.Effect<Kind> =>
    Effect.sync(() => ({ known: connection, isSynchronous: dialect === "sqlite" && answersAtOnce(connection) }))
  // A client that has no transactions (Cloudflare D1) dies when a connection is reserved.
  return Effect.catchAllDefect(reserved(look), () => shared(look))
}

const answersAtOnce = (connection: Connection): boolean =>
  endsAtOnce(Effect.suspend(() => connection.executeUnprepared("SELECT 1", [], undefined)))

/** Where clients keep the connection of a transaction. The client of libSQL has a tag of its own, and keeps the same there. */
const transactionTags = [TransactionConnection.key, "@effect/sql-libsql/LibsqlClient/LibsqlTransaction"]

/** The connection of the transaction that the fiber is in, on whatever database. */
export const transactionOf = (
  _client: SqlClient,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): Connection | undefined => {
  const services = fiber.currentContext.unsafeMap
  for (const tag of transactionTags) {
    const transaction = services.get(tag) as Context.Tag.Service<typeof TransactionConnection> | undefined
    if (transaction !== undefined) return transaction[0]
  }
  return undefined
}

/** Whether a connection is one of the client that has the known one. */
export const isOfSameClient = (known: Connection, connection: Connection): boolean => {
  const prototype = Object.getPrototypeOf(connection)
  return connection === known
    || (prototype !== Object.prototype && prototype === Object.getPrototypeOf(known))
}
