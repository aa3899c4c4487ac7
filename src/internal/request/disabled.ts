/**
 * The context of a request where sessions are switched off (row F5).
 */
import * as Effect from "effect/Effect"
import { SessionDisabled } from "../../SessionError.js"
import type { RequestContextService } from "./contract.js"

const fail: Effect.Effect<never, SessionDisabled> = Effect.suspend(() => Effect.fail(new SessionDisabled()))

export const disabled: RequestContextService = {
  get: () => fail,
  keys: fail,
  insert: () => fail,
  patch: () => fail,
  remove: () => fail,
  modify: () => fail,
  clear: fail,
  flush: fail,
  renew: fail,
  setExpiry: () => fail,
  commit: fail,
  bind: () => fail,
  signedIn: fail,
  sessionId: fail
}
