/**
 * The text inside a sealed session. Beside the data it holds the session's audience, id and times, so that the server can
 * enforce the expiry of something that only the client keeps.
 *
 * The text is `es1"<audience>"<sid><created><refreshed><own><idle><data>`: the format and its version, the audience as a JSON
 * string in ASCII (its end is marked, and no two audiences are written in the same way), 22 characters of sid, two instants and
 * a length in base 36, all of fixed width, and the data as `pack` writes it. The size of the text is therefore known before
 * sealing: it is the sum of a part that is fixed for an audience and of what each entry adds.
 */
import type { Data, Expiry, Owner } from "../../SessionBackend.js"
import { pack, unpack } from "../codec/packedData.js"
import type { ForeignReason } from "../store/event.js"
import { maxLifeMillis, type OwnExpiry } from "../store/expiry.js"

/** The format and its version, which a later format counts up. */
const format = "es1"
const ownedFormat = "es2"
const anyVersion = /^es[1-9]\d*"/

const sidLength = 22
/** Nine digits of base 36 hold milliseconds until the year 5188. */
const timeLength = 9
const maxTime = 36 ** timeLength - 1
/** Seven digits hold 400 days, the longest life of a cookie. */
const idleLength = 7

/** The mark in front of an expiry of the session's own: there is none, it outlives the browser, or it ends with the browser. */
const noOwn = "-"
const ownPersistent = "p"
const ownBrowser = "b"

const fixedBytes = sidLength + 2 * timeLength + 1 + idleLength

/** Three digits: a subject that needs more does not fit into a cookie. */
const subjectLength = 3
const maxSubject = 36 ** subjectLength - 1

/**
 * Whose session it is. `boundAt` decides which revocations concern the session: it is the time of the sign-in, or, if the
 * subject's older sessions had been ended by a clock that was ahead, the first instant after those.
 */
export interface SealedOwner extends Owner {
  readonly boundAt: number
}

/** Everything before the sid. It is never parsed: a text that begins otherwise was not written for this audience. */
export interface Prefix {
  readonly anonymous: string
  readonly owned: string
}

export const prefix = (audience: string): Prefix => {
  const ascii = JSON.stringify(audience).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  return { anonymous: format + ascii, owned: ownedFormat + ascii }
}

/** The bytes of a payload without data. Each entry of the data adds its `packedBytes`. */
export const overhead = ({ anonymous }: Prefix, owner?: Owner): number =>
  anonymous.length + fixedBytes
  + (owner === undefined ? 0 : 2 * timeLength + subjectLength + Buffer.byteLength(JSON.stringify(owner.subject)))

const lowLength = 5
const low = 36 ** lowLength

/** Writes the number in two parts, because integers of up to 31 bits are written much faster than larger ones. */
const base36 = (n: number, width: number): string => {
  const high = Math.floor(n / low)
  return high.toString(36).padStart(width - lowLength, "0") + (n - high * low).toString(36).padStart(lowLength, "0")
}

/** An instant that does not fit the width cannot be the time of a session. The nearest one that fits is written instead. */
const instant = (millis: number): string => base36(Math.min(Math.max(Math.trunc(millis), 0), maxTime), timeLength)

const own = (expiry: Expiry): string =>
  expiry.own
    ? (expiry.persistent ? ownPersistent : ownBrowser)
      + base36(Math.min(Math.max(Math.trunc(expiry.idleMillis), 0), maxLifeMillis), idleLength)
    : noOwn + "0".repeat(idleLength)

const owned = ({ authenticatedAt, boundAt, subject }: SealedOwner): string => {
  const json = JSON.stringify(subject)
  return instant(authenticatedAt) + instant(boundAt)
    + Math.min(json.length, maxSubject).toString(36).padStart(subjectLength, "0") + json
}

/** The text to seal. */
export const encode = (
  { anonymous, owned: withOwner }: Prefix,
  sid: string,
  expiry: Expiry,
  data: Data,
  owner?: SealedOwner
): string =>
  (owner === undefined ? anonymous : withOwner) + sid + instant(expiry.createdAt) + instant(expiry.refreshedAt)
  + own(expiry) + (owner === undefined ? "" : owned(owner)) + pack(data)

/**
 * - `Foreign`: authentic, but not a session of this store. `warning` says what it is and holds nothing of its content.
 */
