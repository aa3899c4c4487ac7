import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import { type SessionBackend, SessionConfig } from "effect-session"
import * as FastCheck from "effect/FastCheck"
import { Changes } from "../../src/internal/request/changes.js"
import { type Basis, decide, type Marks } from "../../src/internal/request/decide.js"
import * as Expiry from "../../src/internal/store/expiry.js"

const hour = 60 * 60 * 1000
const config = Either.getOrThrow(SessionConfig.resolve({ expiry: "1 hour", absoluteExpiry: "10 hours" }))
const owner: SessionBackend.Owner = { subject: "ada", authenticatedAt: 0, userAgent: undefined, address: undefined }
const noMarks: Marks = { renew: false, own: undefined, owner: undefined, takesCookie: true, passive: false }

const session = (data: Record<string, string> = { a: "1" }): SessionBackend.StoredSession => ({
  ...Expiry.fresh(config, 0, undefined),
  data: new Map(Object.entries(data)),
  owner: undefined,
  version: 7
})
const none: Basis = { _tag: "None" }
const token: Basis = { _tag: "Token", token: "t" }
const found = (given: Partial<Extract<Basis, { _tag: "Found" }>> = {}): Basis => ({
  _tag: "Found",
  token: "t",
  id: "i",
  session: session(),
  reseal: false,
  ...given
})
const changed = (...changes: ReadonlyArray<(changes: Changes) => void>): Changes => {
  const all = new Changes()
  for (const change of changes) change(all)
  return all
}
const set = (key: string, text: string) => (changes: Changes) => changes.set(key, text)
const clear = (changes: Changes) => changes.clear()
const remove = (key: string) => (changes: Changes) => changes.remove(key)

