/**
 * A session as the hash that scripts.ts describes: written as fields and values, and read from the reply to HGETALL.
 *
 * Reading is on the path of every request. Replies are taken as buffers, and each is decoded once. The state is read digit by
 * digit, because regular expressions and `split` would cost as much as the command itself.
 */
import type {
  Corrupt,
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  Renewed,
  StoredSession,
  Successor
} from "../../SessionBackend.js"
import { totalBytes } from "../codec/packedData.js"

/** Clocks differ between processes and may be set back. Therefore Redis removes a record only long after its end. */
const slackMillis = 60 * 60 * 1000

/** The time to live in milliseconds as a whole number, which PEXPIRE takes. It is for clean-up only. */
export const ttl = (millis: number): string =>
  String(Math.min(Math.max(Math.ceil(millis), 0) + slackMillis, Number.MAX_SAFE_INTEGER))

export const dataField = (key: string): string => `d:${key}`

/** The times as one text. A refresh replaces all of it, and the scripts take it as one piece. */
export const times = (expiry: Expiry): string =>
  `${expiry.expiresAt} ${expiry.createdAt} ${expiry.refreshedAt} ${expiry.idleMillis} ${expiry.persistent ? 1 : 0}${
    expiry.own ? 1 : 0
  }`

/** A subject as JSON, which keeps all strings apart: in bare UTF-8 two different lone surrogates are the same. */
export const subjectText = (subject: string): string => JSON.stringify(subject)

/** The arguments of the script `insert`. */
export const insertArguments = (session: NewSession, now: number): Array<string> => {
  const { data, owner } = session
  const args = [`${now} ${ttl(session.expiresAt - now)}`, "s", `1 1 ${totalBytes(data)} ${times(session)}`]
  if (owner !== undefined) {
    const about = JSON.stringify([owner.authenticatedAt, owner.userAgent ?? null, owner.address ?? null])
    args.push("o", subjectText(owner.subject), "a", about)
  }
  for (const [key, text] of data) args.push(dataField(key), text)
  return args
}

/** Reads the numbers between single spaces from a position on; undefined unless there are `count` of them. */
const readNumbers = (text: string, from: number, count: number): ReadonlyArray<number> | undefined => {
  const numbers: Array<number> = []
  let number = 0
  let start = from
  let plain = true
  for (let i = from; i <= text.length; i++) {
    const code = i === text.length ? 0x20 : text.charCodeAt(i)
    if (code === 0x20) {
      if (i === start) return undefined
      // a number with a sign, fraction or exponent, or with too many digits to be added up exactly
      if (!plain || i - start > 15) number = Number(text.slice(start, i))
      if (!Number.isFinite(number)) return undefined
      numbers.push(number)
      number = 0
      start = i + 1
      plain = true
    } else if (code >= 0x30 && code <= 0x39) number = number * 10 + (code - 0x30)
    else plain = false
  }
  return numbers.length === count ? numbers : undefined
}

/** The last five numbers of a text are expiresAt, createdAt, refreshedAt, idleMillis, and both flags read as one number. */
const toExpiry = (text: string, numbers: ReadonlyArray<number>): Expiry | undefined => {
  const from = numbers.length - 5
  const flags = numbers[from + 4]
  const twoDigits = text.charCodeAt(text.length - 3) === 0x20
  return twoDigits && (flags === 0 || flags === 1 || flags === 10 || flags === 11)
    ? {
      createdAt: numbers[from + 1],
      refreshedAt: numbers[from + 2],
      expiresAt: numbers[from],
      idleMillis: numbers[from + 3],
      persistent: flags >= 10,
      own: flags % 10 === 1
    }
    : undefined
}

/** Reads `<version> <times>` from a position on, as the script `update` returns it. */
export const readVersionAndTimes = (
  text: string,
  from: number
): { readonly version: number; readonly expiry: Expiry } | undefined => {
  const numbers = readNumbers(text, from, 6)
  const expiry = numbers && toExpiry(text, numbers)
  return expiry && { version: numbers![0], expiry } // expiry is made of numbers
}

const markPattern = /^2 (\S+) (\S+) (\S+)$/

/** The state of a mark, and its time to live. */
export const markArguments = ({ expiresAt, id }: Successor, now: number): Array<string> => [
  `2 ${id} ${now} ${expiresAt}`,
  ttl(expiresAt - now)
]

