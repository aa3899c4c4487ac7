/**
 * Decodes the block `request_context` (row F1) from JSON-like data. Not by a schema: a schema's messages print the
 * value that they refuse, and this block holds a key.
 */
import * as Effect from "effect/Effect"
import type { SessionConfigError } from "../../SessionError.js"
import * as Draft from "./declared.js"
import { fieldEntries, fileName, readField } from "./fields.js"
import type { FileConfig } from "./model.js"

const blockName = "request_context"
const nestedPath = `server.middlewares.${blockName}`

/** Keys and values of a JSON object or of a YAML mapping; a property that is undefined is not there. */
const mappingOf = (value: unknown): ReadonlyMap<unknown, unknown> | undefined => {
  if (value instanceof Map) return value
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return undefined
  return new Map(Object.entries(value).filter(([, property]) => property !== undefined))
}

/**
 * Only what looks like a name of ours is repeated: a key, a secret or a template of one may stand where a name belongs. The
 * shortest secret has 32 characters, and what is generated has digits.
 */
const isPlainName = (key: unknown): key is string => typeof key === "string" && /^[a-z_]{1,24}$/i.test(key)

interface Block {
  readonly get: (key: string) => unknown
  readonly path: (key: string) => string
}

/** The mapping at a path, with every key that has no meaning there reported; undefined when it is no mapping. */
const openBlock = (
  value: unknown,
  path: string,
  accepted: ReadonlyArray<string>,
  report: Draft.Report
): Block | undefined => {
  const map = mappingOf(value)
  if (map === undefined) {
    report(path, `must be a mapping with ${accepted.join(", ")}`)
    return undefined
  }
  for (const key of map.keys()) {
    if (accepted.includes(key as string)) continue
    const where = isPlainName(key) ? `${path}.${key}` : path
    report(where, `${isPlainName(key) ? "unknown key" : "has an unknown key"}; accepted: ${accepted.join(", ")}`)
  }
  return {
    get: (key) => map.get(key),
    path: (key) => `${path}.${key}`
  }
}

/** One property, where there is one; those beside it are not even read. */
const propertyOf = (value: unknown, key: string): unknown => {
  if (value instanceof Map) return value.get(key)
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key] // sound: an own property of it
    : undefined
}

/** Where the block stands: at the top level, under `server.middlewares`, or, which is a mistake, at both. */
export const locate = (value: unknown): ReadonlyArray<readonly [path: string, block: unknown]> => {
  const places = [
    [blockName, propertyOf(value, blockName)],
    [nestedPath, propertyOf(propertyOf(propertyOf(value, "server"), "middlewares"), blockName)]
  ] as const
  return places.filter(([, block]) => block !== undefined)
}

export const decode = (
  blocks: ReadonlyArray<readonly [path: string, block: unknown]>
): Effect.Effect<FileConfig, SessionConfigError> =>
  Effect.suspend(() => {
    const draft = Draft.make()
    if (blocks.length === 0) {
      draft.report(blockName, "is missing: it stands at the top level or under server.middlewares")
    }
    if (blocks.length > 1) {
      draft.report(blockName, "is there twice, at the top level and under server.middlewares: keep one of them")
    }
    for (const [path, block] of blocks) {
      try {
        decodeBlock(block, path, draft)
      } catch {
        draft.report(path, "cannot be read") // a getter or a proxy that throws; what it throws may hold anything
      }
    }
    return Draft.finish(draft, (option) => {
      const path = blocks[0]?.[0] ?? blockName
      return option === "enable" ? `${path}.enable` : `${path}.session_config.${fileName(option)}`
    })
  })

const optionNames = fieldEntries.map(([option]) => fileName(option))

const decodeBlock = (value: unknown, path: string, draft: Draft.Draft): void => {
  const block = openBlock(value, path, ["enable", "session_config", "session_store"], draft.report)
  if (block === undefined) return

  const enable = readField("flag", block.get("enable") ?? true)
  if ("expected" in enable || block.get("enable") === null) draft.report(block.path("enable"), "must be true or false")
  else draft.set("enable", enable.value)

  const config = block.get("session_config")
  if (config !== undefined) decodeOptions(config, block.path("session_config"), draft)

  const store = block.get("session_store")
  if (store !== undefined) decodeStore(store, block.path("session_store"), draft)
  else if (block.get("enable") === false) draft.store = Draft.unusedStore
  else draft.report(block.path("session_store"), "is missing: a mapping whose type is Cookie, Memory or Tower")
}

