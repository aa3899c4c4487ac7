import { HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope, TestClock } from "effect"
import { RequestContext, SessionBackend, SessionError, SessionStore } from "effect-session"
import { countOf } from "../../src/internal/edition/metric.js"
import * as ReportFailure from "../../src/internal/server/reportFailure.js"
import { eachLine } from "../support/collectLogs.js"
import { serve } from "../support/server.js"
import { A } from "../support/sessionKeys.js"

const failingWith = (detail: unknown) => {
  const fail = (operation: SessionError.SessionStoreError["operation"]) => () =>
    Effect.fail(SessionError.SessionStoreError.of(operation, "Unavailable", detail))
  return SessionStore.layerBackend({ secure: false }).pipe(Layer.provide(
    Layer.succeed(SessionBackend.SessionBackend, {
      find: fail("find"),
      insert: fail("insert"),
      update: fail("update"),
      remove: fail("remove"),
      removeExpired: fail("removeExpired")
    })
  ))
}

const failuresOf = (operation: string): number =>
  countOf("effect_session_store_failures_total", ["operation", operation])

const token = "A".repeat(43)

describe("a store's failures", () => {
  const requests = {
    find: Effect.as(RequestContext.get(A), HttpServerResponse.text("read")),
    update: Effect.as(RequestContext.insert(A, "a"), HttpServerResponse.text("written"))
  }
  for (const [operation, app] of Object.entries(requests)) {
    it(`M5: a request whose ${operation} fails has one error line, with the operation, the cause and the request's id`, async () => {
      const before = failuresOf(operation)
      const { dispose, logs, request } = serve(app, failingWith(new TypeError("secret value")))
      const response = await request("/", { cookie: `session=${token}`, headers: { "x-request-id": "the-id" } })
      expect(response.status).toBe(503)
      const errors = logs.filter(({ level }) => level === "ERROR").map((log) => log.text)
      expect(errors).toHaveLength(1)
      for (const part of [operation, "Unavailable", "TypeError", "the-id"]) expect(errors[0]).toContain(part)
      expect(errors[0]).not.toContain("secret value")
      expect(failuresOf(operation)).toBe(before + 1)
      await dispose()
    })
  }

  it("M5: a request has one error line, although it fails to read the session and then to save it", async () => {
    const before = failuresOf("find")
    const { dispose, logs, request } = serve(
      Effect.ignore(RequestContext.get(A)).pipe(Effect.zipRight(requests.update)),
      failingWith("of the test")
    )
    await request("/", { cookie: `session=${token}`, headers: { "x-request-id": "the-id" } })
    expect(logs.filter(({ level }) => level === "ERROR")).toHaveLength(1)
    expect(failuresOf("find")).toBeGreaterThan(before)
    await dispose()
  })
})

describe("an outage", () => {
  /** Each line with the request id that it carries. */
  const collect = (lines: Array<readonly [text: string, requestId: unknown]>) =>
    eachLine(({ annotation, message }) => void lines.push([String(message), annotation("request_id")]))

  const fail = (report: ReportFailure.Report, count: number) =>
    Effect.forEach(
      Array.from({ length: count }, (_, at) => at),
      (at) =>
        Effect.ignore(report(SessionError.SessionStoreError.of("find", "Unavailable", `cause ${at}`))).pipe(
          Effect.annotateLogs("request_id", at)
        ),
      { discard: true }
    )

  it.effect("M5: 5,000 failures within ten seconds are logged as ten lines and a summary, and the next ten seconds start anew", () => {
    const lines: Array<readonly [string, unknown]> = []
    return Effect.gen(function*() {
      const report = yield* ReportFailure.make
      const before = failuresOf("find")
      yield* fail(report, 5_000)
      yield* TestClock.adjust(9_999)
      expect(lines.map(([, requestId]) => requestId)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      yield* TestClock.adjust(1)
      expect(lines.slice(10)).toEqual([[
        "5000 calls of the session store failed within 10 seconds, and only the first 10 were logged one by one. "
        + "The last one was: session store failed (find: Unavailable): cause 4999",
        undefined
      ]])
      expect(failuresOf("find")).toBe(before + 5_000)

      yield* fail(report, 3)
      yield* TestClock.adjust(20_000)
      expect(lines.slice(11).map(([, requestId]) => requestId)).toEqual([0, 1, 2])
    }).pipe(Effect.scoped, Effect.provide(collect(lines)))
  })

  it.effect("M5: if the store closes before the ten seconds are over, the summary is written at once, and nothing waits for the ten seconds", () => {
    const lines: Array<readonly [string, unknown]> = []
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const report = yield* Scope.extend(ReportFailure.make, scope)
      yield* Effect.uninterruptible(fail(report, 20))
      yield* TestClock.adjust(4_000)
      yield* Scope.close(scope, Exit.void)
      expect(lines).toHaveLength(11)
      expect(lines[10][0]).toContain("20 calls of the session store failed within 4 seconds")
      yield* TestClock.adjust(20_000)
      expect(lines).toHaveLength(11)
    }).pipe(Effect.provide(collect(lines)))
  })
})
