/**
 * Whether a browser asks for a page before anybody wants to see it. It may never show the page.
 */
import type { ActivityRequest } from "../store/options.js"

/** `prefetch`, with or without parameters such as `;prerender`. */
const prefetch = /^\s*prefetch\s*(;|$)/i

/** `Sec-Purpose` is what browsers send now; the others are what some of them sent before it. */
export const isPrefetch = ({ headers }: Pick<ActivityRequest, "headers">): boolean =>
  prefetch.test(headers["sec-purpose"] ?? "")
  || prefetch.test(headers["purpose"] ?? "")
  || prefetch.test(headers["x-moz"] ?? "")
  || headers["x-purpose"]?.trim().toLowerCase() === "preview"
