/**
 * Serves the app on Node.js, Bun or Deno, over each store that `STORES` names on a free port of its own, and prints their addresses.
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Redacted } from "effect"
import * as Redis from "effect-session/SessionStore/Redis"
import * as Sql from "effect-session/SessionStore/Sql"
import { createServer } from "node:http"
import { app, options, serve, type Store, stores, withEvents } from "./app.js"

const { POSTGRES_URL = "", REDIS_URL = "", STORES = "memory", TABLE = "" } = process.env

const makers: Readonly<Record<string, () => Store>> = {
  memory: () => stores.memory,
  cookie: () => stores.cookie,
  redis: () => Redis.layer({ ...options, redis: { url: REDIS_URL }, prefix: `${TABLE}:` }),
  postgres: () => {
    const table = { table: TABLE }
    return Sql.layer({ ...options, ...table }).pipe(
      Layer.provide(Layer.effectDiscard(Sql.createTable(table))),
      Layer.provide(PgClient.layer({ url: Redacted.make(POSTGRES_URL) }))
    )
  }
}

type Handler = (request: Request) => Promise<Response>

/** What this file needs of the two. */
interface Runtimes {
  readonly Bun?: {
    readonly serve: (options: { port: number; hostname: string; fetch: Handler }) => { readonly port: number }
  }
  readonly Deno?: {
    readonly serve: (
      options: { port: number; hostname: string; onListen: (address: { readonly port: number }) => void },
      handler: Handler
    ) => unknown
  }
}

const { Bun, Deno } = globalThis as Runtimes

const hostname = "127.0.0.1"

const listen = async (name: string, store: Store): Promise<void> => {
  const listens = (port: number) => console.log(`${name} http://${hostname}:${port}`)
  if (Bun !== undefined) {
    const { handler } = serve(store)
    listens(Bun.serve({ port: 0, hostname, fetch: (request) => handler(request) }).port)
  } else if (Deno !== undefined) {
    const { handler } = serve(store)
    Deno.serve({ port: 0, hostname, onListen: ({ port }) => listens(port) }, (request) => handler(request))
  } else {
    const NodeHttpServer = await import("@effect/platform-node/NodeHttpServer")
    const report = HttpServer.addressWith((address) =>
      Effect.sync(() => listens(address._tag === "TcpAddress" ? address.port : 0))
    )
    const Live = Layer.effectDiscard(report).pipe(
      Layer.provideMerge(HttpServer.serve(app)),
      Layer.provide(withEvents(store)),
      Layer.provide(NodeHttpServer.layer(createServer, { port: 0, host: hostname }))
    )
    Effect.runFork(Layer.launch(Live))
  }
}

for (const name of STORES.split(" ")) await listen(name, makers[name]())
