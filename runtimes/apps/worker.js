/**
 * The app in workerd, over the stores that a worker can have: the cookie store, and a table of D1 with one layer for all requests
 * (`/shared`), or with one for each request (`/each`). The revocations of cookie sessions can lie in D1, too (`/revocable`).
 */
import * as D1Client from "@effect/sql-d1/D1Client"
import { Effect, Layer } from "effect"
import { SessionBackend } from "effect-session"
import * as RevocationSql from "effect-session/Revocation/Sql"
import * as Sql from "effect-session/SessionStore/Sql"
import { options, revocableWith, serve, stores } from "./app.js"

const inD1 = (db) => Layer.provide(Sql.layer(options), D1Client.layer({ db }))

/** What a cron trigger would do: a worker has no timers of its own between requests. */
const removeExpired = Effect.flatMap(
  SessionBackend.SessionBackend,
  (backend) => backend.removeExpired(Date.now(), 1000)
).pipe(Effect.provide(Sql.layerBackend()))

const cookie = serve(stores.cookie)
let revocable
let shared

const handlerOf = (kind, db) => {
  switch (kind) {
    case "cookie":
      return cookie.handler
    case "revocable":
      return (revocable ??= serve(Layer.provide(revocableWith(RevocationSql.layer()), D1Client.layer({ db })))).handler
    case "shared":
      return (shared ??= serve(inD1(db))).handler
    default:
      return serve(inD1(db)).handler
  }
}

export default {
  async fetch(request, { DB }) {
    const url = new URL(request.url)
    const [, kind, ...rest] = url.pathname.split("/")
    if (kind === "create") {
      const tables = Effect.zipRight(Sql.createTable(), RevocationSql.createTable())
      await Effect.runPromise(Effect.provide(tables, D1Client.layer({ db: DB })))
      return new Response("created")
    }
    if (kind === "expire") {
      await DB.prepare("UPDATE effect_sessions SET expires_at = 1").run()
      return new Response(String(await Effect.runPromise(Effect.provide(removeExpired, D1Client.layer({ db: DB })))))
    }
    return handlerOf(kind, DB)(new Request(new URL(`/${rest.join("/")}${url.search}`, url), request))
  }
}
