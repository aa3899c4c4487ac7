import { HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { RequestContext, SessionConfig, SessionError, SessionStore } from "effect-session"
import * as serverStore from "../../src/internal/server/serverStore.js"
import { serve } from "../support/server.js"
import { A } from "../support/sessionKeys.js"

describe("a store's failures", () => {
  it("M5: a failed load is logged with its operation, its cause and the request id, and counted", async () => {
    const failing = Layer.effect(
      SessionStore.SessionStore,
      Effect.gen(function*() {
        const config = yield* SessionConfig.resolve({ secure: false }, "server")
        const error = SessionError.SessionStoreError.of("find", "Unavailable", new TypeError("secret value"))
        const never = () => Effect.fail(error)
        return serverStore.make(config, {
          find: never,
          insert: never,
          update: never,
          remove: never,
          removeExpired: never
        })
      })
    )
    const failures = Metric.counter("effect_session_store_failures_total", {
      description: "calls to a session store's backend that failed, by operation and reason",
      incremental: true
    }).pipe(
      Metric.tagged("operation", "find"),
      Metric.tagged("reason", "Unavailable")
    )
    const count = () => Effect.runSync(Metric.value(failures)).count
    const before = count()
    const app = Effect.as(RequestContext.get(A), HttpServerResponse.text("read"))
    const { logs, request } = serve(app, failing)
    const response = await request("/", { cookie: `session=${"A".repeat(43)}`, headers: { "x-request-id": "the-id" } })
    expect(response.status).toBe(503)
    const errors = logs.filter(({ level }) => level === "ERROR").map((log) => log.text)
    expect(errors).toHaveLength(1)
    for (const part of ["find", "TypeError", "the-id"]) expect(errors[0]).toContain(part)
    expect(errors[0]).not.toContain("secret value")
    expect(count()).toBe(before + 1)
  })
})
