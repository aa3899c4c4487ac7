/**
 * Decodes the block `request_context` (row F1) from JSON-like data: of a file, or made from the environment.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SessionConfigError } from "../../SessionError.js"
import type { SessionConfigOptions } from "../store/options.js"
import { decodeCookieStore } from "./cookieStore.js"
import { fields, fileName, sameSite, storeType } from "./fields.js"
import { memoryBounds } from "./memoryBounds.js"
import { configError, decode, expects, mapped, mapping, type Mistake, partial, propertyOf } from "./mistakes.js"
import type { FileConfig } from "./model.js"
import { flag, resolveOptions } from "./resolveOptions.js"

// ── the schemas of the block ──

const Block = mapping(partial({ enable: flag, session_config: Schema.Unknown, session_store: Schema.Unknown }))

const SameSite = mapped(
  mapping(Schema.Struct({ type: sameSite }).annotations(expects("a mapping with a type: Lax, Strict or None"))),
  ({ type }) => type
)

const Options = mapping(partial(Object.fromEntries(
  Object.entries({ ...fields, sameSite: SameSite }).map(([option, schema]) => [fileName(option), schema])
)))

const Store = mapping(
  Schema.Struct({ type: storeType, value: Schema.Unknown })
    .annotations(expects("a mapping with a type (Cookie, Memory or Tower) and its value"))
)

// ── the block in a file ──

/** The block stands at the top level or under `server.middlewares`; what stands beside it is not ours to judge. */
export const decodeFile = (root: unknown): Either.Either<FileConfig, SessionConfigError> => {
  const refuse = (message: string, mistakes: ReadonlyArray<Mistake> = []) =>
    Either.left(configError([{ path: "request_context", message }, ...mistakes]))
  try {
    const decoded = [[], ["server", "middlewares"]].flatMap((parents) => {
      const keys = [...parents, "request_context"]
      const block = keys.reduce(propertyOf, root)
      const path = keys.join(".")
      return block === undefined ? [] : [decodeBlock(block, (inner) => inner === "" ? path : `${path}.${inner}`)]
    })
    if (decoded.length === 1) return decoded[0]
    return decoded.length === 0
      ? refuse("is missing: it must stand at the top level or under server.middlewares")
      : refuse(
        "is there twice, at the top level and under server.middlewares; keep one of them",
        decoded.flatMap((each) => Option.toArray(Either.getLeft(each))).flatMap(({ mistakes }) => mistakes)
      )
  } catch {
    // A getter or a proxy may throw, and what it throws may hold anything.
    return refuse("cannot be read: one of its properties throws an error")
  }
}

// ── the block ──

/** `placeOf` says where a place in the block is for the reader; `known` are the mistakes that were found before. */
export const decodeBlock = (
  value: unknown,
  placeOf: (path: string) => string,
  known: ReadonlyArray<Mistake> = []
): Either.Either<FileConfig, SessionConfigError> => {
  const mistakes: Array<Mistake> = []
  const { options = {}, store } = decodeParts(value, mistakes)
  const all = [...known, ...mistakes.map(({ message, path }) => ({ path: placeOf(path), message }))]
  return store !== undefined && all.length === 0 ? Either.right({ options, store }) : Either.left(configError(all))
}

const decodeParts = (
  value: unknown,
  mistakes: Array<Mistake>
): { readonly options?: SessionConfigOptions; readonly store?: FileConfig["store"] | undefined } => {
  const block = decode(Block, value, "", mistakes)
  if (block === undefined) return {}
  const { enable, session_config = {}, session_store } = block
  const declared = decode(Options, session_config, "session_config", mistakes) ?? {}
  // Sound: the values have passed the schemas of `fields`.
  const options = Object.fromEntries(
    Object.keys(fields).flatMap((option) => fileName(option) in declared ? [[option, declared[fileName(option)]]] : [])
  ) as SessionConfigOptions
  const { config, mistakes: inOptions } = resolveOptions(options)
  for (const { message, path } of inOptions) {
    mistakes.push({ path: `session_config.${fileName(path)}`, message })
  }
  return {
    options: enable === undefined ? options : { enable, ...options },
    store: session_store === undefined && enable === false
      // Sessions that are switched off call no store.
      ? { type: "Memory" }
      : decodeStore(session_store, config.maxSessionBytes, mistakes)
  }
}

const decodeStore = (
  block: unknown,
  maxSessionBytes: number,
  mistakes: Array<Mistake>
): FileConfig["store"] | undefined => {
  const path = "session_store.value"
  const { type, value } = decode(Store, block, "session_store", mistakes) ?? {}
  switch (type) {
    case undefined:
      return undefined
    case "Cookie":
      return decodeCookieStore(value === undefined ? {} : value, path, mistakes)
    case "Memory": {
      const { maxBytes, maxSessions } = memoryBounds(maxSessionBytes)
      const bounds = mapping(partial({ max_sessions: maxSessions, max_bytes: maxBytes }))
      const { max_bytes, max_sessions } = decode(bounds, value === undefined ? {} : value, path, mistakes) ?? {}
      return { type, maxSessions: max_sessions, maxBytes: max_bytes }
    }
    case "Tower":
      if (value !== undefined) {
        mistakes.push({ path, message: "must be left out, because the app provides the store that Tower stands for" })
      }
      return { type }
  }
}
