import type { HttpApp } from "@effect/platform"
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import { RequestContext, SessionBackend, SessionKey } from "effect-session"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { idOf } from "../../src/internal/server/token.js"
import { serve } from "../support/server.js"
import { databases } from "./databases.js"
import { another, own } from "./harness.js"

/** Inserts one key, which the request's path names, without reading the session first. */
const insertNamed = Effect.gen(function*() {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  yield* RequestContext.insert(SessionKey.make(url.slice(1), Schema.String), "1")
  return HttpServerResponse.empty({ status: 204 })
})

for (const database of databases) {
  database.describe(() =>
    layer(own(database), { excludeTestServices: true, timeout: 30_000 })((it) => {
      it.effect("S3: 1,000 parallel requests that each insert a different key into one session all succeed", () =>
        Effect.gen(function*() {
          const sql = yield* another()
          const { dispose, request } = serve(
            insertNamed as HttpApp.Default<never, RequestContext.RequestContext>,
            Sql.layer({ secure: false }).pipe(Layer.provide(Layer.succeed(SqlClient.SqlClient, sql)))
          )
          const first = yield* Effect.promise(() =>
            request("/first")
          )
          const [cookie] = first.headers.getSetCookie()[0].split(";")
          const names = Array.from({ length: 1_000 }, (_, i) => `key-${i}`)
          const responses = yield* Effect.promise(() =>
            Promise.all(names.map((name) => request(`/${name}`, { cookie })))
          )
          expect(responses.filter(({ status }) => status !== 204)).toHaveLength(0)
          const backend = yield* SessionBackend.SessionBackend
          const record = Option.getOrThrow(yield* backend.find(idOf(cookie.split("=")[1]), Date.now()))
          expect("_tag" in record ? record._tag : [...record.data.keys()].sort()).toEqual(["first", ...names].sort())
          yield* Effect.promise(dispose)
        }).pipe(Effect.scoped), 60_000)
    })
  )
}
