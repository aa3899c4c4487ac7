import { describe, expect, it } from "@effect/vitest"
import type { NewSession, Owner, Patch, StoredSession } from "effect-session/SessionBackend"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { pack } from "../../src/internal/codec/packedData.js"
import { fixedBytes, largestBytes, make } from "../../src/internal/memory/backend.js"
import { callsOf, idOf, Naive, step } from "./naive.js"

const start = 1_700_000_000_000

const session = (options?: {
  readonly data?: Record<string, string>
  readonly life?: number
  readonly owner?: Owner
  readonly createdAt?: number
}): NewSession => ({
  createdAt: options?.createdAt ?? start,
  refreshedAt: start,
  expiresAt: start + (options?.life ?? 3_600_000),
  idleMillis: 3_600_000,
  persistent: true,
  own: false,
  data: new Map(Object.entries(options?.data ?? { user: "\"ada\"" })),
  owner: options?.owner
})

const owned = (subject: string, createdAt = start) => {
  const owner: Owner = { subject, authenticatedAt: createdAt, userAgent: undefined, address: undefined }
  return { ...session({ createdAt }), owner }
}

const patchOf = (options: Partial<Patch>): Patch => ({
  clear: false,
  set: new Map(),
  remove: new Set(),
  expiry: undefined,
  maxBytes: 262_144,
  ...options
})

const unbounded = { maxSessions: 1_000_000, maxBytes: 2 ** 40 }

/** Everything is done when it is called. */
const now = <A, E>(effect: Effect.Effect<A, E>): A => {
  expect(Exit.isExit(effect)).toBe(true)
  return Effect.runSync(effect)
}

type Memory = ReturnType<typeof make>

const found = (memory: Memory, name: string | number, at = start): StoredSession | undefined => {
  const answer = Option.getOrUndefined(now(memory.backend.find(idOf(name), at)))
  if (answer !== undefined && "_tag" in answer) throw new Error("the Memory backend has no corrupt records")
  return answer
}

const insert = (memory: Memory, name: string | number, value = session(), at = start): boolean =>
  now(memory.backend.insert(idOf(name), value, at))

