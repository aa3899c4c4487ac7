/**
 * Warnings that a client can cause again and again: a cookie that is replayed must not fill the log.
 */

const windowMillis = 60_000

/** The warning as it is to be logged; undefined when it is one too many. `kind` is one of a few constants. */
export type Limited = (kind: string, warning: string, now: number) => string | undefined

/** The warnings of one store: of each kind, `lines` are logged in a minute. The next one says how many were left out. */
export const make = (lines: number): Limited => {
  const windows = new Map<string, { since: number; logged: number; leftOut: number }>()
  return (kind, warning, now) => {
    const window = windows.get(kind)
    if (window === undefined || now < window.since || now >= window.since + windowMillis) {
      windows.set(kind, { since: now, logged: 1, leftOut: 0 })
      return window === undefined || window.leftOut === 0
        ? warning
        : `${warning} (${window.leftOut} more warnings of this kind have not been logged)`
    }
    if (window.logged < lines) {
      window.logged++
      return warning
    }
    window.leftOut++
    return undefined
  }
}
