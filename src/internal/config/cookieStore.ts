/**
 * Decodes what stands under the Cookie store: its keys, each with its task, and its audience (rows F1, K8).
 *
 * The key that seals comes first. The next key and the previous keys only open, and a previous key may have a last day.
 */
import * as Schema from "effect/Schema"
import * as KeyRing from "../../KeyRing.js"
import { ending, maxKeys } from "../cookie/keyMaterial.js"
import * as LastDay from "../cookie/lastDay.js"
import { privateKey, secret } from "./keys.js"
import { decode, expects, mapping, type Mistake, partial, propertyOf } from "./mistakes.js"
import type { FileConfig } from "./model.js"

const CookieValue = mapping(partial({
  private_key: privateKey,
  secret,
  next_key: privateKey,
  next_secret: secret,
  previous_keys: Schema.Array(privateKey).annotations(expects("a list of keys")),
  previous_secrets: Schema.Array(secret).annotations(expects("a list of secrets")),
  audience: Schema.String.annotations(expects("text"))
}))

const isGiven = (key: unknown) => key !== undefined

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

const onlyPrevious =
  "must be left out: a key that seals has no last day, because every session that it has sealed would end with it. Only "
  + "an entry of previous_keys or previous_secrets has one"

/** A previous key as it stands in the list: the key itself, or a mapping of the key and its last day. */
interface Entry {
  readonly key: unknown
  readonly endsAt: number | undefined
}

const entryOf = (entry: unknown, name: string, path: string, mistakes: Array<Mistake>): Entry => {
  if (!isMapping(entry) || !(Object.hasOwn(entry, name) || Object.hasOwn(entry, "last_day"))) {
    return { key: entry, endsAt: undefined }
  }
  const { last_day: day, [name]: key, ...others } = entry
  if (Object.keys(others).length > 0) {
    mistakes.push({ path, message: `has an unknown key; accepted: ${name}, last_day` })
  }
  const endsAt = day === undefined ? undefined : LastDay.endOf(day)
  if (day !== undefined && endsAt === undefined) {
    mistakes.push({ path: `${path}.last_day`, message: LastDay.accepted })
  } else if (!isGiven(key)) {
    mistakes.push({
      path: `${path}.last_day`,
      message: `is the last day of a key that is not there: ${name} is missing`
    })
  }
  return { key, endsAt }
}

/** The lists of previous keys, which are taken apart before their keys are decoded. */
const previousNames = [["previous_keys", "private_key"], ["previous_secrets", "secret"]] as const

/** The keys that seal, now or next. */
const sealingNames = ["private_key", "secret", "next_key", "next_secret"] as const

export const decodeCookieStore = (
  value: unknown,
  path: string,
  mistakes: Array<Mistake>
): FileConfig["store"] | undefined => {
  const ends = new Map<string, ReadonlyArray<number | undefined>>()
  const decoded = decode(CookieValue, isMapping(value) ? plain(value, path, ends, mistakes) : value, path, mistakes)
  if (decoded === undefined) return undefined
  const check = (holds: boolean, path: string, message: string): void => {
    if (!holds) mistakes.push({ path, message })
  }
  // Keys that are wrong count as well, so that no mistake hides another.
  const given = (...names: ReadonlyArray<string>) => names.map((name) => propertyOf(value, name)).filter(isGiven)
  const current = given("private_key", "secret").length
  const next = given("next_key", "next_secret").length
  const all = current + next + given("previous_keys", "previous_secrets").flat().filter(isGiven).length
  const needed = "is missing: the Cookie store needs a key of at least 64 bytes, or a secret of at least 32 bytes"
  check(current >= 1, `${path}.private_key`, needed)
  check(current <= 1, `${path}.private_key`, "is given together with a secret; keep one of them")
  check(next <= 1, `${path}.next_key`, "is given together with next_secret; keep one of them")
  check(all <= maxKeys, path, `has ${all} keys; at most ${maxKeys} are accepted`)
  if (mistakes.length > 0) return undefined
  const { audience, next_key, next_secret, private_key, secret } = decoded
  const previous = previousNames.flatMap(([name]) =>
    (decoded[name] ?? []).map((ring, index) => {
      const end = ends.get(name)?.[index]
      return ring === undefined || end === undefined ? ring : ending(ring, end)
    })
  )
  // The current key comes first, so that it is the one that seals.
  const rings = [private_key, secret, next_key, next_secret, ...previous].flatMap((ring) => ring ?? [])
  return { type: "Cookie", keys: rings.reduce((ring, other) => KeyRing.withPrevious(ring, other)), audience }
}

/** The value with bare keys in its lists; the last days go to `ends`, under the name of the list. */
const plain = (
  value: Readonly<Record<string, unknown>>,
  path: string,
  ends: Map<string, ReadonlyArray<number | undefined>>,
  mistakes: Array<Mistake>
): Readonly<Record<string, unknown>> => {
  const { last_day, ...keys }: Record<string, unknown> = value
  const refuse = (path: string) => mistakes.push({ path, message: onlyPrevious })
  if (last_day !== undefined) refuse(`${path}.last_day`)
  for (const name of sealingNames) {
    const key = keys[name]
    if (!isMapping(key) || !Object.hasOwn(key, "last_day")) continue
    refuse(`${path}.${name}.last_day`)
    delete keys[name]
  }
  for (const [list, name] of previousNames) {
    const entries = keys[list]
    if (!Array.isArray(entries)) continue
    const taken = entries.map((entry, index) => entryOf(entry, name, `${path}.${list}[${index}]`, mistakes))
    ends.set(list, taken.map(({ endsAt }) => endsAt))
    keys[list] = taken.map(({ key }) => key)
  }
  return keys
}
