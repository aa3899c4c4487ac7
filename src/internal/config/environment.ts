/**
 * The same configuration from Effect's `Config` (row F2). There is one flat name for each option, so that a name reads the
 * same in the environment, in a map and in the docs. The variables become the block that a file would hold.
 */
import * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as KeyRing from "../../KeyRing.js"
import type { SessionConfigError } from "../../SessionError.js"
import { ending, maxKeys } from "../cookie/keyMaterial.js"
import * as LastDay from "../cookie/lastDay.js"
import { kindOf, variable } from "../edition/config.js"
import { fromEither } from "../edition/done.js"
import { decodeBlock } from "./block.js"
import { environmentName, fields, fileName, number, sameSite, secondsOrNever, storeTypeOf } from "./fields.js"
import { secret } from "./keys.js"
import { decode, type Mistake } from "./mistakes.js"
import type { FileConfig } from "./model.js"
import { flag, text } from "./resolveOptions.js"

/** A number as it stands in a variable; any other text stays text, and is refused as such. */
const numberOr = (text: string): number | string => /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim()

const flags: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false]
])

/** What a file would hold in place of a variable's text; where no reader is listed, a number or a duration. */
const readers: ReadonlyMap<unknown, (text: string) => unknown> = new Map<unknown, (text: string) => unknown>([
  [text, (text) => text],
  [flag, (text) => flags.get(text.trim().toLowerCase()) ?? text],
  [sameSite, (text) => ({ type: text.trim() })]
])

/** One duration, for a `Config` of the app's own. */
export const duration = (name: string): Config.Config<Duration.Duration> =>
  variable(name, (value) => {
    const mistakes: Array<Mistake> = []
    const read = decode(secondsOrNever, numberOr(value), "", mistakes)
    return mistakes.length === 0
      ? { value: read as Duration.Duration } // sound: without a mistake it is decoded
      : { refused: mistakes[0].message }
  })

const previous = (name: string): ReadonlyArray<string> => [1, 2, 3, 4, 5, 6, 7].map((n) => `${name}_${n}`)

const previousKeys = previous("SESSION_PREVIOUS_KEY")
const previousSecrets = previous("SESSION_PREVIOUS_SECRET")

/** The variables that hold a key, or what one is derived from. */
export const keyNames: ReadonlyArray<string> = [
  "SESSION_PRIVATE_KEY",
  "SESSION_SECRET",
  "SESSION_NEXT_KEY",
  "SESSION_NEXT_SECRET",
  ...previousKeys,
  ...previousSecrets
]

/**
 * Variables that a key is easily put into by mistake. Nothing would read them, so that after a rotation every session that
 * the older key sealed would be empty, without a word.
 */
const misnamed = [
  ...["SESSION_PREVIOUS_KEY", "SESSION_PREVIOUS_KEY_0", "SESSION_PREVIOUS_KEY_8", "SESSION_PRIVATE_KEY_PREVIOUS"].map(
    (name) => ({ name, meant: "SESSION_PREVIOUS_KEY_1 to SESSION_PREVIOUS_KEY_7" })
  ),
  ...["SESSION_PREVIOUS_SECRET", "SESSION_PREVIOUS_SECRET_0", "SESSION_PREVIOUS_SECRET_8", "SESSION_SECRET_PREVIOUS"]
    .map((name) => ({ name, meant: "SESSION_PREVIOUS_SECRET_1 to SESSION_PREVIOUS_SECRET_7" }))
]

/** The variable that holds the last day of the key in another one. */
const lastDayOf = (name: string): string => `${name}_LAST_DAY`

/** What must not be set: only an older key has a last day. */
const sealingLastDays = ["SESSION_PRIVATE_KEY", "SESSION_SECRET", "SESSION_NEXT_KEY", "SESSION_NEXT_SECRET"]
  .map(lastDayOf)

const onlyPrevious = (examples: string): string =>
  "must not be set: a key that seals has no last day, because every session that it has sealed would end with it; "
  + `accepted: ${examples}`

/** The variable that a place in the block comes from. */
const variableAt = (path: string): string => {
  if (path.endsWith("].last_day")) return lastDayOf(variableAt(path.slice(0, -".last_day".length)))
  const [place, index] = path.replace(/\.(?:type|value)$/, "").replace(/^.*\./, "").split("s[")
  const name = place === "session_store" ? "SESSION_STORE" : environmentName(place)
  return index === undefined ? name : `${name}_${parseInt(index) + 1}`
}

/** Reads variables as texts; undefined for one that is not set, or that cannot be read. */
const readingInto = (mistakes: Array<Mistake>) => (name: string): Effect.Effect<string | undefined> =>
  Config.redacted(name).pipe(
    Config.option,
    Effect.match({
      onSuccess: (value) => {
        const text = Option.isNone(value) ? "" : Redacted.value(value.value)
        // Compose files and CI systems pass a variable that is not set as an empty one.
        return text === "" ? undefined : text
      },
      onFailure: (error) => {
        // The provider's own message may hold what it read.
        mistakes.push({ path: name, message: `cannot be read from the config provider (${kindOf(error)})` })
        return undefined
      }
    })
  )