describe("Memory backend: contract", () => {
  it("S8: what was inserted is found, with version 1 and every field", () => {
    const memory = make(unbounded)
    const owner: Owner = { subject: "ada", authenticatedAt: 5, userAgent: "Läufer", address: undefined }
    const value = session({ data: { "": "1", ["__proto__"]: "{\"a\":\"漢\"}", "\u0000": "\"x:y\"", é: "[]" }, owner })
    expect(insert(memory, "a", value)).toBe(true)
    expect(found(memory, "a")).toEqual({ ...value, version: 1 })
    expect([...found(memory, "a")!.data.keys()]).toEqual(
      ["", "__proto__", "\u0000", "é"].filter((key) => value.data.has(key))
    )
    expect(found(memory, "b")).toBeUndefined()
  })

  it("S8: insert refuses a taken id and leaves its record alone", () => {
    const memory = make(unbounded)
    insert(memory, "a")
    expect(insert(memory, "a", session({ data: { user: "\"eve\"" } }))).toBe(false)
    expect(found(memory, "a")!.data.get("user")).toBe("\"ada\"")
    expect(memory.stats.sessions()).toBe(1)
  })

  it("S8: update applies clear, remove, set in that order, adds one to the version, and never creates", () => {
    const memory = make(unbounded)
    insert(memory, "a", session({ data: { a: "1", b: "2" } }))
    const update = (patch: Partial<Patch>, ifVersion?: number) =>
      now(memory.backend.update(idOf("a"), patchOf(patch), start, ifVersion))
    expect(update({ set: new Map([["c", "3"]]), remove: new Set(["a"]) })).toMatchObject({
      _tag: "Updated",
      version: 2
    })
    expect(found(memory, "a")!.data).toEqual(new Map([["b", "2"], ["c", "3"]]))
    expect(update({ clear: true, set: new Map([["d", "4"]]) }, 2)).toMatchObject({ _tag: "Updated", version: 3 })
    expect(found(memory, "a")!.data).toEqual(new Map([["d", "4"]]))
    expect(update({ clear: true }, 2)).toEqual({ _tag: "Conflict" })
    expect(found(memory, "a")).toMatchObject({ data: new Map([["d", "4"]]), version: 3 })
    expect(now(memory.backend.update(idOf("b"), patchOf({ set: new Map([["a", "1"]]) }), start))).toEqual({
      _tag: "Missing"
    })
    expect(found(memory, "b")).toBeUndefined()
  })

  it("S8: update answers the times it left, the new ones where the patch has them", () => {
    const memory = make(unbounded)
    const { data: _data, owner: _owner, ...times } = session()
    insert(memory, "a")
    expect(now(memory.backend.update(idOf("a"), patchOf({}), start))).toEqual({
      _tag: "Updated",
      version: 2,
      expiry: times
    })
    const expiry = {
      ...times,
      refreshedAt: start + 1,
      expiresAt: start + 2,
      idleMillis: 1,
      persistent: false,
      own: true
    }
    expect(now(memory.backend.update(idOf("a"), patchOf({ expiry }), start))).toEqual({
      _tag: "Updated",
      version: 3,
      expiry
    })
    expect(found(memory, "a", start + 1)).toMatchObject(expiry)
    expect(found(memory, "a", start + 2)).toBeUndefined()
  })

  it("S7: update answers TooLarge at one byte above the limit of the patch and writes nothing", () => {
    const memory = make(unbounded)
    insert(memory, "a", session({ data: { k: "\"é\"" } })) // 1 + 4 bytes
    const grow = (maxBytes: number) =>
      now(memory.backend.update(idOf("a"), patchOf({ set: new Map([["漢", "\"漢\""]]), maxBytes }), start)) // 3 + 5
    expect(grow(12)).toEqual({ _tag: "TooLarge", size: 13 })
    expect(found(memory, "a")).toMatchObject({ data: new Map([["k", "\"é\""]]), version: 1 })
    expect(grow(13)).toMatchObject({ _tag: "Updated" })
  })

  it("S8: remove tells who was first, and obeys the version", () => {
    const memory = make(unbounded)
    insert(memory, "a")
    const remove = (ifVersion?: number) => now(memory.backend.remove(idOf("a"), ifVersion, start))
    expect([remove(2), remove(1), remove(1), remove()]).toEqual(["conflict", "removed", "missing", "missing"])
    expect(memory.stats).toSatisfy((stats: Memory["stats"]) => stats.sessions() === 0 && stats.bytes() === 0)
  })

  it("S4: a record with expiresAt <= now is given out by no function, even before clean-up", () => {
    const memory = make(unbounded)
    insert(memory, "a", session({ life: 1000 }))
    now(memory.index.insert(idOf("b"), { ...owned("ada"), expiresAt: start + 1000 }, start, undefined))
    expect(found(memory, "a", start + 999)).toBeDefined()
    const late = start + 1000
    expect(found(memory, "a", late)).toBeUndefined()
    expect(now(memory.backend.update(idOf("a"), patchOf({}), late))).toEqual({ _tag: "Missing" })
    expect(now(memory.backend.remove(idOf("a"), undefined, late))).toBe("missing")
    expect(now(memory.index.list("ada", late))).toEqual([])
    expect(insert(memory, "a", session({ life: 2000, data: { fresh: "1" } }), late)).toBe(true)
    expect(found(memory, "a", late)).toMatchObject({ data: new Map([["fresh", "1"]]), version: 1 })
  })

  it("S4: removeExpired removes at most limit records, those that expired, and answers how many", () => {
    const memory = make(unbounded)
    for (let i = 0; i < 250; i++) insert(memory, i, session({ life: 1 + (i * 7919) % 250 }))
    expect(now(memory.backend.removeExpired(start, 1000))).toBe(0)
    const at = start + 100
    expect(now(memory.backend.removeExpired(at, 30))).toBe(30)
    expect(memory.stats.sessions()).toBe(220)
    expect(now(memory.backend.removeExpired(at, 1000))).toBe(70)
    expect(now(memory.backend.removeExpired(at, 1000))).toBe(0)
    expect(Array.from({ length: 250 }, (_, i) => i).filter((i) => found(memory, i, at)).length).toBe(150)
  })

  it("S8: an id that is none of 43 canonical characters of base64url finds nothing and cannot be inserted", () => {
    const memory = make(unbounded)
    const id = idOf("a")
    insert(memory, "a")
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    const last = alphabet.indexOf(id[42])
    const wrong = [
      "",
      id.slice(1),
      id + "=",
      id.slice(0, 42) + alphabet[last ^ 1], // decodes to the same bytes
      "+" + id.slice(1),
      id.slice(0, 20) + "\u0141" + id.slice(21), // a code unit above 127
      id.slice(0, 42) + "\u00e9"
    ]
    for (const text of wrong) {
      expect(Option.isNone(now(memory.backend.find(text, start)))).toBe(true)
      expect(now(memory.backend.remove(text, undefined, start))).toBe("missing")
      expect(Exit.isFailure(Effect.runSyncExit(memory.backend.insert(text, session(), start)))).toBe(true)
    }
    expect(memory.stats.sessions()).toBe(1)
  })

  it("C1: what was found shares nothing with the record", () => {
    const memory = make(unbounded)
    insert(memory, "a")
    ;(found(memory, "a")!.data as Map<string, string>).set("user", "\"eve\"")
    expect(found(memory, "a")!.data.get("user")).toBe("\"ada\"")
  })

  it("S8: a session of 256 KiB, of any text, is kept exactly, grows and shrinks", () => {
    const memory = make(unbounded)
    const texts = ["x".repeat(262_000), "漢".repeat(80_000), "", "ÿ".repeat(100_000), "\u{1F600}".repeat(33)]
    insert(memory, "a", session({ data: {} }))
    const empty = memory.stats.bytes()
    for (const text of texts) {
      const set = new Map([["k", JSON.stringify(text)]])
      expect(now(memory.backend.update(idOf("a"), patchOf({ set, maxBytes: 1_000_000 }), start))._tag).toBe("Updated")
      expect(found(memory, "a")!.data).toEqual(set)
    }
    now(memory.backend.update(idOf("a"), patchOf({ clear: true }), start))
    expect(memory.stats.bytes()).toBe(empty)
  })
})

