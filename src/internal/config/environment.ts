/**
 * The same declaration from Effect's `Config` (row F2): one flat name an option, so that a name reads the same in the
 * environment, in a map and in the docs.
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { SessionConfigError } from "../../SessionError.js"
import * as Draft from "./declared.js"
import { environmentName, fieldEntries, type Kind, readDurationOrNever, readField, readNumber } from "./fields.js"
import type { FileConfig } from "./model.js"

const read = (name: string, report: Draft.Report): Effect.Effect<string | undefined> =>
  Config.redacted(name).pipe(
    Config.option,
    Effect.match({
      onSuccess: (value) => {
        const text = Option.isNone(value) ? "" : Redacted.value(value.value)
        return text === "" ? undefined : text // compose files and CI systems pass a variable that is not set as empty
      },
      onFailure: (error) => {
        report(name, `cannot be read from the config provider (${error._op})`) // its message may hold what it read
        return undefined
      }
    })
  )

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

/** The text as the JSON-like value that a file would hold; a text that is none stays text, and is refused as such. */
const parse = (kind: Kind, text: string): unknown => {
  switch (kind) {
    case "text":
      return text
    case "flag":
      return flags.get(text.trim().toLowerCase()) ?? text
    case "sameSite":
      return text.trim()
    default:
      return readNumber(text) ?? text.trim()
  }
}

/** A duration by itself, for a `Config` of the app's own. */
export const duration = (name: string): Config.Config<Duration.Duration> =>
  Config.string(name).pipe(Config.mapOrFail((text) => {
    const read = readDurationOrNever(parse("secondsOrNever", text))
    // The text is not repeated: it may be a key in the wrong place.
    return "value" in read ? Either.right(read.value) : Either.left(ConfigError.InvalidData([], read.expected))
  }))

const previous = (name: string): ReadonlyArray<string> => [1, 2, 3, 4, 5, 6, 7].map((n) => `${name}_${n}`)

/** The variables that hold a key, or what one is derived from. */
export const keyNames: ReadonlyArray<readonly [name: string, form: Draft.KeyForm, previous: boolean]> = [
  ["SESSION_PRIVATE_KEY", "key", false],
  ["SESSION_SECRET", "secret", false],
  ...previous("SESSION_PREVIOUS_KEY").map((name) => [name, "key", true] as const),
  ...previous("SESSION_PREVIOUS_SECRET").map((name) => [name, "secret", true] as const)
]

/**
 * Variables that a key is easily put into by mistake. Nothing would read them: after a rotation every session that the
 * older key sealed would be empty, without a word.
 */
const misnamed: ReadonlyArray<readonly [name: string, meant: string]> = [
  ...["SESSION_PREVIOUS_KEY", "SESSION_PREVIOUS_KEY_0", "SESSION_PREVIOUS_KEY_8", "SESSION_PRIVATE_KEY_PREVIOUS"].map(
    (name) => [name, "SESSION_PREVIOUS_KEY_1 to SESSION_PREVIOUS_KEY_7"] as const
  ),
  ...["SESSION_PREVIOUS_SECRET", "SESSION_PREVIOUS_SECRET_0", "SESSION_PREVIOUS_SECRET_8", "SESSION_SECRET_PREVIOUS"]
    .map((name) => [name, "SESSION_PREVIOUS_SECRET_1 to SESSION_PREVIOUS_SECRET_7"] as const)
]

export const fromConfig: Effect.Effect<FileConfig, SessionConfigError> = Effect.gen(function*() {
  const draft = Draft.make()
  const { report } = draft
  for (const [option, kind] of [["enable", "flag"] as const, ...fieldEntries]) {
    const name = environmentName(option)
    const text = yield* read(name, report)
    if (text === undefined) continue
    const field = readField(kind, parse(kind, text))
    if ("value" in field) draft.set(option, field.value)
    else report(name, field.expected)
  }

  const type = yield* read("SESSION_STORE", report)
  switch (type?.trim()) {
    case "Cookie": {
      const cookie: Draft.CookieStore = {
        type: "Cookie",
        path: "SESSION_STORE",
        keyPath: "SESSION_PRIVATE_KEY",
        secretName: "SESSION_SECRET",
        keys: [],
        audience: yield* read("SESSION_AUDIENCE", report)
      }
      for (const [name, form, previous] of keyNames) {
        const text = yield* read(name, report)
        if (text === undefined) continue
        const problem = Draft.placeholderProblem(text)
        if (problem !== undefined) report(name, problem)
        cookie.keys.push({ form, path: name, previous, material: problem === undefined ? text : undefined })
      }
      for (const [name, meant] of misnamed) {
        if ((yield* read(name, report)) !== undefined) report(name, `has no meaning; accepted: ${meant}`)
      }
      draft.store = cookie
      break
    }
    case "Memory": {
      const bound = (option: string) =>
        Effect.map(
          read(environmentName(option), report),
          (text) => text === undefined ? undefined : parse("number", text)
        )
      draft.store = {
        type: "Memory",
        maxSessions: yield* bound("maxSessions"),
        maxBytes: yield* bound("maxBytes"),
        pathOf: environmentName
      }
      break
    }
    case "Tower":
      draft.store = { type: "Tower" }
      break
    case undefined:
      if (draft.options.enable === false) draft.store = Draft.unusedStore
      else report("SESSION_STORE", "is missing: Cookie, Memory or Tower")
      break
    default:
      report("SESSION_STORE", "must be Cookie, Memory or Tower")
  }
  return yield* Draft.finish(draft, environmentName)
})
