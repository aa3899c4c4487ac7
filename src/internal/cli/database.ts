/**
 * The database of an app's sessions, at a URL from the environment. Clients are packages of the app, and are loaded when a
 * command needs one. No URL is printed, because it may hold a password.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { SessionStoreError } from "../../SessionError.js"
import { failed, type Io, misused } from "./command.js"
import type { Database } from "./opened.js"

export interface Given {
  readonly "url-from"?: string | undefined
  readonly prefix?: string | undefined
  readonly table?: string | undefined
}

const defaultVariable = "SESSION_STORE_URL"

type Kind = "redis" | "pg" | "mysql" | "sqlite"

const schemes: Readonly<Record<string, Kind>> = {
  redis: "redis",
  rediss: "redis",
  postgres: "pg",
  postgresql: "pg",
  mysql: "mysql",
  mariadb: "mysql",
  sqlite: "sqlite",
  file: "sqlite"
}

/** The package of each client. */
const clients: Readonly<Record<Kind, string>> = {
  redis: "ioredis",
  pg: "@effect/sql-pg",
  mysql: "@effect/sql-mysql2",
  sqlite: "@effect/sql-sqlite-node"
}

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined

const resolved = (from: string, name: string): string | undefined => {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

/** A package beside this one, or one of the project in the working directory. */
const load = async (name: string): Promise<unknown> => {
  const beside = resolved(import.meta.url, name)
  const place = beside ?? resolved(join(process.cwd(), "package.json"), name)
  if (place === undefined) {
    throw failed(`${name} is not installed here: run the command in the folder of your app, or npm i ${name}`)
  }
  try {
    return await (beside === undefined ? import(pathToFileURL(place).href) : import(name))
  } catch (error) {
    const code = String(codeOf(error) ?? "no code")
    throw failed(
      `${name} is installed, but it cannot be loaded (${code}): it needs a package that is not installed, or another version `
        + "of effect"
    )
  }
}

/** What is at the URL; it is closed with the scope. */
export const open = async (io: Io, given: Given): Promise<Effect.Effect<Database, unknown, Scope.Scope>> => {
  const variable = given["url-from"] ?? defaultVariable
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
    throw misused(
      "--url-from must be the name of a variable; the URL itself is a secret, and does not belong on the command line"
    )
  }
  const url = io.env[variable] ?? ""
  if (url === "") throw misused(`${variable} is not set: it must hold the URL of the database`)
  const scheme = /^([a-z]+):/i.exec(url)?.[1].toLowerCase() ?? ""
  if (!Object.hasOwn(schemes, scheme)) {
    throw misused(
      `${variable} must be a URL that begins with ${Object.keys(schemes).map((each) => `${each}:`).join(", ")}`
    )
  }
  const kind = schemes[scheme]
  if (kind === "redis" && given.table !== undefined) throw misused("--table is for SQL; Redis has a --prefix")
  if (kind !== "redis" && given.prefix !== undefined) throw misused("--prefix is for Redis; SQL has a --table")
  const loaded = await load(clients[kind])
  if (kind === "redis") {
    const Redis = await import("./redisDatabase.js")
    return Redis.open(Redacted.make(url), given.prefix ?? "session:")
  }
  const client = clientLayer(kind, url, loaded)
  const Sql = await import("./sqlDatabase.js")
  return Effect.flatMap(
    Layer.build(client),
    (context) => Sql.open(context as Context.Context<never>, kind, given.table)
  )
}

/** The layer of a client, from the namespace of its package. */
type Client = { readonly layer: (options: object) => Layer.Layer<unknown, unknown> }

const clientLayer = (kind: Exclude<Kind, "redis">, url: string, loaded: unknown): Layer.Layer<unknown, unknown> => {
  const { MysqlClient, PgClient, SqliteClient } = loaded as Readonly<Record<string, Client>> // the packages of `clients`
  switch (kind) {
    case "pg":
      return PgClient.layer({ url: Redacted.make(url), maxConnections: 2 })
    case "mysql":
      return MysqlClient.layer({ url: Redacted.make(url.replace(/^mariadb:/i, "mysql:")), maxConnections: 2 })
    case "sqlite": {
      const filename = decodeURIComponent(url.replace(/^[a-z]+:(?:\/\/(?=\/|[^/]))?/i, ""))
      return SqliteClient.layer({ filename })
    }
  }
}

/** What may be printed of a failure: the library's own detail, which quotes no value, or a code. */
export const reason = (error: unknown): string => {
  const { _tag, detail, reason } = (typeof error === "object" && error !== null ? error : {}) as Partial<
    SessionStoreError
  >
  if (_tag === "SessionStoreError") {
    return `${String(reason)}${detail === undefined || detail === "" ? "" : `: ${detail}`}`
  }
  const code = codeOf(error) ?? codeOf((error as { readonly cause?: unknown } | undefined)?.cause)
  return code === undefined ? "the database cannot be used" : `the database cannot be used (${String(code)})`
}
