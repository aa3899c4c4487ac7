/**
 * The use of an id that was renewed away. Requests that were on their way carry it for a moment; later it is the classic sign
 * of a stolen cookie (OWASP Session Management Cheat Sheet, "Detecting session anomalies"), or of a response that was lost.
 */
import type { Renewed } from "../../SessionBackend.js"
import * as Metrics from "../store/metrics.js"
import * as Successor from "./successor.js"

/** Requests that began before the renewal are over by then. */
const graceMillis = 10_000

/** Counts the use, and says for the log what an operator should know; undefined shortly after the renewal. */
export const report = ({ renewedAt, successor }: Renewed, now: number): string | undefined => {
  const age = now - renewedAt
  if (age <= graceMillis) return undefined
  Metrics.oldId()
  return `The id of a session that was renewed ${
    Math.round(age / 1000)
  } seconds ago is still in use: the cookie may have been `
    + `stolen, or a response was lost. The session that replaced it has the id ${Successor.idOf(successor)}.`
}

/** The session that another one has become, with the token that the browser is to have. */
export interface Moved {
  readonly _tag: "Moved"
  readonly token: string
  readonly id: string
}

/**
 * Where the mark leads whoever has the old token: to the session after a renewal by `renewEvery`, and nowhere after an explicit
 * one. Counts the use of the old id.
 */
export const moved = (token: string, mark: Renewed, now: number): Moved | undefined => {
  report(mark, now)
  const next = Successor.read(mark.successor, token)
  return next.token === undefined ? undefined : { _tag: "Moved", token: next.token, id: next.id }
}
