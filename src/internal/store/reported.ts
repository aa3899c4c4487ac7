/**
 * Remembers which errors are in the log already, so that what becomes of them later is not logged a second time.
 */
const reported = new WeakSet<Error>()

/** From now on the error counts as logged. */
export const mark = (error: Error): void => {
  reported.add(error)
}

export const has = (error: Error): boolean => reported.has(error)
