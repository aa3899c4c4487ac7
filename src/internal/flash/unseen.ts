/**
 * Whether anybody will see the page of a request. A browser that prefetches a page may never show it, and a HEAD has no page.
 */
import { isPrefetch } from "../request/prefetch.js"

/** What the decision rests on: the method and the headers of a request, in lower case. */
export interface Facts {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

export const isUnseen = (facts: Facts): boolean => facts.method === "HEAD" || isPrefetch(facts)
