/**
 * The use of an id that was renewed away. Requests that were on their way carry it for a moment; later it is the classic sign
 * of a stolen cookie (OWASP Session Management Cheat Sheet, "Detecting session anomalies"), or of a response that was lost.
 */
import type { Renewed } from "../../SessionBackend.js"
import type { Events } from "../store/event.js"
import * as Happened from "./happened.js"

/** Requests that began before the renewal are over by then. */
const graceMillis = 10_000

/** Reports the use, and says for the log what an operator should know; undefined shortly after the renewal. */
export const report = (
  events: Events,
  id: string,
  { renewedAt, successor }: Renewed,
  now: number
): string | undefined => {
  const age = now - renewedAt
  if (age <= graceMillis) return undefined
  Happened.oldIdUsed(events, now, successor, id)
  return `The id of a session that was renewed ${
    Math.round(age / 1000)
  } seconds ago is still in use: the cookie may have been `
    + `stolen, or a response was lost. The session that replaced it has the id ${successor}.`
}
