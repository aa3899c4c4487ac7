/**
 * The two steps of replacing a key, in the text of a file of variables. Only the names of the variables are changed: their values
 * stay as they are written.
 */
import { parseEnv } from "node:util"
import { failed } from "./command.js"

const current = ["SESSION_SECRET", "SESSION_PRIVATE_KEY"] as const
const upcoming = { SESSION_NEXT_SECRET: "SESSION_SECRET", SESSION_NEXT_KEY: "SESSION_PRIVATE_KEY" } as const
const previousOf = { SESSION_SECRET: "SESSION_PREVIOUS_SECRET", SESSION_PRIVATE_KEY: "SESSION_PREVIOUS_KEY" } as const

const set = (variables: NodeJS.Dict<string>, name: string): boolean => (variables[name] ?? "") !== ""

const currentIn = (variables: NodeJS.Dict<string>): (typeof current)[number] => {
  const [name, other] = current.filter((name) => set(variables, name))
  if (name === undefined) throw failed("neither SESSION_SECRET nor SESSION_PRIVATE_KEY is set in the file")
  if (other !== undefined) throw failed("SESSION_SECRET and SESSION_PRIVATE_KEY are both set; keep one of them")
  return name
}

/** Where the line of a variable begins, and its name in it. */
const lineOf = (text: string, name: string): { readonly start: number; readonly nameAt: number } => {
  const lines = [...text.matchAll(new RegExp(`^([^\\S\\n]*(?:export[^\\S\\n]+)?)${name}[^\\S\\n]*=`, "gm"))]
  if (lines.length !== 1) throw failed(`${name} must stand in exactly one line of the file`)
  const [{ 1: lead, index }] = lines
  return { start: index, nameAt: index + lead.length }
}

/** A new line in front of the line of a variable. */
const insertBefore = (text: string, name: string, line: string): string => {
  const { start } = lineOf(text, name)
  return `${text.slice(0, start)}${line}\n${text.slice(start)}`
}

const renamed = (text: string, from: string, to: string): string => {
  const { nameAt } = lineOf(text, from)
  return text.slice(0, nameAt) + to + text.slice(nameAt + from.length)
}

/** A name may also stand in a value of several lines: then nothing is written. */
const verified = (
  before: NodeJS.Dict<string>,
  after: string,
  changed: Readonly<Record<string, string | undefined>>
): string => {
  const expected = JSON.stringify(
    Object.entries({ ...before, ...changed }).filter(([, value]) => value !== undefined).sort()
  )
  if (JSON.stringify(Object.entries(parseEnv(after)).sort()) !== expected) {
    throw failed("the file is written in a way that cannot be changed safely: rename its variables by hand")
  }
  return after
}

/** The first step: the secret opens, and the current key goes on to seal. */
export const add = (before: string, secret: string): string => {
  const variables = parseEnv(before)
  const name = currentIn(variables)
  if (Object.keys(upcoming).some((name) => set(variables, name))) {
    throw failed("there is a next key already: deploy it everywhere, and then run rotate promote")
  }
  const after = insertBefore(before, name, `SESSION_NEXT_SECRET="${secret}"`)
  return verified(variables, after, { SESSION_NEXT_SECRET: secret })
}

/** The second step: the next key seals, and the current one stays behind it, with its last day. */
export const promote = (before: string, lastDay: string | undefined): string => {
  const variables = parseEnv(before)
  const name = currentIn(variables)
  const next = (["SESSION_NEXT_SECRET", "SESSION_NEXT_KEY"] as const).find((name) => set(variables, name))
  if (next === undefined) throw failed("there is no next key: run rotate add first, and deploy the file everywhere")
  const free = [1, 2, 3, 4, 5, 6, 7].map((n) => `${previousOf[name]}_${n}`).find((name) => !(name in variables))
  if (free === undefined) throw failed("there are 7 previous keys already: remove those whose last day is over")
  const kept = renamed(before, name, free)
  const dated = lastDay === undefined ? kept : insertBefore(kept, free, `${free}_LAST_DAY=${lastDay}`)
  return verified(variables, renamed(dated, next, upcoming[next]), {
    [name]: undefined,
    [next]: undefined,
    [free]: variables[name],
    ...(lastDay === undefined ? undefined : { [`${free}_LAST_DAY`]: lastDay }),
    [upcoming[next]]: variables[next]
  })
}
