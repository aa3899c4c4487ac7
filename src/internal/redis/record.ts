/**
 * A session as the hash that scripts.ts describes: written as a list of fields and values, read from one.
 */
import type { Corrupt, Data, Expiry, NewSession, Owner, StoredSession } from "../../SessionBackend.js"

/** The clock of `now` differs between processes, and may be set back: Redis removes a record only when it is long over. */
const slackMillis = 60 * 60 * 1000

/** Relative, in milliseconds, for clean-up only; a whole number that PEXPIRE takes. */
export const ttl = (millis: number): string =>
  String(Math.min(Math.max(Math.ceil(millis), 0) + slackMillis, Number.MAX_SAFE_INTEGER))

export const dataField = (key: string): string => `d:${key}`

/** Everything that a refresh replaces; the scripts take it as one piece. */
export const times = (expiry: Expiry): string =>
  `${expiry.expiresAt} ${expiry.createdAt} ${expiry.refreshedAt} ${expiry.idleMillis} ${expiry.persistent ? 1 : 0}${
    expiry.own ? 1 : 0
  }`

const octets = (data: Data): number => {
  let total = 0
  for (const [key, text] of data) total += Buffer.byteLength(key) + Buffer.byteLength(text)
  return total
}

/** JSON keeps every string apart: in bare UTF-8 two different lone surrogates are the same. */
export const subjectText = (subject: string): string => JSON.stringify(subject)

/** What the script `insert` takes. */
export const insertArguments = (session: NewSession, now: number): Array<string> => {
  const { data, owner } = session
  const args = [String(now), ttl(session.expiresAt - now), "s", `1 1 ${octets(data)} ${times(session)}`]
  if (owner !== undefined) {
    const about = JSON.stringify([owner.authenticatedAt, owner.userAgent ?? null, owner.address ?? null])
    args.push("o", subjectText(owner.subject), "a", about)
  }
  for (const [key, text] of data) args.push(dataField(key), text)
  return args
}

/** `<expiresAt> <createdAt> <refreshedAt> <idleMillis> <flags>`, from a position in the text on. */
export const readTimes = (text: string, from: number): Expiry | undefined => {
  const parts = text.slice(from).split(" ")
  if (parts.length !== 5) return undefined
  const expiresAt = number(parts[0])
  const createdAt = number(parts[1])
  const refreshedAt = number(parts[2])
  const idleMillis = number(parts[3])
  const flags = parts[4]
  return Number.isFinite(expiresAt + createdAt + refreshedAt + idleMillis) && /^[01][01]$/.test(flags)
    ? {
      createdAt,
      refreshedAt,
      expiresAt,
      idleMillis,
      persistent: flags.charCodeAt(0) === 0x31,
      own: flags.charCodeAt(1) === 0x31
    }
    : undefined
}

/** `Number("")` is 0. */
const number = (text: string): number => text === "" ? NaN : Number(text)

const corrupt = (detail: string): Corrupt => ({ _tag: "Corrupt", newerFormat: false, detail })

/**
 * What a state says. `Gone`: expired, or a tombstone.
 */
type State =
  | { readonly _tag: "Live"; readonly version: number; readonly expiry: Expiry }
  | { readonly _tag: "Gone" }
  | Corrupt

const gone: State = { _tag: "Gone" }

export const readState = (state: string, now: number): State => {
  if (state === "0") return gone
  const format = Number(/^\d+(?= )/.exec(state)?.[0])
  if (format > 1) return { _tag: "Corrupt", newerFormat: true, detail: `the record has format ${format}` }
  const head = /^1 ([1-9]\d*) \d+ /.exec(state)
  const expiry = head === null ? undefined : readTimes(state, head[0].length)
  if (head === null || expiry === undefined) return corrupt("the record's state cannot be read")
  return expiry.expiresAt <= now ? gone : { _tag: "Live", version: Number(head[1]), expiry }
}

/** The record in a reply to HGETALL, or what stands in its place; undefined when it is missing. */
export const read = (reply: unknown, now: number): StoredSession | Corrupt | undefined => {
  const list = flat(reply)
  if (list.length === 0) return undefined
  const data = new Map<string, string>()
  let text: string | undefined
  let subject: string | undefined
  let about: string | undefined
  for (let i = 0; i < list.length; i += 2) {
    const field = list[i]
    if (field.charCodeAt(1) === 0x3a && field.charCodeAt(0) === 0x64) data.set(field.slice(2), list[i + 1])
    else if (field === "s") text = list[i + 1]
    else if (field === "o") subject = list[i + 1]
    else if (field === "a") about = list[i + 1]
  }
  if (text === undefined) return corrupt("the record has no state")
  const state = readState(text, now)
  if (state._tag === "Gone") return undefined
  if (state._tag === "Corrupt") return state
  const owner = readOwner(subject, about)
  if (owner === null) return corrupt("the record's owner cannot be read")
  return { ...state.expiry, version: state.version, data, owner }
}

/** null when it cannot be read. */
const readOwner = (subject: string | undefined, about: string | undefined): Owner | undefined | null => {
  if (subject === undefined && about === undefined) return undefined
  try {
    const name: unknown = JSON.parse(subject ?? "")
    const facts: unknown = JSON.parse(about ?? "")
    if (typeof name !== "string" || !Array.isArray(facts)) return null
    const [authenticatedAt, userAgent, address] = facts as ReadonlyArray<unknown>
    return typeof authenticatedAt === "number" && isText(userAgent) && isText(address)
      ? { subject: name, authenticatedAt, userAgent: userAgent ?? undefined, address: address ?? undefined }
      : null
  } catch {
    return null
  }
}

const isText = (value: unknown): value is string | null => value === null || typeof value === "string"

/** A map reply is flat, or an object under ioredis 6's `replyMapping: "resp3"`, where a field is an own property. */
export const flat = (reply: unknown): ReadonlyArray<string> =>
  Array.isArray(reply)
    ? reply as ReadonlyArray<string> // HGETALL answers bulk strings, and `call` decodes them
    : Object.entries(reply as Record<string, string>).flat() // likewise; null throws, and the caller answers for it
