/**
 * What a driver says when it fails: whether another try may do, and what a log may know of it.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { SessionStoreError } from "../../SessionError.js"

/**
 * - `contended`: the database gave up in favour of another transaction, and nothing was written: the same again may do.
 * - `detail`: messages and codes, without anything that was in quotes: a driver's message may quote a value.
 */
export interface Failure {
  readonly contended: boolean
  readonly codes: ReadonlyArray<string | number>
  readonly detail: string
}

/**
 * PostgreSQL: serialization failure, deadlock, lock not available, query cancelled (whoever stops waiting has the client
 * cancel what its connection runs, and that may be the next one's statement by then). MySQL: deadlock, lock wait time-out,
 * record changed since last read. SQLite's codes are matched by how they begin.
 */
const contended: ReadonlySet<string | number> = new Set([
  "40001",
  "40P01",
  "55P03",
  "57014",
  "ER_LOCK_DEADLOCK",
  "ER_LOCK_WAIT_TIMEOUT",
  "ER_CHECKREAD",
  1213,
  1205,
  1020
])

const isContended = (code: string | number): boolean =>
  contended.has(code) || (typeof code === "string" && /^SQLITE_(BUSY|LOCKED)/.test(code))

/** From the first quote to the last: what a quoted value contains may be a quote. */
const withoutQuoted = (message: string): string => message.replace(/["'`].*["'`]/s, "…")

export const describe = (cause: Cause.Cause<unknown>): Failure => {
  const codes: Array<string | number> = []
  const messages: Array<string> = []
  const seen = new Set<unknown>()
  const visit = (error: unknown): void => {
    if (typeof error !== "object" || error === null || seen.has(error)) return
    seen.add(error)
    const { cause, code, errno, errors, message } = error as {
      readonly [property in "cause" | "code" | "errno" | "errors" | "message"]?: unknown
    }
    if (typeof code === "string" || typeof code === "number") codes.push(code)
    if (typeof errno === "number") codes.push(errno)
    if (typeof message === "string" && message !== "") {
      messages.push(withoutQuoted(message) + (typeof code === "string" ? ` (${code})` : ""))
    } else if (typeof code === "string") messages.push(code)
    visit(cause)
    // an AggregateError: one refusal for each address of a name
    if (Array.isArray(errors)) errors.forEach(visit)
  }
  Chunk.forEach(Cause.failures(cause), visit)
  Chunk.forEach(Cause.defects(cause), visit)
  return { contended: codes.some(isContended), codes, detail: messages.join(": ") }
}

/** How often a statement or a transaction is tried in all. */
const maxTries = 12

/** Real time, whatever the clock of the test: the database it waits for lives in real time. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.async((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Full jitter, up to 4 ms after the first try, up to 128 ms later. */
export const backoff = (tries: number): Effect.Effect<void> =>
  Effect.suspend(() => pause(Math.random() * Math.min(2 ** (tries + 2), 128)))

/** The effect, again while the database is contended; then, and for every other failure or defect, the store's error. */
export const withRetry = <A>(
  operation: SessionStoreError["operation"],
  effect: Effect.Effect<A, unknown>,
  tries = 0
): Effect.Effect<A, SessionStoreError> =>
  Effect.catchAllCause(effect, (cause) => afterFailure(operation, cause, effect, tries))

/** What `withRetry` goes on with: an `Exit` where it is not to be tried again. */
export const afterFailure = <A>(
  operation: SessionStoreError["operation"],
  cause: Cause.Cause<unknown>,
  effect: Effect.Effect<A, unknown>,
  tries = 0
): Effect.Effect<A, SessionStoreError> => {
  if (Cause.isInterrupted(cause)) return Effect.interrupt
  if (cause._tag === "Fail" && cause.error instanceof SessionStoreError) return Exit.fail(cause.error)
  const failure = describe(cause)
  if (failure.contended && tries + 1 < maxTries) {
    return Effect.zipRight(backoff(tries), withRetry(operation, effect, tries + 1))
  }
  return Exit.fail(
    SessionStoreError.of(operation, failure.contended ? "Contention" : "Unavailable", failure.detail)
  )
}
