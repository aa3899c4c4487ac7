/**
 * What a command is given and how it ends. Commands throw nothing but a `Stop`.
 */

/**
 * - `stdin`: all of it, or undefined where there is more than the limit in bytes.
 * - `err`: for mistakes and warnings, so that `out` can be piped.
 */
export interface Io {
  readonly env: Record<string, string | undefined>
  readonly stdin: (limit: number) => Promise<Buffer | undefined>
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

/** 0: it went well. 1: mistakes were found, or a cookie does not open. 2: the command was called in a wrong way. */
export type ExitCode = 0 | 1 | 2

/** Ends a command with a message for the reader. */
export class Stop extends Error {
  constructor(readonly code: 1 | 2, message: string) {
    super(message)
  }
}

/** Ends a command that was called in a wrong way. */
export const misused = (message: string): Stop => new Stop(2, message)

/** Ends a command that found something wrong. */
export const failed = (message: string): Stop => new Stop(1, message)

/**
 * What a terminal may show of a text that a client or a file has chosen: no control character, which could move the cursor or
 * change what was printed before.
 */
export const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** `1 key`, `2 keys`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
