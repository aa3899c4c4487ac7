/**
 * Counts each failure of a store and logs it where it happens, whatever becomes of it: the handler may catch it, and the
 * client's 503 says nothing about it (row M5).
 *
 * A request has one line, although several of its calls may fail. When the store is down, the first failures are logged one
 * by one, and the others are summed up: an outage must not be followed by a flood of lines.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SessionStoreError } from "../../SessionError.js"
import * as Time from "../edition/clock.js"
import * as Logs from "../edition/logs.js"
import * as Metrics from "../store/metrics.js"
import * as Reported from "../store/reported.js"

/** Logs the error, unless it is one of too many, counts it, and fails with it. */
export type Report = (error: SessionStoreError) => Effect.Effect<never, SessionStoreError>

const windowMillis = 10_000

/** How many failures of a window are logged one by one. */
const maxLines = 10

/** The failures of ten seconds. A summary takes the place of the lines that are too many. */
class Window {
  readonly requests = new Set<unknown>()
  lines = 0
  failed = 0
  last = ""
  isSummedUp = false

  constructor(readonly since: number) {}

  contains(now: number): boolean {
    return now >= this.since && now < this.since + windowMillis
  }
}

/** The reports of one store. What is left of the current window is summed up when the scope closes. */
export const make: Effect.Effect<Report, never, Scope.Scope> = Effect.map(Effect.scope, (scope) => {
  let current: Window | undefined
  return (error) =>
    Effect.withFiberRuntime((fiber) => {
      Metrics.failed(error.operation, error.reason)
      Reported.mark(error)
      const now = Time.now(fiber)
      const window = current = current?.contains(now) === true ? current : new Window(now)
      const request = Logs.annotationOf(fiber, "request_id")
      window.failed++
      window.last = lineOf(error)
      const failed = Effect.fail(error)
      if (request !== undefined && window.requests.has(request)) return failed
      if (window.lines < maxLines) {
        window.lines++
        window.requests.add(request)
        return Effect.zipRight(Effect.logError(window.last), failed)
      }
      if (window.isSummedUp) return failed
      window.isSummedUp = true
      return Effect.zipRight(Effect.forkIn(sumUp(window, now), scope), failed)
    })
})

/** Waits for the end of the window, or of the scope. The summary belongs to none of the requests, although one starts it. */
const sumUp = (window: Window, now: number): Effect.Effect<void> =>
  Effect.sleep(window.since + windowMillis - now).pipe(
    Effect.interruptible,
    Effect.ensuring(Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.logError(summaryOf(window, now)))),
    Logs.detached
  )

const summaryOf = ({ failed, last, lines, since }: Window, now: number): string =>
  `${failed} calls of the session store failed within ${Math.max(1, Math.round((now - since) / 1000))} seconds, `
  + `and only the first ${lines} were logged one by one. The last one was: ${last}`

const lineOf = (error: SessionStoreError): string => {
  const cause = describe(error.detail)
  return cause === "" ? error.message : `${error.message}: ${cause}`
}

/**
 * What a log may say about the cause: a text that the adapter wrote for this purpose, or the name and the code of an error.
 * The message of a driver's own error may hold values of the session.
 */
const describe = (detail: unknown): string => {
  if (typeof detail === "string") return detail
  const thrown = Cause.isCause(detail) ? Cause.squash(detail) : detail
  if (!(thrown instanceof Error)) return ""
  const code = (thrown as { readonly code?: unknown }).code
  return typeof code === "string" ? `${thrown.name} (${code})` : thrown.name
}