const withoutData = ({ data: _data, ...rest }: NewSession): Omit<NewSession, "data"> => rest

describe("Memory backend: subjects", () => {
  const list = (memory: Memory, subject: string, at = start) => now(memory.index.list(subject, at)).map(({ id }) => id)

  it("S8: lists a subject's live records, oldest first, and no one else's", () => {
    const memory = make(unbounded)
    for (
      const [name, subject, createdAt] of [["c", "ada", 3], ["a", "ada", 1], ["b", "ada", 2], ["x", "Ada", 1]] as const
    ) {
      expect(now(memory.index.insert(idOf(name), owned(subject, start + createdAt), start, undefined))).toBe("Inserted")
    }
    expect(list(memory, "ada")).toEqual([idOf("a"), idOf("b"), idOf("c")])
    expect(now(memory.index.list("Ada", start))).toEqual([{
      id: idOf("x"),
      session: { ...withoutData(owned("Ada", start + 1)), version: 1 }
    }])
    now(memory.backend.remove(idOf("b"), undefined, start))
    now(memory.index.forget("ada", idOf("b")))
    expect(list(memory, "ada")).toEqual([idOf("a"), idOf("c")])
    expect(list(memory, "bob")).toEqual([])
  })

  it("S8: an inserted record with an owner is listed however it was inserted, and a taken id is told", () => {
    const memory = make(unbounded)
    insert(memory, "a", owned("ada"))
    expect(list(memory, "ada")).toEqual([idOf("a")])
    expect(now(memory.index.insert(idOf("a"), owned("bob"), start, { max: 1, whenFull: "refuse" }))).toBe("Taken")
    expect(list(memory, "bob")).toEqual([])
  })

  it("S8: the bound evicts the oldest or refuses; expired records do not count", () => {
    const memory = make(unbounded)
    const signIn = (name: string, createdAt: number, whenFull: "evict-oldest" | "refuse") =>
      now(memory.index.insert(idOf(name), owned("ada", start + createdAt), start, { max: 2, whenFull }))
    now(memory.index.insert(idOf("old"), { ...owned("ada", start), expiresAt: start }, start - 1, undefined))
    expect([signIn("a", 1, "refuse"), signIn("b", 2, "refuse"), signIn("c", 3, "refuse")])
      .toEqual(["Inserted", "Inserted", "Full"])
    expect(list(memory, "ada")).toEqual([idOf("a"), idOf("b")])
    expect(signIn("c", 3, "evict-oldest")).toBe("Inserted")
    expect(list(memory, "ada")).toEqual([idOf("b"), idOf("c")])
    expect(found(memory, "a")).toBeUndefined()
  })
})

