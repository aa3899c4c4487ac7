/**
 * The library's server stores, as an app provides them, and the functions that measure them.
 */
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import * as library from "../harness/library.js"
import { options } from "./apps.js"

const { SessionStore } = await library.main()

export const redis = async (url) => {
  const Redis = await library.module("SessionStore/Redis")
  return SessionStore.layerBackend(options).pipe(
    Layer.provide(Redis.layerBackend({ redis: { url }, prefix: "benchmark:effect-session:" }))
  )
}

/** The same store through node-redis. */
export const nodeRedis = async (url) => {
  const NodeRedis = await library.module("SessionStore/NodeRedis")
  return SessionStore.layerBackend(options).pipe(
    Layer.provide(NodeRedis.layerBackend({ redis: { url }, prefix: "benchmark:effect-session:" }))
  )
}

const sql = async (client, table) => {
  const Sql = await library.module("SessionStore/Sql")
  const created = Layer.effectDiscard(Sql.createTable({ table }))
  return Sql.layer({ ...options, table }).pipe(Layer.provide(created), Layer.provide(client))
}

export const sqliteClient = async (filename) => {
  const { SqliteClient } = await import("@effect/sql-sqlite-node")
  return SqliteClient.layer({ filename })
}

export const sqlite = async (filename, table) => await sql(await sqliteClient(filename), table)

export const postgresClient = async (url) => {
  const { PgClient } = await import("@effect/sql-pg")
  return PgClient.layer({ url: Redacted.make(url) })
}

export const postgres = async (url, table) => await sql(await postgresClient(url), table)

export const mariadb = async (url, table) => {
  const { MysqlClient } = await import("@effect/sql-mysql2")
  return await sql(MysqlClient.layer({ url: Redacted.make(url) }), table)
}

const none = new Set()

/** The patch of a commit that sets these values. */
export const setting = (store, values) => ({
  clear: false,
  set: new Map(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)])),
  remove: none,
  expiry: undefined,
  maxBytes: store.config.maxSessionBytes
})

const save = (store, base, patch) =>
  store.save({ base, patch, renew: false, ifVersion: undefined, owner: undefined }, Date.now())

/** Creates a session and returns its token. */
export const create = (store, values) =>
  Effect.map(save(store, undefined, setting(store, values)), ({ token }) => token)

/** What a counting request does to the store: one load and one save. */
export const increment = (store, token) =>
  Effect.flatMap(store.load([token], Date.now()), (loaded) => {
    if (loaded._tag !== "Found") return Effect.dieMessage(`expected the session to be Found, but it is ${loaded._tag}`)
    const count = JSON.parse(loaded.session.data.get("count")) + 1
    return Effect.map(save(store, loaded, setting(store, { count })), (saved) => {
      if (saved._tag !== "Saved") throw new Error(`expected the save to be Saved, but it is ${saved._tag}`)
      return count
    })
  })

export const countOf = (store, token) =>
  Effect.map(store.load([token], Date.now()), (loaded) => JSON.parse(loaded.session.data.get("count")))

/** Commits changed values to a session that was loaded. */
export const commit = (store, loaded, values) => save(store, loaded, setting(store, values))

export const load = (store, token) => store.load([token], Date.now())

/** The store of a layer, and `close`, which releases the layer. */
export const open = async (layer) => {
  const runtime = ManagedRuntime.make(layer)
  return { store: await runtime.runPromise(SessionStore.SessionStore), close: () => runtime.dispose() }
}
