/**
 * The store that keeps the whole session inside the token: sealed in the browser, and nothing on the server.
 *
 * There is no I/O, so each effect of this store is done when it is made, and no fiber, span or generator is involved. Because
 * the server keeps nothing, an older seal can be read again until it expires, parallel requests overwrite each other, and a
 * session can only be ended in its browser.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { Data, Expiry, Owner, StoredSession } from "../../SessionBackend.js"
import { SessionTooLarge } from "../../SessionError.js"
import { applyPatch, packedBytes } from "../codec/packedData.js"
import * as random from "../codec/random.js"
import * as Happened from "../events/happened.js"
import { Hub } from "../events/hub.js"
import { sealedName } from "../events/sealedName.js"
import type { Base, Empty, Found, Loaded, Save, Saved, SessionStoreService } from "../store/contract.js"
import * as expiry from "../store/expiry.js"
import * as Limited from "../store/limited.js"
import type { SessionConfig } from "../store/options.js"
import { keyObjects, type KeyRing, opening } from "./keyMaterial.js"
import * as payload from "./payload.js"
import * as privateJar from "./privateJar.js"

/** The most bytes that browsers accept of a cookie's name and value together (RFC 6265bis, 5.6). */
const limit = 4096

/**
 * A session with the id from inside its seal. The id is a plain property, so that a copy of the session still has it. A session
 * that was not opened by this store has no id and gets a new one.
 */
interface SealedSession extends StoredSession {
  readonly sid: string
  readonly owner: payload.SealedOwner | undefined
}

// The spread comes last, because properties behind a spread are slow in Node 20.
const sealedSession = (
  sid: string,
  data: Data,
  owner: payload.SealedOwner | undefined,
  times: Expiry
): SealedSession => ({
  sid,
  data,
  owner,
  version: 1,
  ...times
})

const sidOf = (session: StoredSession): string | undefined =>
  "sid" in session ? (session as SealedSession).sid : undefined

/** An owner that no revocation is concerned with yet has its sign-in as the time that counts. */
const sealedOwner = (owner: Owner | undefined): payload.SealedOwner | undefined =>
  owner === undefined
    ? undefined
    : "boundAt" in owner
    ? owner as payload.SealedOwner
    : { ...owner, boundAt: owner.authenticatedAt }

const noData: Data = new Map()

const empty = (reason: Empty["reason"], warning: string | undefined): Empty => ({ _tag: "Empty", reason, warning })

const absent = empty("Absent", undefined)
const notAuthentic = empty("NotAuthentic", undefined)
const expired = (id: string): Empty => ({ _tag: "Empty", reason: "Expired", warning: undefined, id })

/**
 * After a change of Path or Domain a browser sends the seal of the former cookie too, and often first. The last sign-in must
 * count. Of two seals with the same times neither is older: then the one that is sent later counts, because browsers send
 * the cookie that was made first in front (RFC 6265, 5.4).
 */
const isOlder = (a: Expiry, b: Expiry): boolean =>
  a.refreshedAt === b.refreshedAt ? a.createdAt < b.createdAt : a.refreshedAt < b.refreshedAt

/**
 * - `found`: the sessions of the tokens that open, the newest first.
 * - `why`: why none does.
 */
export interface Opened {
  readonly found: ReadonlyArray<Found>
  readonly why: Empty
}

/** The store, and what it can tell before anybody has asked whether the sessions were revoked. */
export interface SealedStore extends SessionStoreService {
  readonly open: (tokens: ReadonlyArray<string>, now: number) => Opened
}

/**
 * Makes the store of one cookie with its name, its keys and its audience. `signsIn` says that it seals and opens sessions of
 * subjects, which `revocable.ts` checks.
 */
