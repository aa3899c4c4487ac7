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

/** The most characters of a User-Agent that a session keeps: the client chooses it. */
const userAgentLength = 512

/** Cut where it is too long, and never inside a character of two code units. */
export const bounded = (userAgent: string | undefined): string | undefined => {
  if (userAgent === undefined || userAgent.length <= userAgentLength) return userAgent
  const last = userAgent.charCodeAt(userAgentLength - 1)
  return userAgent.slice(0, last >= 0xd800 && last <= 0xdbff ? userAgentLength - 1 : userAgentLength)
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