describe("Memory backend: bounds", () => {
  it("S5: a flood of one-shot visitors evicts nobody who came back", () => {
    const memory = make({ maxSessions: 1000, maxBytes: 2 ** 30 })
    for (let i = 0; i < 500; i++) insert(memory, i)
    for (let i = 0; i < 500; i++) found(memory, i)
    for (let i = 0; i < 5000; i++) insert(memory, `flood ${i}`)
    expect(memory.stats.sessions()).toBe(1000)
    expect(memory.stats.evicted()).toBe(4500)
    expect(Array.from({ length: 500 }, (_, i) => i).filter((i) => found(memory, i)).length).toBe(500)
  })

  it("S5: a session counts as having come back by an update too, and from a sign-in on", () => {
    const memory = make({ maxSessions: 100, maxBytes: 2 ** 30 })
    insert(memory, "updated")
    now(memory.backend.update(idOf("updated"), patchOf({}), start))
    now(memory.index.insert(idOf("signed in"), owned("ada"), start, undefined))
    for (let i = 0; i < 1000; i++) insert(memory, i)
    expect(found(memory, "updated")).toBeDefined()
    expect(found(memory, "signed in")).toBeDefined()
  })

  it("S5: 2,400 visitors who make two requests each sign nobody out of a store of 2,000 sessions", () => {
    const memory = make({ maxSessions: 2000, maxBytes: 2 ** 30 })
    now(memory.index.insert(idOf("signed in"), owned("ada"), start, undefined))
    for (let i = 0; i < 2400; i++) {
      insert(memory, i)
      found(memory, i)
    }
    expect(found(memory, "signed in")).toMatchObject({ owner: { subject: "ada" } })
    expect(memory.stats.sessions()).toBe(2000)
    expect(memory.stats.evicted()).toBe(401)
  })

  it("S5: visitors whose sessions grow sign nobody out when the bytes run out", () => {
    const memory = make({ maxSessions: 1_000_000, maxBytes: 100_000 })
    insert(memory, "signed in", owned("ada"))
    for (let i = 0; i < 400; i++) {
      insert(memory, i)
      const set = new Map([["k", JSON.stringify("x".repeat(i))]])
      now(memory.backend.update(idOf(i), patchOf({ set }), start))
    }
    expect(found(memory, "signed in")).toMatchObject({ owner: { subject: "ada" } })
    expect(memory.stats.evicted()).toBeGreaterThan(100)
  })

  it("S5: where every session belongs to a subject, the least recently used goes, and a visitor goes before the next", () => {
    const memory = make({ maxSessions: 5, maxBytes: 2 ** 30 })
    for (let i = 0; i < 5; i++) insert(memory, i, owned(`user ${i}`))
    found(memory, 0)
    for (let i = 5; i < 100; i++) {
      insert(memory, i)
      expect(found(memory, i)).toBeDefined()
    }
    expect(memory.stats.sessions()).toBe(5)
    expect([0, 1, 2, 3, 4, 99].filter((i) => found(memory, i))).toEqual([0, 2, 3, 4, 99])
  })

  it("S5: a mark of a renewal goes before any session, evicts none, and is no eviction", () => {
    const memory = make({ maxSessions: 3, maxBytes: 2 ** 30 })
    const markOf = (name: string) =>
      now(memory.backend.remove(idOf(name), undefined, start, { id: idOf("next"), expiresAt: start + 60_000 }))
    for (const name of ["a", "renewed", "b"]) insert(memory, name)
    expect(markOf("renewed")).toBe("removed")
    insert(memory, "c")
    expect(["a", "renewed", "b", "c"].map((name) => found(memory, name) !== undefined)).toEqual([
      true,
      false,
      true,
      true
    ])
    expect(memory.stats.evicted()).toBe(0)

    const small = session({ data: {} })
    const full = make({ maxSessions: 100, maxBytes: fixedBytes * 3 + 36 * 2 })
    for (const name of ["a", "renewed"]) insert(full, name, small)
    insert(full, "b", session({ data: { k: JSON.stringify("x".repeat(40)) } }))
    expect(full.stats.sessions()).toBe(3)
    expect(now(full.backend.remove(idOf("renewed"), undefined, start, { id: idOf("next"), expiresAt: start + 60_000 })))
      .toBe("removed")
    expect(["a", "renewed", "b"].map((name) => found(full, name) !== undefined)).toEqual([true, false, true])
  })

  it("S5: among those that never came back the oldest goes first, and a newcomer never evicts itself", () => {
    const memory = make({ maxSessions: 3, maxBytes: 2 ** 30 })
    for (let i = 0; i < 100; i++) {
      expect(insert(memory, i)).toBe(true)
      expect(memory.stats.sessions()).toBe(Math.min(i + 1, 3))
    }
    expect([96, 97, 98, 99].map((i) => found(memory, i) !== undefined)).toEqual([false, true, true, true])
    const one = make({ maxSessions: 1, maxBytes: 2 ** 30 })
    insert(one, "a")
    found(one, "a")
    insert(one, "b")
    expect([found(one, "a"), found(one, "b")]).toMatchObject([undefined, { version: 1 }])
  })

  it("S5: when all have come back, the least recently used goes, and newcomers keep a share for their second request", () => {
    const memory = make({ maxSessions: 320, maxBytes: 2 ** 30 })
    for (let i = 0; i < 320; i++) insert(memory, i)
    for (let i = 0; i < 320; i++) found(memory, i)
    // ten newcomers at a time (1/32) come back before they are pushed out, however many follow each other
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 10; i++) insert(memory, `${round}.${i}`)
      for (let i = 0; i < 10; i++) expect(found(memory, `${round}.${i}`)).toBeDefined()
    }
    expect(Array.from({ length: 200 }, (_, i) => i).filter((i) => found(memory, i))).toEqual([])
    expect(found(memory, 319)).toBeDefined()
  })

  it("S5: a flood over a store whose every session came back takes no more than the newcomers' share", () => {
    const memory = make({ maxSessions: 320, maxBytes: 2 ** 30 })
    for (let i = 0; i < 320; i++) insert(memory, i)
    for (let i = 0; i < 320; i++) found(memory, i)
    for (let i = 0; i < 3000; i++) insert(memory, `flood ${i}`)
    expect(Array.from({ length: 320 }, (_, i) => i).filter((i) => found(memory, i)))
      .toEqual(Array.from({ length: 310 }, (_, i) => i + 10))
  })

  it("S5: expired sessions make room first, and that is no eviction", () => {
    const memory = make({ maxSessions: 3, maxBytes: 2 ** 30 })
    insert(memory, "expired", session({ life: 1000 }))
    found(memory, "expired")
    insert(memory, "a")
    insert(memory, "b")
    insert(memory, "c", session(), start + 1000)
    expect(memory.stats).toSatisfy((stats: Memory["stats"]) => stats.evicted() === 0 && stats.sessions() === 3)
    expect(["a", "b", "c"].map((name) => found(memory, name) !== undefined)).toEqual([true, true, true])
  })

  it("S5: the bound in bytes holds for inserts and for sessions that grow", () => {
    const size = fixedBytes + 36
    const memory = make({ maxSessions: 1000, maxBytes: size * 10 })
    for (let i = 0; i < 10; i++) insert(memory, i)
    expect(memory.stats).toSatisfy((stats: Memory["stats"]) => stats.bytes() === size * 10 && stats.evicted() === 0)
    const set = new Map([["k", JSON.stringify("x".repeat(300))]])
    expect(now(memory.backend.update(idOf(9), patchOf({ set }), start))._tag).toBe("Updated")
    expect(memory.stats.bytes()).toBeLessThanOrEqual(size * 10)
    expect(memory.stats.evicted()).toBe(3)
    expect([0, 1, 2, 3, 9].map((i) => found(memory, i) !== undefined)).toEqual([false, false, false, true, true])
  })

  it("S5: memory is reused: what was taken from the system does not grow with what came and went", () => {
    const memory = make({ maxSessions: 100, maxBytes: 2 ** 30 })
    const text = (i: number) => ({ k: JSON.stringify("x".repeat(i % 500)) })
    const after = (count: number) => {
      for (let i = 0; i < count; i++) {
        insert(memory, i, session({ data: text(i), life: 1000, ...(i % 2 === 0 ? { owner: owned("ada").owner } : {}) }))
        now(memory.backend.update(idOf(i), patchOf({ set: new Map(Object.entries(text(i * 7))) }), start))
        if (i % 3 === 0) now(memory.backend.remove(idOf(i), undefined, start))
      }
      now(memory.backend.removeExpired(start + 1000, 1000))
      return memory.stats.allocatedBytes()
    }
    const once = after(1000)
    expect(after(4000)).toBe(once)
    expect(memory.stats).toSatisfy((stats: Memory["stats"]) => stats.sessions() === 0 && stats.bytes() === 0)
  })

  it("S5: a session larger than the whole store is refused and evicts nobody", () => {
    const memory = make({ maxSessions: 10, maxBytes: 2000 })
    insert(memory, "a")
    insert(memory, "b")
    const huge = { k: JSON.stringify("x".repeat(2000)) }
    const refused = Effect.runSyncExit(memory.backend.insert(idOf("huge"), session({ data: huge }), start))
    expect(refused).toMatchObject({
      _tag: "Failure",
      cause: { error: { _tag: "SessionStoreError", reason: "Unavailable" } }
    })
    expect(now(memory.backend.update(idOf("a"), patchOf({ set: new Map(Object.entries(huge)) }), start)))
      .toEqual({ _tag: "TooLarge", size: 2003 + "user\"ada\"".length })
    expect([found(memory, "a"), found(memory, "b")]).toMatchObject([{ version: 1 }, { version: 1 }])
    expect(memory.stats.evicted()).toBe(0)
  })

  it("S5: largestBytes is enough for any session of that size", () => {
    const memory = make({ maxSessions: 10, maxBytes: largestBytes(1000) })
    for (const [key, unit] of [["\u0000".repeat(999), ""], ["k", "漢".repeat(332)], ["k", "x".repeat(997)]]) {
      const data = { [key]: JSON.stringify(unit).slice(0, 999) }
      expect(insert(memory, key, session({ data }))).toBe(true)
      expect(now(memory.backend.remove(idOf(key), undefined, start))).toBe("removed")
    }
  })

  it.effect("S5: evictions are counted in effect_session_evicted_total", () =>
    Effect.gen(function*() {
      const metric = Metric.counter("effect_session_evicted_total", {
        description: "sessions that the Memory store evicted because it was full",
        incremental: true
      })
      const before = (yield* Metric.value(metric)).count
      const memory = make({ maxSessions: 5, maxBytes: 2 ** 30 })
      for (let i = 0; i < 12; i++) insert(memory, i)
      expect(memory.stats.evicted()).toBe(7)
      expect((yield* Metric.value(metric)).count - before).toBe(7)
    }))

  it("S5: bounds that are none are refused", () => {
    for (const wrong of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => make({ maxSessions: wrong, maxBytes: 1000 })).toThrow(RangeError)
      expect(() => make({ maxSessions: 10, maxBytes: wrong })).toThrow(RangeError)
    }
  })
})