const decodeOptions = (value: unknown, path: string, draft: Draft.Draft): void => {
  const config = openBlock(value, path, optionNames, draft.report)
  if (config === undefined) return
  for (const [option, kind] of fieldEntries) {
    const name = fileName(option)
    let given = config.get(name)
    let at = config.path(name)
    if (given === undefined) continue
    if (kind === "sameSite") {
      const block = openBlock(given, at, ["type"], draft.report)
      if (block === undefined) continue
      given = block.get("type")
      at = block.path("type")
    }
    const read = readField(kind, given)
    if ("value" in read) draft.set(option, read.value)
    else draft.report(at, given === null ? `${read.expected}; leave the key out for the default` : read.expected)
  }
}

const decodeStore = (value: unknown, path: string, draft: Draft.Draft): void => {
  const store = openBlock(value, path, ["type", "value"], draft.report)
  if (store === undefined) return
  const inner = store.get("value")
  const at = store.path("value")
  switch (store.get("type")) {
    case "Cookie":
      return decodeCookieStore(inner, at, draft)
    case "Memory":
      return decodeMemoryStore(inner, at, draft)
    case "Tower":
      draft.store = { type: "Tower" }
      if (inner !== undefined) draft.report(at, "must not be there: the app provides the store that Tower stands for")
      return
    default:
      draft.report(store.path("type"), "must be Cookie, Memory or Tower")
  }
}

const decodeCookieStore = (value: unknown, path: string, draft: Draft.Draft): void => {
  const cookie: Draft.CookieStore = {
    type: "Cookie",
    path,
    keyPath: `${path}.private_key`,
    secretName: "secret",
    keys: [],
    audience: undefined
  }
  draft.store = cookie
  if (value === undefined) return // `finish` reports the missing key
  const accepted = ["private_key", "secret", "previous_keys", "previous_secrets", "audience"]
  const block = openBlock(value, path, accepted, draft.report)
  if (block === undefined) {
    draft.store = undefined
    return
  }
  const key = (form: Draft.KeyForm, material: unknown, at: string, previous: boolean) => {
    cookie.keys.push({ form, path: at, previous, material: readKey(material, at, draft.report) })
  }
  const list = (form: Draft.KeyForm, name: string) => {
    const given = block.get(name)
    if (given === undefined) return
    if (!Array.isArray(given)) return draft.report(block.path(name), "must be a list of keys")
    given.forEach((material: unknown, index) => key(form, material, `${block.path(name)}[${index}]`, true))
  }
  if (block.get("private_key") !== undefined) key("key", block.get("private_key"), block.path("private_key"), false)
  if (block.get("secret") !== undefined) key("secret", block.get("secret"), block.path("secret"), false)
  list("key", "previous_keys")
  list("secret", "previous_secrets")
  const audience = block.get("audience")
  if (typeof audience === "string") cookie.audience = audience
  else if (audience !== undefined) draft.report(block.path("audience"), "must be text")
}

const decodeMemoryStore = (value: unknown, path: string, draft: Draft.Draft): void => {
  const block = value === undefined ? undefined : openBlock(value, path, ["max_sessions", "max_bytes"], draft.report)
  draft.store = {
    type: "Memory",
    maxSessions: block?.get("max_sessions"),
    maxBytes: block?.get("max_bytes"),
    pathOf: (bound) => `${path}.${fileName(bound)}`
  }
}

/** The material of a key, or undefined with its mistake reported; nothing of the value is repeated. */
const readKey = (value: unknown, path: string, report: Draft.Report): string | Uint8Array | undefined => {
  if (typeof value === "string") {
    const problem = Draft.placeholderProblem(value)
    if (problem === undefined) return value
    report(path, problem)
    return undefined
  }
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) {
    const wrong = value.flatMap((byte, index) => Number.isInteger(byte) && byte >= 0 && byte <= 255 ? [] : [index])
    if (wrong.length === 0) return Uint8Array.from(value)
    const more = wrong.length > 8 ? ` and ${wrong.length - 8} more` : ""
    report(path, `must have integers from 0 to 255 only; entry ${wrong.slice(0, 8).join(", ")}${more} is none`)
    return undefined
  }
  report(
    path,
    mappingOf(value) === undefined
      ? "must be text (in quotes) or a list of integers from 0 to 255"
      // YAML reads a template in braces without quotes as a mapping.
      : "must be text or a list of integers from 0 to 255, and is a mapping: is it a template that nothing expanded?"
  )
  return undefined
}
