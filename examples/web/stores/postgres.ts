/**
 * Connects to `POSTGRES_URL`, by default postgres://postgres@127.0.0.1:5432/postgres, and creates the table if it is missing.
 */
import { PgClient } from "@effect/sql-pg"
import { Config, Layer, Redacted } from "effect"
import { createTable, layer } from "effect-session/SessionStore/Sql"
import type { Store } from "../stores.js"

const ClientLive = PgClient.layerConfig({
  url: Config.withDefault(Config.redacted("POSTGRES_URL"), Redacted.make("postgres://postgres@127.0.0.1:5432/postgres"))
})

export const store: Store = (options) =>
  layer(options).pipe(
    Layer.provide(Layer.effectDiscard(createTable())),
    Layer.provide(ClientLive)
  )
