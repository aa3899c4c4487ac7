/** Databases that a test or a measurement makes for itself, and drops. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { client, type Place } from "./place.js"

export interface Maker {
  readonly dialect: Place["dialect"]
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

const onServer = (dialect: "pg" | "mysql", url: string, drop: (name: string) => string): Maker => ({
  dialect,
  create: Effect.suspend(() => {
    const name = unique()
    return Effect.as(on({ dialect, url }, `CREATE DATABASE ${name}`), { dialect, url: new URL(`/${name}`, url).href })
  }),
  drop: (place) =>
    place.dialect === "sqlite" ? Effect.void : on({ dialect, url }, drop(new URL(place.url).pathname.slice(1)))
})

export const onPostgres = (url: string): Maker =>
  onServer("pg", url, (name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)

export const onMysql = (url: string): Maker => onServer("mysql", url, (name) => `DROP DATABASE IF EXISTS ${name}`)

export const inFile: Maker = {
  dialect: "sqlite",
  create: Effect.sync(() => ({
    dialect: "sqlite",
    filename: join(mkdtempSync(join(tmpdir(), "effect-session-")), "sessions.db")
  })),
  drop: (place) =>
    Effect.sync(() => {
      if (place.dialect === "sqlite") rmSync(dirname(place.filename), { recursive: true, force: true })
    })
}
