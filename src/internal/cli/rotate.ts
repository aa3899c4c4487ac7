/**
 * `rotate`: replaces the key of a configuration in two steps, in place in its file.
 */
import { fromYaml } from "../config/file.js"
import { resolveOptions } from "../config/resolveOptions.js"
import { dayOf, endOf } from "../cookie/lastDay.js"
import { type ExitCode, failed, type Io, misused } from "./command.js"
import { newSecret } from "./keygen.js"
import { replaceFile } from "./replaceFile.js"
import * as Env from "./rotateEnv.js"
import * as Source from "./source.js"

export const options = {
  file: { type: "string" },
  "last-day": { type: "string" },
  "no-last-day": { type: "boolean" }
} as const

export const usage = `effect-session rotate add     [--file FILE]
effect-session rotate promote [--file FILE] [--last-day YYYY-MM-DD | --no-last-day]

Replaces the key of the Cookie store in two steps, without signing anybody out:

  1. rotate add       writes a new secret into the file, which only opens sessions.
                      Deploy the file everywhere.
  2. rotate promote   lets it seal. The former key opens sessions until its last day.
                      Deploy the file everywhere.

The file is changed in place, and keeps its comments. No key is printed.

  --file FILE         a YAML file (.yaml, .yml) or a file of variables such as .env;
                      config/<NODE_ENV>.yaml by default
  --last-day DAY      the last day of the former key, in UTC; by default the day after
                      the last session that it has sealed must have ended
  --no-last-day       the former key opens until it is removed`

const dayMillis = 24 * 60 * 60 * 1000

interface Given {
  readonly file?: string | undefined
  readonly "last-day"?: string | undefined
  readonly "no-last-day"?: boolean | undefined
}

export const run = async (io: Io, given: Given, steps: ReadonlyArray<string>): Promise<ExitCode> => {
  const [step] = steps
  if (steps.length !== 1 || (step !== "add" && step !== "promote")) {
    throw misused("say which step: rotate add or rotate promote")
  }
  if (step === "add" && (given["last-day"] !== undefined || given["no-last-day"] === true)) {
    throw misused("only rotate promote takes a last day: the former key gets it")
  }
  if (given["last-day"] !== undefined && given["no-last-day"] === true) {
    throw misused("give one of --last-day and --no-last-day")
  }
  const file = given.file ?? Source.defaultFile(io)
  const before = Source.readText(file)
  const isYaml = /\.ya?ml$/i.test(file)
  const absoluteMillis = isYaml ? await lifeOf(file, before) : 30 * dayMillis
  const lastDay = lastDayOf(given, absoluteMillis)
  const after = isYaml
    ? await inYaml(file, before, step, lastDay)
    : step === "add"
    ? Env.add(before, newSecret())
    : Env.promote(before, lastDay)
  replaceFile(file, before, after)
  io.out(
    step === "add"
      ? `${file}: a new secret was added, which only opens sessions. Deploy the file everywhere, and then run rotate promote.`
      : `${file}: the new key seals now. The former one opens sessions ${
        lastDay === undefined ? "until you remove it" : `through ${lastDay} (UTC)`
      }. Deploy the file everywhere.`
  )
  return 0
}

/** Instances that still run with the former file seal with its key until the deploy is over: one day is added for it. */
const lastDayOf = (given: Given, absoluteMillis: number | undefined): string | undefined => {
  const day = given["last-day"]
  if (day === undefined) {
    return given["no-last-day"] === true || absoluteMillis === undefined
      ? undefined
      : dayOf(Date.now() + Math.min(absoluteMillis, 400 * dayMillis) + dayMillis)
  }
  const end = endOf(day)
  if (end === undefined) throw misused("--last-day must be a day as YYYY-MM-DD, such as 2026-12-31")
  if (end <= Date.now()) {
    throw misused("--last-day is over already: every session that the former key has sealed would end")
  }
  return day
}

/** How long a session lives at most; the file must have no mistakes, because nothing is changed in one that has. */
const lifeOf = async (file: string, text: string): Promise<number | undefined> => {
  const { options, store } = await decoded(file, text)
  if (store.type !== "Cookie") throw failed(`${file}: the store is ${store.type}, which has no key`)
  return resolveOptions(options).config.absoluteMillis
}

const decoded = async (file: string, text: string) => {
  const loaded = await Source.load({ name: file, config: () => fromYaml(text.replace(/^\ufeff/, "")) })
  if ("mistakes" in loaded) throw failed(loaded.mistakes.join("\n"))
  return loaded.config
}

const inYaml = async (
  file: string,
  before: string,
  step: "add" | "promote",
  lastDay: string | undefined
): Promise<string> => {
  const Yaml = await import("./rotateYaml.js")
  const after = step === "add" ? Yaml.add(before, newSecret()) : Yaml.promote(before, lastDay)
  // What was written must be what an app would read: eight keys are the most, for one.
  await decoded(file, after)
  return after
}
