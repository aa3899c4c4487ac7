/**
 * What the session takes from its request. The HTTP layer implements it with getters, because most requests need none of it.
 */
import type { ActivityRequest, SessionConfig } from "../store/options.js"

export interface RequestFacts {
  /** the Cookie header */
  readonly cookie: string | undefined
  readonly userAgent: string | undefined
  /** what the option `isActivity` is asked about; undefined where there is no HTTP */
  readonly asked?: ActivityRequest | undefined
}

/** Whether the app says that the request is no activity. A predicate that throws must not decide about the response. */
export const isPassive = (
  isActivity: SessionConfig["isActivity"],
  asked: ActivityRequest | undefined
): boolean => {
  if (isActivity === undefined || asked === undefined) return false
  try {
    return !isActivity(asked)
  } catch {
    return false
  }
}
