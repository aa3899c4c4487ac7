import { describe, expect, it } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as PrivateCookie from "effect-session/PrivateCookie"
import type { Data, Expiry, Patch, StoredSession } from "effect-session/SessionBackend"
import type { SessionConfig } from "effect-session/SessionConfig"
import type { Base, Found, Loaded, SessionStoreService } from "effect-session/SessionStore"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Crypto from "node:crypto"
import { inspect } from "node:util"
import { vi } from "vitest"
import * as random from "../../src/internal/codec/random.js"
import * as CookieStore from "../../src/internal/cookie/cookieStore.js"
import * as payload from "../../src/internal/cookie/payload.js"
import * as policy from "../../src/internal/store/expiry.js"

const calls = vi.hoisted(() => ({ cipher: 0 }))

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>()
  return {
    ...crypto,
    createDecipheriv: ((...args: Parameters<typeof crypto.createDecipheriv>) => {
      calls.cipher++
      return crypto.createDecipheriv(...args)
    }) as typeof crypto.createDecipheriv
  }
})

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const now = 1_795_000_000_000

const config = (over: Partial<SessionConfig> = {}): SessionConfig => ({
  enable: true,
  name: "__Host-session",
  httpOnly: true,
  secure: true,
  sameSite: "lax",
  path: "/",
  domain: undefined,
  partitioned: false,
  formerly: [],
  idleMillis: hour,
  persistent: true,
  absoluteMillis: 30 * day,
  refreshAfter: 0.1,
  renewEveryMillis: undefined,
  isActivity: undefined,
  storeTimeoutMillis: 5000,
  commitWhen: (status) => status < 500,
  renewGraceMillis: 60_000,
  maxDuplicates: 4,
  maxSessionBytes: 262_144,
  cleanupIntervalMillis: minute,
  ...over
})

const material = Crypto.randomBytes(64)
const ring = Effect.runSync(KeyRing.fromBytes(material))
const make = (over: Partial<SessionConfig> = {}, keys = ring, audience = "") =>
  CookieStore.make(config(over), keys, audience)
const store = make()

const patchOf = (set: Record<string, string> | Data, over: Partial<Patch> = {}): Patch => ({
  clear: false,
  set: set instanceof Map ? set : new Map(Object.entries(set)),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 262_144,
  ...over
})

const save = (
  store: SessionStoreService,
  patch: Patch,
  at = now,
  base?: Base,
  renew = false
) => {
  const saved = Effect.runSync(store.save({ base, patch, renew, ifVersion: undefined, owner: undefined }, at))
  if (saved._tag !== "Saved" || saved.session === undefined) throw new Error(saved._tag)
  return { ...saved, session: saved.session }
}

const load = (store: SessionStoreService, tokens: string | ReadonlyArray<string>, at = now): Loaded =>
  Effect.runSync(store.load(typeof tokens === "string" ? [tokens] : tokens, at))

const found = (store: SessionStoreService, token: string, at = now): Found => {
  const loaded = load(store, token, at)
  if (loaded._tag !== "Found") throw new Error(loaded.reason)
  return loaded
}

const reason = (loaded: Loaded): string => loaded._tag === "Found" ? "Found" : loaded.reason

const timesOf = ({ createdAt, expiresAt, idleMillis, own, persistent, refreshedAt }: Expiry): Expiry => ({
  createdAt,
  expiresAt,
  idleMillis,
  own,
  persistent,
  refreshedAt
})

/** What the library itself cannot seal: bytes that are not text. */
const sealedBytes = (bytes: Uint8Array): string => {
  const nonce = Crypto.randomBytes(12)
  const cipher = Crypto.createCipheriv("aes-256-gcm", material.subarray(32), nonce)
  cipher.setAAD(Buffer.from("__Host-session"))
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]).toString("base64")
}

const sealed = (name: string, text: string, keys = ring) => PrivateCookie.unsafeSeal(keys, name, text)

