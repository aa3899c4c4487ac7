/**
 * Where an old id leads: the mark that a renewal has left, as the server store reads it.
 */
import type { Renewed } from "../../SessionBackend.js"
import * as OldId from "../events/oldId.js"
import type { Events } from "../store/event.js"
import * as Successor from "./successor.js"
import * as Token from "./token.js"

/** The session that another one has become, with the token that the browser is to have. */
export interface Moved {
  readonly _tag: "Moved"
  readonly token: string
  readonly id: string
}

/** Reports the use of an old id, and says for the log what an operator should know; undefined shortly after the renewal. */
export const report = (events: Events, id: string, mark: Renewed, now: number): string | undefined =>
  OldId.report(events, id, { ...mark, successor: Successor.idOf(mark.successor) }, now)

/**
 * Where the mark leads whoever has the old token: to the session after a renewal by `renewEvery`, and nowhere after an explicit
 * one. Reports the use of the old id.
 */
export const moved = (events: Events, token: string, mark: Renewed, now: number): Moved | undefined => {
  report(events, Token.idOf(token), mark, now)
  const next = Successor.read(mark.successor, token)
  return next.token === undefined ? undefined : { _tag: "Moved", token: next.token, id: next.id }
}
