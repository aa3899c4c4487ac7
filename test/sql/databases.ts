/**
 * A database of its own for each test file, on each of the three; dropped when the layer's scope closes.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe } from "vitest"
import { describeWith, mysql, postgres } from "../services.js"
import { client, type Place } from "./place.js"

export interface Database {
  readonly name: string
  readonly dialect: Place["dialect"]
  readonly describe: (body: () => void) => void
  /** makes the database, and drops it */
  readonly create: Effect.Effect<Place>
  readonly drop: (place: Place) => Effect.Effect<void>
}

let count = 0
const unique = (): string => `effect_session_${process.pid}_${Date.now()}_${++count}`

const on = (place: Place, ...texts: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(texts, (text) => sql.unsafe(text), { discard: true }))
    .pipe(
      Effect.provide(client(place, 1)),
      Effect.orDie
    )

const onServer = (dialect: "pg" | "mysql", url: string, drop: (name: string) => string) => {
  const server: Place = { dialect, url }
  return {
    dialect,
    create: Effect.suspend(() => {
      const name = unique()
      return Effect.as(on(server, `CREATE DATABASE ${name}`), { dialect, url: new URL(`/${name}`, url).href })
    }),
    drop: (place: Place) => on(server, drop(new URL((place as { readonly url: string }).url).pathname.slice(1)))
  }
}

export const pg: Database = {
  name: "PostgreSQL",
  describe: (body) => describeWith(postgres, "PostgreSQL", body),
  ...onServer("pg", postgres.url, (name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

export const mariadb: Database = {
  name: "MySQL or MariaDB",
  describe: (body) => describeWith(mysql, "MySQL or MariaDB", body),
  ...onServer("mysql", mysql.url, (name) => `DROP DATABASE IF EXISTS ${name}`)
}

export const sqlite: Database = {
  name: "SQLite",
  dialect: "sqlite",
  describe: (body) => describe("SQLite", body),
  create: Effect.sync(() => ({
    dialect: "sqlite",
    filename: join(mkdtempSync(join(tmpdir(), "effect-session-")), "sessions.db")
  })),
  drop: (place) =>
    Effect.sync(() => {
      rmSync(join((place as { readonly filename: string }).filename, ".."), { recursive: true, force: true })
    })
}

export const databases: ReadonlyArray<Database> = [pg, mariadb, sqlite]
