/**
 * Reads the error of a driver: whether the statement may be tried again, and what of it a log may hold. Retries here are
 * for what the database gave up by itself; nothing was written then.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { SessionStoreError } from "../../SessionError.js"
import { errorOf, errorsOf } from "../edition/cause.js"

/**
 * - `contended`: the database gave up in favour of another transaction and wrote nothing. The same statement may succeed now.
 * - `detail`: messages and codes, without what was quoted in them: a driver's message may quote a value.
 */
export interface Failure {
  readonly contended: boolean
  readonly codes: ReadonlyArray<string | number>
  readonly detail: string
}

/**
 * PostgreSQL: serialization failure, deadlock, lock not available, query cancelled. (When a caller stops waiting, the client
 * cancels what its connection runs, which may be the statement of the next caller by then.) MySQL: deadlock, lock wait
 * time-out, record changed since last read. SQLite's codes are matched by how they begin.
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

/** node:sqlite gives SQLite's numbers in place of names: the lowest byte says what happened, and the others say more of it. */
const sqliteNames: Readonly<Record<number, string>> = { 5: "SQLITE_BUSY", 6: "SQLITE_LOCKED", 13: "SQLITE_FULL" }

/** Cuts from the first quote to the last, because a quoted value may contain quotes. */
const withoutQuoted = (message: string): string => message.replace(/["'`].*["'`]/s, "…")

export const describe = (cause: Cause.Cause<unknown>): Failure => {
  const codes: Array<string | number> = []
  const messages: Array<string> = []
  const seen = new Set<unknown>()
  const visit = (error: unknown): void => {
    if (typeof error !== "object" || error === null || seen.has(error)) return
    seen.add(error)
    const { cause, code: given, errcode, errno, errors, message } = error as {
      readonly [property in "cause" | "code" | "errcode" | "errno" | "errors" | "message"]?: unknown
    }
    const code = typeof errcode === "number" ? sqliteNames[errcode & 0xff] ?? given : given
    if (typeof code === "string" || typeof code === "number") codes.push(code)
    if (typeof errno === "number") codes.push(errno)
    if (typeof message === "string" && message !== "") {
      messages.push(withoutQuoted(message) + (typeof code === "string" ? ` (${code})` : ""))
    } else if (typeof code === "string") messages.push(code)
    visit(cause)
    // An AggregateError holds one refusal for each address of a host.
    if (Array.isArray(errors)) errors.forEach(visit)
  }
  errorsOf(cause).forEach(visit)
  return { contended: codes.some(isContended), codes, detail: messages.join(": ") }
}

/** How often a statement or a transaction is tried in all. */
const maxTries = 12

/** Waits in real time under every clock, because the database that it waits for lives in real time. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.async((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Waits up to 4 ms after the first try, and up to 128 ms after later ones (full jitter). */
export const backoff = (tries: number): Effect.Effect<void> =>
  Effect.suspend(() => pause(Math.random() * Math.min(2 ** (tries + 2), 128)))

/** Repeats the effect while the database is contended. What fails in the end, or otherwise, becomes the store's error. */
export const withRetry = <A>(
  operation: SessionStoreError["operation"],
  effect: Effect.Effect<A, unknown>,
  tries = 0
): Effect.Effect<A, SessionStoreError> =>
  Effect.catchAllCause(effect, (cause) => afterFailure(operation, cause, effect, tries))

/** What `withRetry` does after a failure: an `Exit` where it does not try again. */
export const afterFailure = <A>(
  operation: SessionStoreError["operation"],
  cause: Cause.Cause<unknown>,
  effect: Effect.Effect<A, unknown>,
  tries = 0
): Effect.Effect<A, SessionStoreError> => {
  if (Cause.isInterrupted(cause)) return Effect.interrupt
  const error = errorOf(cause)
  if (error instanceof SessionStoreError) return Exit.fail(error)
  const failure = describe(cause)
  if (failure.contended && tries + 1 < maxTries) {
    return Effect.zipRight(backoff(tries), withRetry(operation, effect, tries + 1))
  }
  return Exit.fail(
    SessionStoreError.of(operation, failure.contended ? "Contention" : "Unavailable", failure.detail)
  )
}