/** What a state says of a renewal; undefined where it says nothing, or no longer. */
const readMark = (state: string, now: number): Renewed | undefined => {
  const [, successor, renewedAt, expiresAt] = markPattern.exec(state) ?? []
  return Number(expiresAt) > now ? { _tag: "Renewed", successor, renewedAt: Number(renewedAt) } : undefined
}

/** What the scripts answer of a mark: `N <successor> <renewedAt>`. */
export const readRenewed = (reply: string): Renewed => {
  const [, successor, renewedAt] = reply.split(" ")
  return { _tag: "Renewed", successor, renewedAt: Number(renewedAt) }
}

/** What a state says. `Expired` is so by this process's clock; another clock may be behind. `Gone` is a tombstone. */
type State =
  | { readonly _tag: "Live" | "Expired"; readonly version: number; readonly expiry: Expiry }
  | { readonly _tag: "Gone" }
  | Corrupt

const gone: State = { _tag: "Gone" }

const corrupt = (detail: string): Corrupt => ({ _tag: "Corrupt", newerFormat: false, detail })

export const readState = (state: string, now: number): State => {
  if (state === "0" || markPattern.test(state)) return gone
  const numbers = state.startsWith("1 ") ? readNumbers(state, 2, 7) : undefined
  const expiry = numbers && toExpiry(state, numbers)
  if (numbers === undefined || expiry === undefined || numbers[0] < 1) return whyNot(state)
  return { _tag: expiry.expiresAt <= now ? "Expired" : "Live", version: numbers[0], expiry }
}

const whyNot = (state: string): Corrupt => {
  const format = Number(/^[1-9]\d*(?= )/.exec(state)?.[0])
  return format > 1
    ? { _tag: "Corrupt", newerFormat: true, detail: `the record has format ${format}` }
    : corrupt("the record's state cannot be read")
}

/** Reads a record from the reply to HGETALL; undefined when it is missing. */
export const read = (reply: unknown, now: number): StoredSession | Corrupt | Renewed | undefined => {
  const list = flat(reply)
  if (list.length === 0) return undefined
  const data = new Map<string, string>()
  let text: string | undefined
  let subject: string | undefined
  let about: string | undefined
  for (let i = 0; i < list.length; i += 2) {
    const field = list[i]
    const value = list[i + 1]
    if (field.length > 1) {
      // `d:` marks a value. Any other field is foreign, or was written by a later version.
      if (field[0] === 0x64 && field[1] === 0x3a) data.set(field.toString("utf8", 2), value.toString())
    } else if (field[0] === 0x73) text = value.toString("latin1")
    else if (field[0] === 0x6f) subject = value.toString()
    else if (field[0] === 0x61) about = value.toString()
  }
  if (text === undefined) return corrupt("the record has no state")
  const state = readState(text, now)
  if (state._tag === "Gone" && text !== "0") return readMark(text, now)
  if (state._tag === "Gone" || state._tag === "Expired") return undefined
  if (state._tag === "Corrupt") return state
  const owner = readOwner(subject, about)
  if (owner === null) return corrupt("the record's owner cannot be read")
  return { data, owner, version: state.version, ...state.expiry }
}

/** Reads a record without its data, from its state and its fields `o` and `a`; undefined when they cannot be read. */
export const listed = (
  state: State & { readonly _tag: "Live" | "Expired" },
  subject: string | null,
  about: string | null
): ListedSession | undefined => {
  const owner = readOwner(subject ?? undefined, about ?? undefined)
  return owner === null ? undefined : { owner, version: state.version, ...state.expiry }
}

/** Reads the owner from the fields `o` and `a`; null when it cannot be read. */
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

/**
 * The reply to HGETALL as a list of fields and values. `hgetallBuffer`, and ioredis 6 with `replyMapping: "resp3"`, give an
 * object instead, with the fields as its own properties.
 */
export const flat = (reply: unknown): ReadonlyArray<Buffer> => {
  // HGETALL gives bulk strings, which `callBuffer` leaves as they are. Null throws, which the caller catches.
  if (Array.isArray(reply)) return reply as ReadonlyArray<Buffer>
  const list: Array<Buffer> = []
  for (const [field, value] of Object.entries(reply as Record<string, Buffer>)) list.push(Buffer.from(field), value)
  return list
}
