/**
 * The store that keeps everything inside the token: sealed on the client, nothing on the server.
 *
 * There is no I/O, so every effect of this store is done when it is made; no fiber, span or generator is on its path.
 * What follows from keeping nothing: an older seal reads again until it expires, parallel requests overwrite each
 * other, and a session cannot be ended anywhere but in its browser.
 */
import * as Effect from "effect/Effect"
import type { Data, Expiry, StoredSession } from "../../SessionBackend.js"
import { SessionTooLarge } from "../../SessionError.js"
import { applyPatch, packedOctets } from "../codec/packedData.js"
import * as random from "../codec/random.js"
import type { Empty, Found, Loaded, Save, Saved, SessionStoreService } from "../store/contract.js"
import * as expiry from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import { keyObjects, type KeyRing } from "./keyMaterial.js"
import * as payload from "./payload.js"
import * as privateJar from "./privateJar.js"

/** What browsers take of a cookie's name and value together (RFC 6265bis, 5.6: 4,096 octets). */
const limit = 4096

/**
 * A session with the id inside its seal. A plain property, so that it is still there on a copy of the session; a
 * session that was not opened here has none and gets a new one.
 */
class SealedSession implements StoredSession {
  readonly owner = undefined
  readonly createdAt: number
  readonly refreshedAt: number
  readonly expiresAt: number
  readonly idleMillis: number
  readonly persistent: boolean
  readonly own: boolean

  constructor(readonly sid: string, readonly data: Data, times: Expiry, readonly version: number) {
    this.createdAt = times.createdAt
    this.refreshedAt = times.refreshedAt
    this.expiresAt = times.expiresAt
    this.idleMillis = times.idleMillis
    this.persistent = times.persistent
    this.own = times.own
  }
}

const sidOf = (session: StoredSession): string | undefined =>
  "sid" in session ? (session as SealedSession).sid : undefined

const timesOf = ({ createdAt, expiresAt, idleMillis, own, persistent, refreshedAt }: Expiry): Expiry => ({
  createdAt,
  refreshedAt,
  expiresAt,
  idleMillis,
  persistent,
  own
})

const noData: Data = new Map()

const empty = (reason: Empty["reason"], warning: string | undefined): Empty => ({ _tag: "Empty", reason, warning })

const absent = Effect.succeed(empty("Absent", undefined))
const notAuthentic = empty("NotAuthentic", undefined)
const expired = empty("Expired", undefined)

/**
 * After a change of Path or Domain a browser sends the seal of the former cookie too, and often first. The last sign-in must
 * count. Of two seals with the same times neither is older: then the one that is sent later counts, because browsers send
 * the cookie that was made first in front (RFC 6265, 5.4).
 */
const isOlder = (a: Expiry, b: Expiry): boolean =>
  a.refreshedAt === b.refreshedAt ? a.createdAt < b.createdAt : a.refreshedAt < b.refreshedAt

/** The store of one cookie: its name, its keys, its audience. */
export const make = (config: SessionConfig, ring: KeyRing, audience: string): SessionStoreService => {
  const keys = keyObjects(ring)
  const name = Buffer.from(config.name)
  const prefix = payload.prefix(audience)
  const overhead = payload.overhead(prefix)

  const open = (token: string, now: number): Loaded => {
    const opened = privateJar.open(keys, name, token)
    if (opened === undefined) return notAuthentic
    const decoded = payload.decode(prefix, opened.text)
    if (decoded._tag === "Foreign") return empty("Corrupt", decoded.warning)
    const times = expiry.reconstruct(config, decoded.createdAt, decoded.refreshedAt, decoded.own)
    if (expiry.isExpired(config, times, now)) return expired
    const found: Found = {
      _tag: "Found",
      token,
      id: decoded.sid,
      session: new SealedSession(decoded.sid, decoded.data, times, 1),
      reseal: opened.key > 0
    }
    return found
  }

  const load = (tokens: ReadonlyArray<string>, now: number): Effect.Effect<Loaded> => {
    // A session that lives wins over an earlier value that does not: a cookie tossed in front of it must not hide it.
    let newest: Found | undefined
    let best: Empty | undefined
    for (const token of tokens) {
      const loaded = open(token, now)
      if (loaded._tag === "Found") {
        if (newest === undefined || !isOlder(loaded.session, newest.session)) newest = loaded
        continue
      }
      // Whatever is authentic says more than what is not.
      if (best === undefined || (best.reason === "NotAuthentic" && loaded.reason !== "NotAuthentic")) best = loaded
      else if (best.warning === undefined && loaded.warning !== undefined) best = empty(best.reason, loaded.warning)
    }
    return newest !== undefined ? Effect.succeed(newest) : best === undefined ? absent : Effect.succeed(best)
  }

  /** The error for a payload of `octets`, where name and sealed value together are more than a browser takes. */
  const refuse = (octets: number): SessionTooLarge | undefined => {
    const size = name.length + privateJar.sealedLength(octets)
    return size > limit ? new SessionTooLarge({ size, limit }) : undefined
  }

  const save = ({ base, patch, renew }: Save, now: number): Effect.Effect<Saved, SessionTooLarge> => {
    const previous = base?.session
    const data = applyPatch(previous?.data ?? noData, patch)
    const times = patch.expiry
      ?? (previous === undefined ? expiry.fresh(config, now, undefined) : timesOf(previous))
    const id = (renew || previous === undefined ? undefined : sidOf(previous)) ?? random.sid()
    const text = payload.encode(prefix, id, times, data)
    const refused = refuse(Buffer.byteLength(text))
    if (refused !== undefined) return Effect.fail(refused)
    return Effect.succeed({
      _tag: "Saved",
      token: privateJar.seal(keys[0], name, text),
      id,
      expiry: times,
      moved: previous === undefined || patch.expiry !== undefined,
      session: new SealedSession(id, data, times, 1)
    })
  }

  return {
    config,
    kind: "client",
    wellFormed: privateJar.isWellFormed,
    load,
    save,
    end: () => Effect.void,
    modify: () => Effect.dieMessage("a sealed session is modified by its request and saved with the commit"),
    weigh: packedOctets,
    tooLarge: (weight) => refuse(overhead + weight)
  }
}
