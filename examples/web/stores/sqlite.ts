/** Keeps sessions in the file .data/sessions.sqlite, and creates the table if it is missing. It needs no server. */
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Layer } from "effect"
import { createTable, layer } from "effect-session/SessionStore/Sql"
import { mkdir } from "node:fs/promises"
import * as Path from "node:path"
import type { Store } from "../stores.js"

const directory = Path.resolve(import.meta.dirname, "../../../.data")

const ClientLive = Layer.unwrapEffect(Effect.as(
  Effect.promise(() => mkdir(directory, { recursive: true, mode: 0o700 })),
  SqliteClient.layer({ filename: Path.join(directory, "sessions.sqlite") })
))

export const store: Store = (options) =>
  layer(options).pipe(
    Layer.provide(Layer.effectDiscard(createTable())),
    Layer.provide(ClientLive)
  )
