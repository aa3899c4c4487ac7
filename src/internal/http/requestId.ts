/**
 * How a request gets its id (row R1).
 */
import { randomUUID } from "node:crypto"

export const headerName = "x-request-id"

/** The client's id without every character that a log, a header or a file name could trip over; else a UUID v4. */
export const make = (inbound: string | undefined): string => {
  const kept = inbound === undefined ? "" : inbound.replace(/[^A-Za-z0-9_@-]/g, "").slice(0, 255)
  return kept === "" ? randomUUID() : kept
}
