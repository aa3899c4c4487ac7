/**
 * What must be in nothing that people can read, and everything that a test has seen them read.
 */
import { expect } from "@effect/vitest"
import { Cause, Exit } from "effect"
import { randomBytes } from "node:crypto"
import { inspect } from "node:util"

/** A value that cannot be anywhere by chance. */
export const marked = (what: string): string => `${what}-${randomBytes(12).toString("hex")}`

/** Grows with every cookie and every key that a run has. */
const secrets = new Set<string>()

export const keep = (...values: ReadonlyArray<string>): void => {
  for (const value of values) if (value !== "") secrets.add(value)
}

/** A key in every form in which somebody may write it, and its halves. */
export const keepKey = (key: Buffer): void => {
  const middle = key.length / 2
  for (const part of [key, key.subarray(0, middle), key.subarray(middle)]) {
    keep(
      part.toString("base64").replace(/=+$/, ""),
      part.toString("base64url"),
      part.toString("hex"),
      [...part.subarray(0, 8)].join(","),
      [...part.subarray(0, 8)].join(", ")
    )
  }
}

/** Everything that was written, logged, traced or answered in an error. */
const written: Array<{ readonly where: string; readonly text: string }> = []

export const write = (where: string, ...things: ReadonlyArray<unknown>): void => {
  for (const thing of things) {
    written.push({
      where,
      text: typeof thing === "string" ? thing : inspect(thing, { depth: 6, maxStringLength: null })
    })
  }
}

/** In every form that somebody may write an error in. */
export const writeError = (where: string, error: unknown): void => {
  write(where, error, String(error), JSON.stringify(error) ?? "", Object.assign({}, error))
  if (error instanceof Error) write(where, error.message, error.stack ?? "", Object.entries(error))
  for (const cause of [Cause.fail(error), Cause.die(error)]) {
    write(where, cause, Cause.pretty(cause, { renderErrorCause: true }), JSON.stringify(cause), Exit.failCause(cause))
  }
}

/** What was written in places of that name. */
export const textsOf = (where: string): ReadonlyArray<string> =>
  written.flatMap((each) => each.where === where ? [each.text] : [])

/** `shown`: what a place is there to show. */
export const expectNoSecret = (shown: (where: string, secret: string) => boolean = () => false): void => {
  expect(written.length).toBeGreaterThan(10)
  const found = new Set<string>()
  for (const { text, where } of written) {
    for (const secret of secrets) {
      if (shown(where, secret)) continue
      if (text.includes(secret) || text.includes(encodeURIComponent(secret))) found.add(`${where}: ${text}`)
    }
  }
  expect([...found]).toEqual([])
  written.length = 0
}