export type Decoded =
  | {
    readonly _tag: "Ours"
    readonly sid: string
    readonly createdAt: number
    readonly refreshedAt: number
    readonly own: OwnExpiry | undefined
    readonly owner: SealedOwner | undefined
    readonly data: Data
  }
  | { readonly _tag: "Foreign"; readonly reason: ForeignReason; readonly warning: string }

const foreign = (reason: ForeignReason, is: string): Decoded => ({
  _tag: "Foreign",
  reason,
  warning: `an authentic session cookie was read as empty: ${is}`
})

const otherFormat = foreign(
  "Format",
  "its content is not a session of this library (another service seals a cookie of this name)"
)
const otherVersion = foreign("Version", "its format is of another version of this library")
const otherAudience = foreign("Audience", "it was sealed for another audience")
const damaged = foreign("Damaged", "its content is damaged")

const needsRevocation = foreign(
  "Version",
  "somebody has signed in with it, and this store cannot tell whether it was revoked"
)

/**
 * Reads an authentic text; undefined stands for bytes that are not text. Never throws. `signsIn` says that sessions of
 * subjects are opened, too.
 */
export const decode = (prefix: Prefix, text: string | undefined, signsIn: boolean): Decoded => {
  if (text === undefined) return otherFormat
  if (text.startsWith(prefix.anonymous)) return read(text, prefix.anonymous.length, false)
  if (text.startsWith(prefix.owned)) return signsIn ? read(text, prefix.owned.length, true) : needsRevocation
  if (text.startsWith(`${format}"`) || text.startsWith(`${ownedFormat}"`)) return otherAudience
  return anyVersion.test(text) ? otherVersion : otherFormat
}

const read = (text: string, sidFrom: number, isOwned: boolean): Decoded => {
  const createdFrom = sidFrom + sidLength
  const refreshedFrom = createdFrom + timeLength
  const ownFrom = refreshedFrom + timeLength
  const idleFrom = ownFrom + 1
  const idleTo = idleFrom + idleLength
  const sid = text.slice(sidFrom, createdFrom)
  const createdAt = number(text, createdFrom, refreshedFrom)
  const refreshedAt = number(text, refreshedFrom, ownFrom)
  const own = text.charAt(ownFrom)
  const idleMillis = number(text, idleFrom, idleTo)
  if (Number.isNaN(createdAt + refreshedAt + idleMillis) || !sidPattern.test(sid)) return damaged
  if (own !== noOwn && own !== ownPersistent && own !== ownBrowser) return damaged
  const owner = isOwned ? readOwner(text, idleTo) : undefined
  if (isOwned && owner === undefined) return damaged
  const data = unpack(text, owner === undefined ? idleTo : owner.end)
  if (data === undefined) return damaged
  return {
    _tag: "Ours",
    sid,
    createdAt,
    refreshedAt,
    own: own === noOwn ? undefined : { idleMillis, persistent: own === ownPersistent },
    owner: owner?.value,
    data
  }
}

const readOwner = (text: string, from: number): { readonly value: SealedOwner; readonly end: number } | undefined => {
  const boundFrom = from + timeLength
  const lengthFrom = boundFrom + timeLength
  const subjectFrom = lengthFrom + subjectLength
  const authenticatedAt = number(text, from, boundFrom)
  const boundAt = number(text, boundFrom, lengthFrom)
  const end = subjectFrom + number(text, lengthFrom, subjectFrom)
  if (Number.isNaN(authenticatedAt + boundAt + end)) return undefined
  const subject = parseText(text.slice(subjectFrom, end))
  return subject === undefined
    ? undefined
    : { value: { subject, authenticatedAt, userAgent: undefined, address: undefined, boundAt }, end }
}

const parseText = (json: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === "string" ? value : undefined
  } catch {
    return undefined
  }
}

const sidPattern = /^[\w-]{22}$/

/** A number in base 36 with lower-case digits; NaN for anything else, and where the text ends too soon. */
const number = (text: string, from: number, to: number): number => {
  let n = 0
  for (let i = from; i < to; i++) {
    const unit = text.charCodeAt(i)
    const digit = unit >= 0x30 && unit <= 0x39 ? unit - 0x30 : unit >= 0x61 && unit <= 0x7a ? unit - 0x57 : NaN
    n = n * 36 + digit
  }
  return n
}
