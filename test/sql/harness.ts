/** The backend over a database of the file's own, and more clients and backends over the same database. */
import * as SqlClient from "@effect/sql/SqlClient"
import { SessionBackend, SubjectIndex } from "effect-session/SessionBackend"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Database } from "./databases.js"
import { client, type Place } from "./place.js"

export const table = "effect_sessions"

/** Where the database of this file is. */
export class Where extends Context.Tag("test/Where")<Where, Place>() {}

export const own = (database: Database) =>
  Layer.unwrapScoped(Effect.map(
    Effect.acquireRelease(database.create, database.drop),
    (place) =>
      Layer.effectDiscard(Sql.createTable()).pipe(
        Layer.provideMerge(Layer.merge(Sql.layerBackend(), Layer.succeed(Where, place))),
        Layer.provideMerge(client(place))
      )
  ))

/** A second client, as another instance of the app has one. */
export const another = (maxConnections?: number) =>
  Effect.flatMap(
    Where,
    (place) => Effect.map(Layer.build(client(place, maxConnections)), Context.get(SqlClient.SqlClient))
  )

/** The backend over a given client. */
export const backendOf = (sql: SqlClient.SqlClient, options?: Sql.TableOptions) =>
  Effect.map(
    Layer.build(Layer.provide(Sql.layerBackend(options), Layer.succeed(SqlClient.SqlClient, sql))),
    (context) => ({ backend: Context.get(context, SessionBackend), index: Context.get(context, SubjectIndex) })
  )
