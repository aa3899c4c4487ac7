/**
 * Whether anybody will see the page of a request. A browser that prefetches a page may never show it, and a HEAD has no page.
 */

/** What the decision rests on: the method and the headers of a request, in lower case. */
export interface Facts {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** `prefetch`, with or without parameters such as `;prerender`. */
const prefetch = /^\s*prefetch\s*(;|$)/i

/** `Sec-Purpose` is what browsers send now; the others are what some of them sent before it. */
export const isUnseen = ({ headers, method }: Facts): boolean =>
  method === "HEAD"
  || prefetch.test(headers["sec-purpose"] ?? "")
  || prefetch.test(headers["purpose"] ?? "")
  || prefetch.test(headers["x-moz"] ?? "")
  || headers["x-purpose"]?.trim().toLowerCase() === "preview"
