/**
 * The parts of one request's session, and what happens to all of them at once when it ends.
 */
import type * as Effect from "effect/Effect"
import type { SessionStoreError } from "../../SessionError.js"
import { map } from "../edition/done.js"
import type { SessionStoreService } from "../store/contract.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { Answer } from "./answer.js"
import type { Draft } from "./draft.js"
import type { InFlight } from "./inFlight.js"
import type { Stored } from "./stored.js"

/**
 * - `stored`: what was loaded.
 * - `draft`: what changed and is not saved yet.
 * - `answer`: which cookie the browser gets.
 * - `inFlight`: the operations that are running.
 * - `isPassive`: whether the request is no activity, so that it extends nothing.
 */
export interface Parts {
  readonly store: SessionStoreService
  readonly stored: Stored
  readonly draft: Draft
  readonly answer: Answer
  readonly inFlight: InFlight
  readonly isPassive: boolean
}

/** Makes sure that `stored` is known. */
export const load = (parts: Parts, now: number): Effect.Effect<void, SessionStoreError> => {
  const { answer, store, stored } = parts
  const { session } = stored
  if (session !== undefined && answer.isClosed && ExpiryPolicy.isExpired(store.config, session, now)) {
    endedElsewhere(parts) // a socket or a stream may outlive its session by hours
  }
  return map(stored.load(now), () => {
    const { state } = stored
    // The session was renewed by itself: this request still came with the old token.
    if (state._tag === "Found" && state.followed === true) answer.followed(state.token, state.session, now)
  })
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
