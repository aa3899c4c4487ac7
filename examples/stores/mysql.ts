/** `MYSQL_URL`, default mysql://root@127.0.0.1:3306/test. The table is made where it is not there. */
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
