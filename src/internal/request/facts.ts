/**
 * What the session takes from its request. The HTTP layer implements it with getters, because most requests need none of it.
 */
export interface RequestFacts {
  /** the Cookie header */
  readonly cookie: string | undefined
  readonly userAgent: string | undefined
}
