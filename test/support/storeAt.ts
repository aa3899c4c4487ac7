/** The stores that several processes can share, each by its place: what a process has to know to find it. */
import { Layer } from "effect"
import type { SessionBackend, Sessions, SessionStore } from "effect-session"
import * as Redis from "effect-session/SessionStore/Redis"
import * as Sql from "effect-session/SessionStore/Sql"
import { client, type Place as Database } from "../sql/place.js"

export type Place =
  | { readonly dialect: "redis"; readonly url: string; readonly prefix: string }
  | (Database & { readonly table: string })

const defaults: SessionStore.ServerOptions = { secure: false, cleanupInterval: Infinity, storeTimeout: "60 seconds" }

export const storeAt = (
  place: Place,
  given: SessionStore.ServerOptions = {}
): Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, unknown> => {
  const options = { ...defaults, ...given }
  return place.dialect === "redis"
    ? Redis.layer({ ...options, prefix: place.prefix, redis: { url: place.url } })
    : Sql.layer({ ...options, table: place.table }).pipe(
      Layer.provide(Layer.effectDiscard(Sql.createTable({ table: place.table }))),
      Layer.provide(client(place))
    )
}

/** The backend alone; its table has to be there. */
export const backendAt = (place: Place): Layer.Layer<SessionBackend.SessionBackend, unknown> =>
  place.dialect === "redis"
    ? Redis.layerBackend({ prefix: place.prefix, redis: { url: place.url } })
    : Layer.provide(Sql.layerBackend({ table: place.table }), client(place))
