/** Connects to `MYSQL_URL`, by default mysql://root@127.0.0.1:3306/test, and creates the table if it is missing. */
import { MysqlClient } from "@effect/sql-mysql2"
import { Config, Layer, Redacted } from "effect"
import { createTable, layer } from "effect-session/SessionStore/Sql"
import type { Store } from "../stores.js"

const ClientLive = MysqlClient.layerConfig({
  url: Config.withDefault(Config.redacted("MYSQL_URL"), Redacted.make("mysql://root@127.0.0.1:3306/test"))
})

export const store: Store = (options) =>
  layer(options).pipe(
    Layer.provide(Layer.effectDiscard(createTable())),
    Layer.provide(ClientLive)
  )