describe("what a commit asks of the store", () => {
  it("C12: without a session, only a value or a sign-in creates one", () => {
    const marks = { ...noMarks, renew: true, own: Expiry.own(hour) }
    for (const changes of [changed(), changed(clear), changed(remove("a")), changed(set("a", "1"), remove("a"))]) {
      expect(decide(config, none, changes, marks, 0)).toEqual({ _tag: "Nothing" })
    }
    expect(decide(config, none, changed(set("a", "1")), marks, 0)).toMatchObject({
      _tag: "Save",
      mere: false,
      save: { base: undefined, renew: false, patch: { clear: false, expiry: { own: true, idleMillis: hour } } }
    })
    expect(decide(config, none, changed(), { ...noMarks, owner }, 0)).toMatchObject({ _tag: "Save", save: { owner } })
  })

  it("M2: a session that was not loaded is saved only if there is a change, and its times stay", () => {
    expect(decide(config, token, changed(), noMarks, 100 * hour)).toEqual({ _tag: "Nothing" })
    const decision = decide(config, token, changed(set("a", "1"), remove("b")), noMarks, 0)
    expect(decision).toMatchObject({
      mere: false,
      save: {
        base: { token: "t", session: undefined },
        ifVersion: undefined,
        patch: {
          set: new Map([["a", "1"]]),
          remove: new Set(["b"]),
          expiry: undefined,
          maxBytes: config.maxSessionBytes
        }
      }
    })
  })

  it("M2: a session that was only read is saved only for a refresh or a new seal, whose failure does not count", () => {
    expect(decide(config, found(), changed(), noMarks, 0)).toEqual({ _tag: "Nothing" })
    expect(decide(config, found(), changed(set("a", "1")), noMarks, 0)).toEqual({ _tag: "Nothing" })
    expect(decide(config, found(), changed(), noMarks, hour / 10)).toMatchObject({ _tag: "Save", mere: true })
    const resealed = decide(config, found({ reseal: true }), changed(), noMarks, 0)
    expect(resealed).toMatchObject({ _tag: "Save", mere: true, save: { patch: { expiry: undefined } } })
  })

  it("E3: a write includes the refresh that is due", () => {
    const decision = decide(config, found(), changed(set("b", "2")), noMarks, hour / 2)
    expect(decision).toMatchObject({ mere: false, save: { patch: { expiry: { refreshedAt: hour / 2 } } } })
    const early = decide(config, found(), changed(set("b", "2")), noMarks, 1)
    expect(early).toMatchObject({ mere: false, save: { patch: { expiry: undefined } } })
  })

  it("C10: renew keeps the creation time and the own expiry, and a sign-in starts the absolute time anew", () => {
    const own = { ...session(), ...Expiry.fresh(config, 0, Expiry.own(2 * hour)) }
    for (const marks of [{ ...noMarks, renew: true }, { ...noMarks, owner }]) {
      const decision = decide(config, found({ session: own }), changed(), marks, 3 * hour)
      expect(decision).toMatchObject({
        _tag: "Save",
        mere: false,
        save: {
          renew: true,
          owner: marks.owner,
          patch: { expiry: { createdAt: marks.owner === undefined ? 0 : 3 * hour, own: true, idleMillis: 2 * hour } }
        }
      })
    }
  })

  it("E4: a session's own expiry counts from now, together with a renewal too", () => {
    const marks: Marks = { ...noMarks, renew: true, own: Expiry.own(4 * hour) }
    expect(decide(config, found(), changed(), marks, hour)).toMatchObject({
      save: { renew: true, patch: { expiry: { expiresAt: 5 * hour, own: true, persistent: true } } }
    })
    expect(decide(config, found(), changed(), { ...marks, own: Expiry.own(400 * hour) }, hour)).toMatchObject({
      save: { patch: { expiry: { expiresAt: 10 * hour } } }
    })
  })

  it("C2: a migrated value is saved only at the version at which it was read, and never in place of a change", () => {
    const migrated = (changes: Changes) => changes.migrate("a", "1", "v2 1")
    expect(decide(config, found(), changed(migrated), noMarks, 0)).toMatchObject({
      mere: true,
      without: undefined,
      save: { ifVersion: 7, patch: { set: new Map([["a", "v2 1"]]) } }
    })
    expect(decide(config, found(), changed(migrated, set("b", "2")), noMarks, 0)).toMatchObject({
      mere: false,
      save: { ifVersion: 7, patch: { set: new Map([["a", "v2 1"], ["b", "2"]]) } },
      without: { ifVersion: undefined, patch: { set: new Map([["b", "2"]]) } }
    })
    expect(decide(config, found(), changed(migrated, set("a", "v2 2")), noMarks, 0)).toMatchObject({
      without: undefined,
      save: { ifVersion: undefined, patch: { set: new Map([["a", "v2 2"]]) } }
    })
    for (const change of [clear, remove("a")]) {
      expect(decide(config, found(), changed(migrated, change), noMarks, 0)).toMatchObject({
        without: undefined,
        save: { ifVersion: undefined, patch: { set: new Map() } }
      })
    }
  })

  it("M3: equal requests give equal decisions, and the decision changes nothing that it is given", () => {
    const bases = FastCheck.constantFrom(none, token, found(), found({ reseal: true }))
    const changes = FastCheck.array(
      FastCheck.constantFrom(set("a", "1"), set("a", "2"), set("b", "1"), remove("a"), clear)
    )
    const marks = FastCheck.record({
      renew: FastCheck.boolean(),
      own: FastCheck.constantFrom(undefined, Expiry.own(hour)),
      owner: FastCheck.constantFrom(undefined, owner),
      takesCookie: FastCheck.boolean(),
      passive: FastCheck.boolean()
    })
    FastCheck.assert(FastCheck.property(bases, changes, marks, FastCheck.nat(20 * hour), (basis, steps, marks, now) => {
      const given = changed(...steps)
      const decision = decide(config, basis, given, marks, now)
      expect(decide(config, basis, given, marks, now)).toEqual(decision)
      expect(given.against(undefined)).toEqual(changed(...steps).against(undefined))
      if (decision._tag === "Nothing") return
      const { base, owner: signedIn, renew } = decision.save
      // only what was loaded can be renewed, and an owner is only for a new record
      if (renew) expect(base?.session).toBeDefined()
      if (signedIn !== undefined) expect(base === undefined || renew).toBe(true)
      if (decision.mere) expect([marks.renew, marks.own, marks.owner]).toEqual([false, undefined, undefined])
    }))
  })
})
