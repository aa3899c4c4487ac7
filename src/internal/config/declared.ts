/**
 * What a file or the environment declared, on its way to a `FileConfig`: collects mistakes until the end, so that all
 * of them are reported at once (row F3).
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as KeyRing from "../../KeyRing.js"
import { SessionConfigError } from "../../SessionError.js"
import type { DeclaredOption } from "./fields.js"
import { boundMistakes } from "./memoryBounds.js"
import type { FileConfig, SessionConfigOptions } from "./model.js"
import { type Mistake, resolveOptions } from "./resolveOptions.js"

export type Report = (path: string, message: string) => void

/** `key`: the key material itself; `secret`: what it is derived from. */
export type KeyForm = "key" | "secret"

/** `material` is undefined where the mistake is reported already. */
export interface DeclaredKey {
  readonly form: KeyForm
  readonly path: string
  readonly previous: boolean
  readonly material: string | Uint8Array | undefined
}

/** `path`: of the store's values; `keyPath`: where its key belongs; `secretName`: what may stand there instead. */
export interface CookieStore {
  readonly type: "Cookie"
  readonly path: string
  readonly keyPath: string
  readonly secretName: string
  readonly keys: Array<DeclaredKey>
  audience: string | undefined
}

/** The bounds as they were given, and where. */
export interface MemoryStore {
  readonly type: "Memory"
  readonly maxSessions: unknown
  readonly maxBytes: unknown
  readonly pathOf: (bound: string) => string
}

/** Switched off, no store is ever asked. */
export const unusedStore: MemoryStore = {
  type: "Memory",
  maxSessions: undefined,
  maxBytes: undefined,
  pathOf: (bound) => bound
}

export interface Draft {
  readonly report: Report
  readonly set: (option: DeclaredOption, value: unknown) => void
  readonly options: { [option in DeclaredOption]?: unknown }
  readonly mistakes: Array<Mistake>
  store: CookieStore | MemoryStore | { readonly type: "Tower" } | undefined
}

export const make = (): Draft => {
  const mistakes: Array<Mistake> = []
  const options: Draft["options"] = {}
  return {
    report: (path, message) => {
      mistakes.push({ path, message })
    },
    set: (option, value) => {
      options[option] = value
    },
    options,
    mistakes,
    store: undefined
  }
}

/** Row K4. */
const maxKeys = 8

/** The configuration, or every mistake: those reported on the way, those of the options, those of the keys. */
export const finish = (
  draft: Draft,
  pathOf: (option: string) => string
): Effect.Effect<FileConfig, SessionConfigError> =>
  Effect.gen(function*() {
    const { mistakes, report, store } = draft
    // Sound: `resolveOptions` checks every value at run time.
    const options = draft.options as SessionConfigOptions
    const resolved = resolveOptions(options, store?.type === "Cookie" ? "client" : "server")
    for (const { message, path } of resolved.mistakes) report(pathOf(path), message)
    let declared: FileConfig["store"] | undefined
    if (store?.type === "Tower") {
      declared = store
    } else if (store?.type === "Memory") {
      const wrong = boundMistakes(store, resolved.config.maxSessionBytes)
      for (const { message, path } of wrong) report(store.pathOf(path), message)
      // Sound: `boundMistakes` found numbers, or nothing.
      declared = { type: "Memory", maxSessions: store.maxSessions as number, maxBytes: store.maxBytes as number }
    } else if (store?.type === "Cookie") {
      const current = store.keys.filter((key) => !key.previous)
      if (current.length === 0) {
        report(store.keyPath, `is missing: the Cookie store needs a key of at least 64 bytes (or ${store.secretName})`)
      }
      if (current.length > 1) report(store.keyPath, `is there together with ${store.secretName}: keep one of them`)
      if (store.keys.length > maxKeys) {
        report(store.path, `has ${store.keys.length} keys: at most ${maxKeys} are accepted`)
      }
      // The current key comes first, so that it is the one that seals.
      const inOrder = [...current, ...store.keys.filter((key) => key.previous)]
      let ring: KeyRing.KeyRing | undefined
      for (const key of inOrder) {
        if (key.material === undefined) continue
        const made = yield* Effect.either(makeRing(key.form, key.material))
        if (Either.isLeft(made)) made.left.mistakes.forEach(({ message }) => report(key.path, message))
        else if (mistakes.length === 0) ring = ring === undefined ? made.right : KeyRing.withPrevious(ring, made.right)
      }
      if (ring !== undefined) declared = { type: "Cookie", keys: ring, audience: store.audience }
    }
    if (declared !== undefined && mistakes.length === 0) return { options, store: declared }
    const [first, ...rest] = mistakes
    return yield* new SessionConfigError({ mistakes: [first, ...rest] })
  })

const makeRing = (form: KeyForm, material: string | Uint8Array): Effect.Effect<KeyRing.KeyRing, SessionConfigError> =>
  form === "secret"
    ? KeyRing.derive(Redacted.make(material))
    : typeof material === "string"
    ? KeyRing.fromUtf8(Redacted.make(material))
    : KeyRing.fromBytes(Redacted.make(material))

/** `<…>` as a whole: a random text may well hold both; the other two are too long to come up by chance. */
const placeholders = [/^\s*<[\s\S]*>\s*$/, /\{\{[\s\S]*\}\}/, /\$\{[\s\S]*\}/]

/** Why a text is no key: what a template holds is public. */
export const placeholderProblem = (text: string): string | undefined =>
  placeholders.some((placeholder) => placeholder.test(text))
    ? "is a placeholder or a template that nothing expanded (<…>, {{…}}, ${…}): put a real key in its place"
    : undefined
