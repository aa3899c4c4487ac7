/**
 * Remembers which errors are in the log already, so that what becomes of them later is not logged a second time.
 *
 * The mark is on the error, where no encoder sees it, and not in a WeakSet: inside a span, Effect hands on a proxy of the error.
 */
const isReported = Symbol("effect-session/isReported")

/** From now on the error counts as logged. */
export const mark = (error: Error): void => {
  Object.defineProperty(error, isReported, { value: true })
}

export const has = (error: Error): boolean => isReported in error
