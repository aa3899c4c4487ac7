/**
 * What the session takes from its request. The HTTP layer implements it with getters, because most requests need none of it.
 */
import type { ActivityRequest } from "../store/options.js"

export interface RequestFacts {
  /** the Cookie header */
  readonly cookie: string | undefined
  readonly userAgent: string | undefined
  /** what the option `isActivity` is asked about; undefined where there is no HTTP */
  readonly asked?: ActivityRequest | undefined
}