export const make = (config: SessionConfig, ring: KeyRing, audience: string, signsIn = false): SealedStore => {
  const [sealing] = keyObjects(ring)
  const name = Buffer.from(config.name)
  const prefix = payload.prefix(audience)
  const overhead = payload.overhead(prefix)
  const limited = Limited.make(1)
  const events = new Hub(config.name, sealedName)

  const openOne = (token: string, now: number): Loaded => {
    const opened = privateJar.open(opening(ring, now), name, token)
    if (opened === undefined) return notAuthentic
    const decoded = payload.decode(prefix, opened.text, signsIn)
    if (decoded._tag === "Foreign") {
      return { _tag: "Empty", reason: "Corrupt", warning: decoded.warning, foreign: decoded.reason }
    }
    const times = expiry.reconstruct(config, decoded.createdAt, decoded.refreshedAt, decoded.own)
    if (expiry.isExpired(config, times, now)) return expired(decoded.sid)
    const found: Found = {
      _tag: "Found",
      token,
      id: decoded.sid,
      session: sealedSession(decoded.sid, decoded.data, decoded.owner, times),
      reseal: opened.key > 0
    }
    return found
  }

  const open = (tokens: ReadonlyArray<string>, now: number): Opened => {
    // A session that lives wins over an earlier value that does not: a cookie tossed in front of it must not hide it.
    const found: Array<Found> = []
    let best: Empty = absent
    for (const token of tokens) {
      const loaded = openOne(token, now)
      if (loaded._tag === "Found") {
        const at = found.findIndex(({ session }) => !isOlder(loaded.session, session))
        if (at === -1) found.push(loaded)
        else found.splice(at, 0, loaded)
        continue
      }
      // An authentic value says more than one that is not.
      const saysMore = best === absent || (best.reason === "NotAuthentic" && loaded.reason !== "NotAuthentic")
      if (saysMore) best = loaded
      else if (best.warning === undefined && loaded.warning !== undefined) best = { ...best, warning: loaded.warning }
    }
    const { warning } = best
    return found.length > 0 || warning === undefined
      ? { found, why: best }
      : { found, why: { ...best, warning: limited(warning, warning, now) } }
  }

  const load = (tokens: ReadonlyArray<string>, now: number): Effect.Effect<Loaded> => {
    const { found, why } = open(tokens, now)
    return Effect.succeed(found.length > 0 ? found[0] : why)
  }

  /** The error for a payload of so many bytes, where name and sealed value together are more than browsers accept. */
  const refuse = (bytes: number): SessionTooLarge | undefined => {
    const size = name.length + privateJar.sealedLength(bytes)
    return size > limit ? new SessionTooLarge({ size, limit }) : undefined
  }

  /**
   * The id of a session that `renewEvery` renews. It follows from the former id and the period, so that parallel requests, each
   * of which renews its own copy, come to the same id. The id opens nothing: the seal does.
   */
  const nextId = (former: string, times: Expiry, now: number): string =>
    createHash("sha256")
      .update(`${former} ${expiry.renewals(times, config.renewEveryMillis ?? Infinity, now)}`)
      .digest()
      .toString("base64url", 0, 16)

  const save = (
    { automatic = false, base, owner, patch, renew }: Save,
    now: number
  ): Effect.Effect<Saved, SessionTooLarge> => {
    const previous = base?.session
    const data = applyPatch(previous?.data ?? noData, patch)
    const times = patch.expiry
      ?? (previous === undefined ? expiry.fresh(config, now, undefined) : expiry.timesOf(previous))
    const former = previous === undefined ? undefined : sidOf(previous)
    const id = (!renew ? former : automatic && former !== undefined ? nextId(former, times, now) : undefined)
      ?? random.sid()
    const sealed = sealedOwner(owner ?? previous?.owner)
    const text = payload.encode(prefix, id, times, data, sealed)
    const refused = refuse(Buffer.byteLength(text))
    if (refused !== undefined) return Effect.fail(refused)
    return Effect.succeed({
      _tag: "Saved",
      token: privateJar.seal(sealing, name, text),
      id,
      expiry: times,
      moved: previous === undefined || patch.expiry !== undefined,
      session: sealedSession(id, data, sealed, times)
    })
  }

  /** Nothing is ended here but what the browser keeps. The seal is opened only for those who listen. */
  const end = ({ session, token }: Base, now: number): Effect.Effect<void> => {
    const opened = session === undefined && events.isHeard ? openOne(token, now) : undefined
    const ended = session ?? (opened?._tag === "Found" ? opened.session : undefined)
    const sid = ended === undefined ? undefined : sidOf(ended)
    if (sid !== undefined) Happened.signedOut(events, now, { session: sid, subject: undefined }, "Flush")
    return Effect.void
  }

  return {
    config,
    kind: "client",
    revocable: false,
    wellFormed: privateJar.isWellFormed,
    open,
    load,
    save,
    end,
    modify: () => Effect.dieMessage("a sealed session is modified inside its request and saved with the commit"),
    ping: Effect.void,
    count: Effect.succeedNone,
    events,
    weigh: packedBytes,
    tooLarge: (weight, owner) => refuse(weight + (owner === undefined ? overhead : payload.overhead(prefix, owner)))
  }
}