/**
 * The keys that are derived from the secrets in these variables, or what is wrong with them. The first one has to be set;
 * any other that is not set is left out.
 */
export const keysFrom = (
  current: string,
  next: string | undefined,
  previous: ReadonlyArray<string>
): Effect.Effect<KeyRing.KeyRing | ReadonlyArray<Mistake>> =>
  Effect.gen(function*() {
    const mistakes: Array<Mistake> = []
    const read = readingInto(mistakes)
    const rings: Array<KeyRing.KeyRing> = []
    const examples = previous.length === 0 ? "none" : previous.map(lastDayOf).join(", ")
    for (const name of [current, ...(next === undefined ? [] : [next]), ...previous]) {
      const before = mistakes.length
      const text = yield* read(name)
      const ring = decode(secret, text, name, mistakes) as KeyRing.KeyRing | undefined // sound: a ring has no parts
      const lastDay = lastDayOf(name)
      const day = yield* read(lastDay)
      const endsAt = day === undefined ? undefined : LastDay.endOf(day)
      if (ring !== undefined) rings.push(endsAt === undefined ? ring : ending(ring, endsAt))
      else if (name === current && mistakes.length === before) mistakes.push({ path: name, message: noSecret })
      if (day === undefined) continue
      if (!previous.includes(name)) mistakes.push({ path: lastDay, message: onlyPrevious(examples) })
      else if (endsAt === undefined) mistakes.push({ path: lastDay, message: LastDay.accepted })
      else if (text === undefined) {
        mistakes.push({ path: lastDay, message: `is the last day of a key that is not there: ${name} is not set` })
      }
    }
    if (rings.length > maxKeys) {
      mistakes.push({
        path: previous[0],
        message: `is one of ${rings.length} secrets; at most ${maxKeys} are accepted`
      })
    }
    return mistakes.length > 0 ? mistakes : rings.reduce((ring, older) => KeyRing.withPrevious(ring, older))
  })

const noSecret = "is missing: it must be a random secret of at least 32 bytes, as openssl rand -base64 32 makes it"

const previousExamples = "SESSION_PREVIOUS_SECRET_1_LAST_DAY and others of older keys"

export const fromConfig: Effect.Effect<FileConfig, SessionConfigError> = Effect.gen(function*() {
  const mistakes: Array<Mistake> = []
  const read = readingInto(mistakes)
  const readAs = (schema: unknown, option: string): Effect.Effect<unknown> =>
    Effect.map(
      read(environmentName(option)),
      (text) => text === undefined ? undefined : (readers.get(schema) ?? numberOr)(text)
    )

  /** As an entry of the list in a file: the key, or a mapping of the key and its last day. */
  const readPrevious = (variable: string, name: string): Effect.Effect<unknown> =>
    Effect.map(
      Effect.all([read(variable), read(lastDayOf(variable))]),
      ([key, last_day]) => last_day === undefined ? key : { [name]: key, last_day }
    )

  const enable = yield* readAs(flag, "enable")
  const session_config: { [name: string]: unknown } = {}
  for (const [option, schema] of Object.entries(fields)) {
    session_config[fileName(option)] = yield* readAs(schema, option)
  }
  const type = yield* read("SESSION_STORE")
  let value: { readonly [name: string]: unknown } | undefined
  switch (storeTypeOf(type)) {
    case "Cookie":
      value = {
        private_key: yield* read("SESSION_PRIVATE_KEY"),
        secret: yield* read("SESSION_SECRET"),
        next_key: yield* read("SESSION_NEXT_KEY"),
        next_secret: yield* read("SESSION_NEXT_SECRET"),
        previous_keys: yield* Effect.forEach(previousKeys, (name) => readPrevious(name, "private_key")),
        previous_secrets: yield* Effect.forEach(previousSecrets, (name) => readPrevious(name, "secret")),
        audience: yield* read("SESSION_AUDIENCE")
      }
      for (const { meant, name } of misnamed) {
        if ((yield* read(name)) !== undefined) {
          mistakes.push({ path: name, message: `is not a variable that is read; accepted: ${meant}` })
        }
      }
      for (const name of sealingLastDays) {
        if ((yield* read(name)) !== undefined) mistakes.push({ path: name, message: onlyPrevious(previousExamples) })
      }
      break
    case "Memory":
      value = { max_sessions: yield* readAs(number, "maxSessions"), max_bytes: yield* readAs(number, "maxBytes") }
  }
  const session_store = type === undefined && enable === false ? undefined : { type, value }
  return yield* fromEither(decodeBlock({ enable, session_config, session_store }, variableAt, mistakes))
})
