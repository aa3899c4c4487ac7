/**
 * The stores that the soak can run on, with their default configuration, and the faults that can be built into them.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Redacted } from "effect"
import { KeyRing, type Sessions, SessionStore } from "effect-session"
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Name, Plant, Setup } from "./script.js"

type Store = Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, unknown>

const urls = {
  redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  postgres: process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
  mysql: process.env.MYSQL_URL ?? "mysql://root@127.0.0.1:3306/test"
}

const optionsOf = (plant: Plant | undefined): SessionStore.ServerOptions =>
  plant === "commit-always" ? { commitWhen: () => true } : {}

/** The client of a database is loaded only where it is used: all of them together take seconds. */
const lazily = (load: () => Promise<Store>): Store => Layer.unwrapEffect(Effect.promise(load))

const sound = ({ place, plant, store }: Setup): Store => {
  const options = optionsOf(plant)
  const sql = async (client: Layer.Layer<SqlClient.SqlClient, unknown>, table: string): Promise<Store> => {
    const Sql = await import("effect-session/SessionStore/Sql")
    return Sql.layer({ ...options, table }).pipe(
      Layer.provide(Layer.effectDiscard(Sql.createTable({ table }))),
      Layer.provide(client)
    )
  }
  switch (store) {
    case "memory":
      return SessionStore.layerMemory(options)
    case "cookie":
      // No script of the soak asks for `Sessions` with this store.
      return Layer.unwrapEffect(
        Effect.map(KeyRing.generate, (keys) => SessionStore.layerCookie({ ...options, keys }))
      ) as Store
    case "redis":
      return lazily(async () => {
        const Redis = await import("effect-session/SessionStore/Redis")
        return Redis.layer({ ...options, prefix: `${place}:`, redis: { url: urls.redis } })
      })
    case "postgres":
      return lazily(async () => {
        const { PgClient } = await import("@effect/sql-pg")
        return sql(PgClient.layer({ url: Redacted.make(urls.postgres) }), place)
      })
    case "mysql":
      return lazily(async () => {
        const { MysqlClient } = await import("@effect/sql-mysql2")
        return sql(MysqlClient.layer({ url: Redacted.make(urls.mysql) }), place)
      })
    case "sqlite":
      return lazily(async () => {
        const { SqliteClient } = await import("@effect/sql-sqlite-node")
        return sql(SqliteClient.layer({ filename: join(place, "sessions.sqlite") }), "sessions")
      })
    case "files":
      return lazily(async () => {
        const [Files, { KeyValueStore }, NodeContext] = await Promise.all([
          import("effect-session/SessionStore/KeyValueStore"),
          import("@effect/platform"),
          import("@effect/platform-node/NodeContext")
        ])
        return Files.layer(options).pipe(
          Layer.provide(KeyValueStore.layerFileSystem(join(place, "sessions"))),
          Layer.provide(NodeContext.layer)
        )
      })
  }
}

/** Of the saves of sessions that exist, the fifth is reported as done and never made. */
const dropping = (store: Store): Store =>
  Layer.map(store, (context) => {
    const service = Context.get(context, SessionStore.SessionStore)
    let saves = 0
    return Context.add(context, SessionStore.SessionStore, {
      ...service,
      save: (save, now) => {
        const { base, renew } = save
        if (base?.session === undefined || renew || ++saves !== 5) return service.save(save, now)
        const { session, token } = base
        return Effect.succeed({ _tag: "Saved", token, id: base.id ?? "", expiry: session, moved: false, session })
      }
    })
  })

export const storeOf = (setup: Setup): Store => {
  const store = sound(setup)
  return setup.plant === "dropped-save" ? dropping(store) : store
}

/** Removes what a run has left at its place, once its server has ended. */
export const clean = async (store: Name, place: string): Promise<void> => {
  const drop = (client: Layer.Layer<SqlClient.SqlClient, unknown>): Promise<void> =>
    Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.forEach([place, `${place}_locks`], (table) => sql`DROP TABLE IF EXISTS ${sql(table)}`)).pipe(
          Effect.provide(client),
          Effect.asVoid
        )
    )
  switch (store) {
    case "memory":
    case "cookie":
      return
    case "files":
    case "sqlite":
      return rmSync(place, { recursive: true, force: true })
    case "redis": {
      const { Redis } = await import("ioredis")
      const redis = new Redis(urls.redis)
      for await (const keys of redis.scanStream({ match: `${place}:*`, count: 1000 })) {
        if (keys.length > 0) await redis.unlink(keys)
      }
      await redis.quit()
      return
    }
    case "postgres": {
      const { PgClient } = await import("@effect/sql-pg")
      return drop(PgClient.layer({ url: Redacted.make(urls.postgres) }))
    }
    case "mysql": {
      const { MysqlClient } = await import("@effect/sql-mysql2")
      return drop(MysqlClient.layer({ url: Redacted.make(urls.mysql) }))
    }
  }
}
