/**
 * Logs and counts each failure of a store once, where it happens, whatever becomes of it: the handler may catch it, and the
 * client's 503 says nothing about it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { SessionStoreError } from "../../SessionError.js"
import * as Metrics from "../store/metrics.js"

/** Logs the error, counts it, and fails with it. */
export const report = (error: SessionStoreError): Effect.Effect<never, SessionStoreError> => {
  Metrics.failed(error.operation, error.reason)
  const cause = describe(error.detail)
  return Effect.zipRight(
    Effect.logError(cause === "" ? error.message : `${error.message}: ${cause}`),
    Effect.fail(error)
  )
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