describe("cookie store", () => {
  it("K5: a saved session is loaded with its data, times and id", () => {
    const saved = save(store, patchOf({ alan: "\"turing\"", "": "null", c: "[1]" }))
    const loaded = found(store, saved.token)
    expect(loaded).toMatchObject({ token: saved.token, id: saved.id, reseal: false })
    expect(loaded.session.data).toEqual(new Map([["alan", "\"turing\""], ["", "null"], ["c", "[1]"]]))
    expect(loaded.session.data).toEqual(saved.session.data)
    expect(timesOf(loaded.session)).toEqual(policy.fresh(config(), now, undefined))
    expect(timesOf(loaded.session)).toEqual(saved.expiry)
    expect(loaded.session).toMatchObject({ owner: undefined, version: 1 })
    expect(store).toMatchObject({ kind: "client" })
    expect(store.config.name).toBe("__Host-session")
  })

  it("C8: any keys and texts come back, separate from the store's own fields", () => {
    const key = FastCheck.oneof(
      FastCheck.constantFrom(
        "__proto__",
        "constructor",
        "",
        "sid",
        "version",
        "expires",
        "a",
        "A",
        "é",
        "e\u0301",
        "\0"
      ),
      FastCheck.fullUnicodeString({ maxLength: 10 })
    )
    FastCheck.assert(FastCheck.property(
      FastCheck.array(FastCheck.tuple(key, FastCheck.json({ maxDepth: 2 })), { maxLength: 5 }).map((all) =>
        new Map(all)
      ),
      (data) => {
        FastCheck.pre(
          store.tooLarge([...data].reduce((sum, [key, text]) => sum + store.weigh(key, text), 0)) === undefined
        )
        expect(found(store, save(store, patchOf(data)).token).session.data).toEqual(data)
      }
    ))
  })

  it("C1: a patch clears, removes and sets, and leaves the base as it was", () => {
    const first = found(store, save(store, patchOf({ a: "1", b: "2", c: "3" })).token)
    const before = new Map(first.session.data)
    const second = found(store, save(store, patchOf({ c: "4", d: "5" }, { remove: new Set(["a"]) }), now, first).token)
    expect(second.session.data).toEqual(new Map([["b", "2"], ["c", "4"], ["d", "5"]]))
    const third = found(store, save(store, patchOf({ e: "6" }, { clear: true }), now, second).token)
    expect(third.session.data).toEqual(new Map([["e", "6"]]))
    const cleared = found(store, save(store, patchOf({}, { clear: true }), now, third).token)
    expect(cleared.session.data).toEqual(new Map())
    expect(first.session.data).toEqual(before)
  })

  it("K5: the sid has 128 bits, stays through changes, refresh and re-seal, and is new after renew", () => {
    const first = save(store, patchOf({ a: "1" }))
    expect(first.id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(save(store, patchOf({ a: "1" })).id).not.toBe(first.id)
    const one = found(store, first.token)
    const changed = save(store, patchOf({ b: "2" }), now + minute, one)
    const refreshed = save(
      store,
      patchOf({}, { expiry: policy.touch(config(), changed.session, now + hour / 2) }),
      now,
      {
        token: changed.token,
        session: changed.session
      }
    )
    const resealed = save(store, patchOf({}), now, found(store, refreshed.token))
    for (const saved of [changed, refreshed, resealed]) {
      expect(saved.id).toBe(first.id)
      expect(found(store, saved.token).id).toBe(first.id)
    }
    const renewed = save(store, patchOf({}), now, found(store, resealed.token), true)
    expect(renewed.id).not.toBe(first.id)
    expect(found(store, renewed.token)).toMatchObject({ id: renewed.id })
    expect(found(store, renewed.token).session.data).toEqual(new Map([["a", "1"], ["b", "2"]]))
    // a copy of a session is still that session
    expect(save(store, patchOf({}), now, { token: first.token, session: { ...one.session } }).id).toBe(first.id)
    // a session that was never in a seal has no sid yet
    const { data, owner, version } = one.session
    const foreign: StoredSession = { ...timesOf(one.session), data, owner, version }
    expect(save(store, patchOf({}), now, { token: "x", session: foreign }).id).not.toBe(first.id)
  })

  it("C10: renew keeps the data, the creation time and the session's own expiry", () => {
    const own = { idleMillis: 20 * day, persistent: false }
    const first = save(store, patchOf({ a: "1" }, { expiry: policy.fresh(config(), now, own) }))
    const renewed = save(store, patchOf({}), now + hour, found(store, first.token), true)
    const loaded = found(store, renewed.token, now + hour)
    expect(loaded.session.data).toEqual(new Map([["a", "1"]]))
    expect(timesOf(loaded.session)).toEqual(timesOf(found(store, first.token).session))
    expect(loaded.session).toMatchObject({ createdAt: now, own: true, idleMillis: 20 * day, persistent: false })
  })

  it("K5: sealing the same session again gives another text", () => {
    const loaded = found(store, save(store, patchOf({ a: "1" })).token)
    const tokens = new Set(Array.from({ length: 50 }, () => save(store, patchOf({}), now, loaded).token))
    expect(tokens.size).toBe(50)
  })

  it("K5: the server enforces idle and absolute times, and the session is over at the instant of its end", () => {
    const { token } = save(store, patchOf({ a: "1" }))
    expect(reason(load(store, token, now + hour - 1))).toBe("Found")
    expect(reason(load(store, token, now + hour))).toBe("Expired")
    expect(reason(load(store, token, now + 1000 * day))).toBe("Expired")

    const short = make({ absoluteMillis: 90 * minute })
    const first = found(short, save(short, patchOf({ a: "1" })).token)
    const touched = policy.touch(short.config, first.session, now + 59 * minute)
    expect(touched.expiresAt).toBe(now + 90 * minute)
    const second = save(short, patchOf({}, { expiry: touched }), now + 59 * minute, first)
    expect(reason(load(short, second.token, now + 90 * minute - 1))).toBe("Found")
    expect(reason(load(short, second.token, now + 90 * minute))).toBe("Expired")
  })

  it("E1: times that are configured later apply to sessions that are already sealed", () => {
    const { token } = save(make({ absoluteMillis: undefined }), patchOf({ a: "1" }))
    const at = now + 50 * minute
    expect(found(make({ absoluteMillis: undefined }), token, at).session.expiresAt).toBe(now + hour)
    expect(found(make({ idleMillis: 2 * hour }), token, at).session.expiresAt).toBe(now + 2 * hour)
    expect(reason(load(make({ idleMillis: 50 * minute }), token, at))).toBe("Expired")
    expect(reason(load(make({ absoluteMillis: 50 * minute }), token, at))).toBe("Expired")
    expect(found(make({ persistent: false }), token, at).session.persistent).toBe(false)
  })

  it("E4: a session's own expiry is in the seal, and wins over the configuration but not over the absolute time", () => {
    const first = found(store, save(store, patchOf({ a: "1" })).token)
    const own = policy.withOwn(store.config, first.session, now, { idleMillis: 10 * day, persistent: false })
    const saved = save(store, patchOf({}, { expiry: own }), now, first)
    expect(saved.expiry).toEqual(own)
    expect(timesOf(found(store, saved.token).session)).toEqual(own)
    expect(reason(load(store, saved.token, now + 10 * day - 1))).toBe("Found")
    expect(reason(load(store, saved.token, now + 10 * day))).toBe("Expired")
    // kept by a later change
    const changed = save(store, patchOf({ b: "2" }), now + day, found(store, saved.token, now + day))
    expect(timesOf(found(store, changed.token).session)).toEqual(own)
    expect(found(make({ absoluteMillis: 5 * day }), saved.token).session.expiresAt).toBe(now + 5 * day)
    expect(reason(load(make({ absoluteMillis: 5 * day }), saved.token, now + 5 * day))).toBe("Expired")
  })

  it("E5: a clock that jumps back ends no session early and extends none past its absolute end", () => {
    const short = make({ absoluteMillis: 2 * hour })
    const { token } = save(short, patchOf({ a: "1" }))
    for (const back of [1, minute, day, 1000 * day]) {
      const loaded = found(short, token, now - back)
      expect(timesOf(loaded.session)).toEqual(timesOf(found(short, token).session))
      // used and sealed anew meanwhile, it is as it was once the clock is right again
      const touched = policy.touch(short.config, loaded.session, now - back)
      const again = save(short, patchOf({ b: "2" }, { expiry: touched }), now - back, loaded)
      expect(found(short, again.token, now + hour - 1).session.createdAt).toBe(now)
      expect(reason(load(short, again.token, now + hour))).toBe("Expired")
      expect(reason(load(short, again.token, now + 2 * hour))).toBe("Expired")
    }
  })

  it("K4: a session that an older key opened is re-sealed with the first key, and that extends nothing", () => {
    const keys = Array.from({ length: 8 }, () => Effect.runSync(KeyRing.generate))
    const rotated = make({}, keys.reduce((ring, older) => KeyRing.withPrevious(ring, older)))
    const tokens = keys.map((key, i) => save(make({}, key), patchOf({ n: String(i) })).token)
    tokens.forEach((token, i) => {
      const at = now + 30 * minute
      const loaded = found(rotated, token, at)
      expect(loaded.reseal).toBe(i > 0)
      expect(loaded.session.data).toEqual(new Map([["n", String(i)]]))
      const resealed = save(rotated, patchOf({}), at, loaded)
      expect(resealed.moved).toBe(false)
      const again = found(make({}, keys[0]), resealed.token, at)
      expect(again).toMatchObject({ id: loaded.id, reseal: false })
      expect(timesOf(again.session)).toEqual(timesOf(loaded.session))
      expect(reason(load(rotated, resealed.token, now + hour))).toBe("Expired")
      if (i > 0) expect(reason(load(make({}, keys[i]), resealed.token, at))).toBe("NotAuthentic")
    })
    expect(reason(load(rotated, save(store, patchOf({ a: "1" })).token))).toBe("NotAuthentic")
  })

  it("K1: a value of another key or another cookie's name, or a changed one, is not authentic", () => {
    const { token } = save(store, patchOf({ a: "1" }))
    const bytes = Buffer.from(token, "base64")
    bytes[20] ^= 1
    for (
      const loaded of [
        load(make({}, Effect.runSync(KeyRing.generate)), token),
        load(make({ name: "__Host-other" }), token),
        load(make({ name: "__Host-sessio" }), token),
        load(store, bytes.toString("base64")),
        load(store, bytes.subarray(0, -4).toString("base64")),
        load(store, "A".repeat(200))
      ]
    ) {
      expect(loaded).toEqual({ _tag: "Empty", reason: "NotAuthentic", warning: undefined })
    }
  })

  it("K1: a session sealed under one name opens under no other name of the same length", () => {
    const { token } = save(make({ name: "shop" }), patchOf({ a: "1" }))
    expect(load(make({ name: "shop" }), token)).toMatchObject({ _tag: "Found" })
    expect(load(make({ name: "Shop" }), token)).toMatchObject({ _tag: "Empty", reason: "NotAuthentic" })
    expect(load(make({ name: "blog" }), token)).toMatchObject({ _tag: "Empty", reason: "NotAuthentic" })
  })

  it("K1: a value that cannot be a seal is refused without the cipher", () => {
    const { token } = save(store, patchOf({ a: "12" }))
    expect(store.wellFormed(token)).toBe(true)
    expect(store.wellFormed("A".repeat(40))).toBe(true)
    expect(store.wellFormed("A".repeat(8192))).toBe(true)
    const malformed = [
      "",
      "A".repeat(36),
      "A".repeat(41),
      "A".repeat(42),
      "A".repeat(8196),
      "A".repeat(1_000_000),
      `${token}l`,
      `${token}=`,
      token.slice(1),
      `${token.slice(0, 8)}-${token.slice(9)}`,
      `${token.slice(0, 8)}_${token.slice(9)}`,
      `${token.slice(0, 8)} ${token.slice(9)}`,
      `${token.slice(0, 8)}\u0141${token.slice(9)}`,
      `${token.slice(0, 8)}=${token.slice(9)}`,
      encodeURIComponent(`${token.slice(0, 8)}+${token.slice(9)}`),
      "undefined",
      "[object Object]"
    ]
    const before = calls.cipher
    for (const value of malformed) {
      expect(store.wellFormed(value), value.slice(0, 50)).toBe(false)
      expect(reason(load(store, value))).toBe("NotAuthentic")
    }
    expect(calls.cipher).toBe(before)
  })

  it("K6: above 4096 bytes of name and value a session is refused with the exact size, and the boundary itself fits", () => {
    for (const name of ["n", "nn", "nnn", "nnnn", "__Host-session", "é-is-no-token-but-counts-as-two"]) {
      const one = make({ name })
      const nameBytes = Buffer.byteLength(name)
      const room = Math.floor((4096 - nameBytes) / 4) * 3 - 28 - 53
      const textFor = (bytes: number): string => {
        // what a key of one character adds beside its text: its own byte, two colons, and the digits of both lengths
        const text = "x".repeat(bytes - 1 - 2 - 1 - String(bytes).length - 2)
        return `"${text}"`
      }
      for (const [bytes, fits] of [[room, true], [room + 1, false], [room + 4, false], [room + 500, false]] as const) {
        const text = textFor(bytes)
        const weight = one.weigh("a", text)
        expect(weight).toBe(bytes)
        const result = Effect.runSync(Effect.either(one.save({
          base: undefined,
          patch: patchOf({ a: text }),
          renew: false,
          ifVersion: undefined,
          owner: undefined
        }, now)))
        const size = nameBytes + 4 * Math.ceil((28 + 53 + bytes) / 3)
        if (fits) {
          expect(size).toBeLessThanOrEqual(4096)
          expect(size).toBeGreaterThan(4092)
          expect(one.tooLarge(weight)).toBeUndefined()
          expect(result).toMatchObject({ _tag: "Right", right: { _tag: "Saved" } })
          if (result._tag === "Right" && result.right._tag === "Saved") {
            expect(nameBytes + result.right.token.length).toBe(size)
            expect(found(one, result.right.token).session.data.get("a")).toBe(text)
          }
        } else {
          expect(one.tooLarge(weight)).toMatchObject({ _tag: "SessionTooLarge", size, limit: 4096 })
          expect(result).toMatchObject({ _tag: "Left", left: { _tag: "SessionTooLarge", size, limit: 4096 } })
        }
      }
    }
    // with a name of which 4096 bytes are left to share by four, the boundary is met exactly
    const exact = make({ name: "nnnn" })
    const token = save(exact, patchOf({ a: `"${"x".repeat(2978)}"` })).token
    expect(4 + token.length).toBe(4096)
  })

  it("K6: the size that is computed beforehand is that of what is sent, for any data, audience and own expiry", () => {
    const text = FastCheck.oneof(
      FastCheck.json({ maxDepth: 2 }),
      FastCheck.integer({ min: 2500, max: 3100 }).map((length) => `"${"x".repeat(length)}"`),
      FastCheck.fullUnicodeString({ minLength: 500, maxLength: 900 }).map((all) => JSON.stringify(all))
    )
    let [fitted, refused] = [0, 0]
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.tuple(FastCheck.fullUnicodeString({ maxLength: 8 }), text), { maxLength: 4 }),
        FastCheck.string16bits({ maxLength: 20 }),
        FastCheck.boolean(),
        (entries, audience, own) => {
          const data = new Map(entries)
          const one = make({}, ring, audience)
          let weight = 0
          for (const [key, text] of data) weight += one.weigh(key, text)
          const expiry = policy.fresh(one.config, now, own ? { idleMillis: day, persistent: true } : undefined)
          const result = Effect.runSync(Effect.either(
            one.save({
              base: undefined,
              patch: patchOf(data, { expiry }),
              renew: false,
              ifVersion: undefined,
              owner: undefined
            }, now)
          ))
          const plain = payload.encode(payload.prefix(audience), random.sid(), expiry, data)
          const size = 14 + 4 * Math.ceil((28 + Buffer.byteLength(plain)) / 3)
          if (size <= 4096) {
            fitted++
            expect(one.tooLarge(weight)).toBeUndefined()
            expect(result).toMatchObject({ _tag: "Right", right: { token: expect.any(String) } })
            if (result._tag === "Right" && result.right._tag === "Saved") {
              expect(14 + result.right.token.length).toBe(
                size
              )
            }
          } else {
            refused++
            expect(one.tooLarge(weight)).toMatchObject({ size, limit: 4096 })
            expect(result).toMatchObject({ _tag: "Left", left: { size, limit: 4096 } })
          }
        }
      ),
      { numRuns: 300 }
    )
    expect(Math.min(fitted, refused)).toBeGreaterThan(20)
  })

  it("K7: an authentic value that is not a session reads as empty, with a warning that shows nothing of the value", () => {
    const { token } = save(store, patchOf({ alan: "\"turing\"" }))
    const ours = Option.getOrThrow(PrivateCookie.open(ring, "__Host-session", token))
    const foreign: ReadonlyArray<readonly [token: string, why: string, says: RegExp]> = [
      [sealed("__Host-session", ""), "Format", /not a session of this library/],
      [sealed("__Host-session", `{"alan":"turing"}`), "Format", /not a session of this library/],
      [sealed("__Host-session", "🍪 alan turing"), "Format", /not a session of this library/],
      [sealedBytes(Uint8Array.of(0xff, 0xfe)), "Format", /not a session of this library/],
      [sealed("__Host-session", ours.replace("es1", "es3")), "Version", /another version/],
      [sealed("__Host-session", ours.slice(0, -1)), "Damaged", /damaged/],
      [save(make({}, ring, "another"), patchOf({ alan: "\"turing\"" })).token, "Audience", /another audience/]
    ]
    for (const [one, why, says] of foreign) {
      expect(store.wellFormed(one)).toBe(true)
      const loaded = load(make(), one)
      expect(loaded).toEqual({
        _tag: "Empty",
        reason: "Corrupt",
        foreign: why,
        warning: expect.stringMatching(says)
      })
      expect(inspect(loaded)).not.toMatch(/alan|turing|another"/)
    }
    expect(reason(load(store, sealed("__Host-session", ours)))).toBe("Found")
  })

  it("K7: a cookie that is replayed is warned of once a minute, with the number of warnings left out", () => {
    const store = make()
    const warningOf = (token: string, at: number) => (load(store, token, at) as { readonly warning?: string }).warning
    const foreign = save(make({}, ring, "another"), patchOf({ a: "1" })).token
    const other = sealed("__Host-session", "{}")
    expect(warningOf(foreign, now)).toMatch(/another audience$/)
    expect(warningOf(other, now)).toMatch(/\(another service seals a cookie of this name\)$/)
    for (let i = 0; i < 1000; i++) expect(warningOf(i % 2 === 0 ? foreign : other, now + i)).toBeUndefined()
    expect(warningOf(foreign, now + minute)).toMatch(/\(500 more warnings of this kind have not been logged\)$/)
    expect(warningOf(foreign, now + minute + 1)).toBeUndefined()
    const live = save(store, patchOf({ a: "1" })).token
    expect(load(store, [foreign, live], now + 5 * minute)).toMatchObject({ _tag: "Found", token: live })
    expect(warningOf(foreign, now + 5 * minute)).toMatch(/\(1 more /) // a session that was found uses up no warning
  })

  it("K5: stores of different audiences do not read each other's sessions, even with the same key and name", () => {
    const audiences = ["", "app", "app\"", "app\0", "APP", "\ud800", "é"]
    const tokens = audiences.map((audience) => save(make({}, ring, audience), patchOf({ a: "1" })).token)
    audiences.forEach((audience, i) => {
      tokens.forEach((token, j) => {
        expect(reason(load(make({}, ring, audience), token))).toBe(i === j ? "Found" : "Corrupt")
      })
    })
  })

  it("M8: among several values that open, the newest is the session, whatever stands before it", () => {
    const live = save(store, patchOf({ a: "1" })).token
    const second = save(store, patchOf({ a: "2" })).token
    const newer = save(store, patchOf({ a: "4" }), now + 1)
    const refreshed = save(
      store,
      patchOf({}, { expiry: { ...newer.expiry, refreshedAt: now + 2, createdAt: now - 1 } })
    )
    const renewedLater = save(store, patchOf({}, { expiry: { ...newer.expiry, createdAt: now - 1 } }))
    for (
      const [older, token] of [[live, newer.token], [newer.token, refreshed.token], [renewedLater.token, newer.token]]
    ) {
      expect(load(store, [older, token], now + 3)).toMatchObject({ _tag: "Found", token })
      expect(load(store, [token, older], now + 3)).toMatchObject({ _tag: "Found", token })
    }
    const expired = save(store, patchOf({ a: "3" }), now - 2 * hour).token
    const foreign = sealed("__Host-session", "{}")
    const garbage = "A".repeat(100)
    expect(load(store, [live, second])).toMatchObject({ _tag: "Found", token: second })
    expect(load(store, [second, live])).toMatchObject({ _tag: "Found", token: live })
    expect(load(store, [garbage, expired, foreign, live])).toMatchObject({ _tag: "Found", token: live })
  })

  it("M6: when several values open no session, the reason is that of the first authentic one", () => {
    const expired = save(store, patchOf({ a: "3" }), now - 2 * hour).token
    const foreign = sealed("__Host-session", "{}")
    const garbage = "A".repeat(100)
    expect(load(store, [])).toEqual({ _tag: "Empty", reason: "Absent", warning: undefined })
    expect(reason(load(store, [garbage, garbage]))).toBe("NotAuthentic")
    expect(reason(load(store, [garbage, expired]))).toBe("Expired")
    expect(reason(load(store, [expired, garbage]))).toBe("Expired")
    expect(load(make(), [garbage, foreign, expired])).toMatchObject({ reason: "Corrupt", warning: expect.any(String) })
    expect(load(make(), [expired, garbage, foreign])).toMatchObject({ reason: "Expired", warning: expect.any(String) })
  })

  it("S2: an older seal still reads until it expires, even after the session's end, because the server keeps nothing", () => {
    const first = found(store, save(store, patchOf({ a: "1" })).token)
    const second = save(store, patchOf({ a: "2" }), now, first, true)
    Effect.runSync(store.end({ token: second.token, session: second.session }, now))
    expect(found(store, first.token).session.data.get("a")).toBe("1")
    expect(found(store, second.token).session.data.get("a")).toBe("2")
  })

  it("M2: load and save finish during the call, without a fiber", () => {
    const saving = store.save({
      base: undefined,
      patch: patchOf({ a: "1" }),
      renew: false,
      ifVersion: undefined,
      owner: undefined
    }, now)
    expect(Exit.isExit(saving) && Exit.isSuccess(saving)).toBe(true)
    const { token } = save(store, patchOf({ a: "1" }))
    for (const tokens of [[], [token], ["A".repeat(100)]]) {
      const loading = store.load(tokens, now)
      expect(Exit.isExit(loading) && Exit.isSuccess(loading)).toBe(true)
    }
  })

  it("C9: the store itself modifies nothing, because the request does", () => {
    const exit = Effect.runSyncExit(store.modify("x", undefined, () => Effect.succeed(["b", Option.none()] as const)))
    expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
  })
})
