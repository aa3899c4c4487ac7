/**
 * The parts of one request's session, and what happens to all of them at once when it ends.
 */
import type * as Effect from "effect/Effect"
import type { SessionStoreError } from "../../SessionError.js"
import type { SessionStoreService } from "../store/contract.js"
import type { Answer } from "./answer.js"
import type { Draft } from "./draft.js"
import type { InFlight } from "./inFlight.js"
import type { Stored } from "./stored.js"

/**
 * - `stored`: what was loaded.
 * - `draft`: what changed and is not saved yet.
 * - `answer`: which cookie the browser gets.
 * - `inFlight`: the operations that are running.
 * - `load`: makes sure that `stored` is known.
 * - `isPassive`: whether the request is no activity, so that it extends nothing.
 */
export interface Parts {
  readonly store: SessionStoreService
  readonly stored: Stored
  readonly draft: Draft
  readonly answer: Answer
  readonly inFlight: InFlight
  readonly load: (now: number) => Effect.Effect<void, SessionStoreError>
  readonly isPassive: boolean
}

/** The store reports that the session is gone. */
export const endedElsewhere = ({ answer, draft, stored }: Parts): void => {
  stored.ended()
  draft.drop()
  answer.ended()
}

/** The handler has ended the session; what it changes later starts a new one. */
export const flushed = ({ answer, draft, stored }: Parts): void => {
  stored.flushed()
  draft.drop()
  answer.flushed(stored.cookie.present)
}