describe("Memory backend: any history", () => {
  const sizeOf = (value: NewSession): number => {
    const owner = value.owner === undefined
      ? ""
      : JSON.stringify([
        value.owner.subject,
        value.owner.authenticatedAt,
        value.owner.userAgent ?? null,
        value.owner.address ?? null
      ])
    const text = (owner === "" ? "" : `${owner.length}:${owner}`) + pack(value.data)
    const latin1 = [...text].every((char) => char.codePointAt(0)! < 256)
    return fixedBytes + 36 * Math.ceil(text.length * (latin1 ? 1 : 2) / 32)
  }

  for (
    const [title, bounds] of [
      ["without a bound in reach", unbounded],
      ["with few sessions", { maxSessions: 5, maxBytes: 2 ** 30 }],
      ["with few bytes", { maxSessions: 1000, maxBytes: 1500 }]
    ] as const
  ) {
    it(`S5: answers what a naive map answers, ${title}`, () => {
      FastCheck.assert(
        FastCheck.property(FastCheck.array(step, { maxLength: 60, size: "max" }), (steps) => {
          const memory = make(bounds)
          const naive = new Naive({ ...bounds, sizeOf })
          for (const { expected, run } of callsOf(steps, naive)) {
            const answer = now(run(memory.backend, memory.index))
            expect(Option.isOption(answer) ? Option.getOrUndefined(answer) : answer).toEqual(expected)
            expect([memory.stats.sessions(), memory.stats.bytes(), memory.stats.evicted()])
              .toEqual([naive.sessions, naive.bytes, naive.evicted])
          }
        }),
        { numRuns: 100 }
      )
    })
  }

  it("S8: 12,000 sessions, through every way of growing, lose and mix up nothing", () => {
    const memory = make(unbounded)
    const total = 12_000
    const value = (i: number, extra = "") => JSON.stringify(`${i}`.repeat(i % 30) + extra)
    for (let i = 0; i < total; i++) insert(memory, i, session({ data: { k: value(i) }, life: 1 + (i % 1000) }))
    for (let i = 0; i < total; i += 3) {
      now(memory.backend.update(idOf(i), patchOf({ set: new Map([["k", value(i, "漢")]]) }), start))
    }
    for (let i = 0; i < total; i += 5) now(memory.backend.remove(idOf(i), undefined, start))
    for (let i = 0; i < total; i += 10) insert(memory, i, session({ data: { again: value(i) }, life: 1 + (i % 1000) }))
    const at = start + 300
    const live = (i: number) => 1 + (i % 1000) > 300
    expect(now(memory.backend.removeExpired(at, total))).toBeGreaterThan(2400)
    let wrong = 0
    for (let i = 0; i < total; i++) {
      const expected = !live(i) || (i % 5 === 0 && i % 10 !== 0)
        ? undefined
        : i % 10 === 0
        ? { again: value(i) }
        : { k: value(i, i % 3 === 0 ? "漢" : "") }
      const answer = found(memory, i, at)
      if (JSON.stringify(answer && Object.fromEntries(answer.data)) !== JSON.stringify(expected)) wrong++
    }
    expect(wrong).toBe(0)
  })
})
