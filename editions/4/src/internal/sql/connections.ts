/**
 * How statements reach a connection of the app's `SqlClient`, and what kind of client it is.
 *
 * Statements do not go through `client.unsafe(…)`, which opens a span and compiles the text for each of them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Acquirer, Borrower, Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
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
  // Waiting for the connection cannot be interrupted: a pool would never take back one that arrives later.
  const reserved: On = (use) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.scoped(Effect.flatMap(client.reserve, (connection) => restore(use(connection))))
    )
  const { acquirer, borrower } = client.unsafe("SELECT 1") as unknown as {
    readonly acquirer?: unknown
    readonly borrower?: unknown
  }
  const outside = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.updateContext(
      effect,
      (context: Context.Context<R>) => Context.omit(client.transactionService)(context) as Context.Context<R>
    )
  // Neither is a part of the client's public interface. Without both every statement reserves a connection.
  if (typeof borrower === "function") return { shared: (use) => outside((borrower as Borrower)(use)), reserved }
  if (!Effect.isEffect(acquirer)) return { shared: reserved, reserved }
  const acquired = outside(acquirer as Acquirer)
  return { shared: (use) => Effect.scoped(Effect.flatMap(acquired, use)), reserved }
}

/**
 * What a client turns out to be when it is asked.
 *
 * - `known`: one of its connections.
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
  return Effect.catchDefect(reserved(look), () => shared(look))
}

const answersAtOnce = (connection: Connection): boolean =>
  endsAtOnce(Effect.suspend(() => connection.executeUnprepared("SELECT 1", [], undefined)))

/** The connection of the client's transaction that the fiber is in. */
export const transactionOf = (client: SqlClient, fiber: Fiber.Fiber<unknown, unknown>): Connection | undefined =>
  Context.getOrUndefined(fiber.context, client.transactionService)?.[0]

/** Each client has a transaction service of its own: what it holds is a connection of this one. */
export const isOfSameClient = (_known: Connection, _connection: Connection): boolean => true
