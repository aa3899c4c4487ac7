/**
 * What every backend promises about sizes, texts and races (S2, S3, S7, C8, C9); `backendContract.ts` holds its functions one by one.
 */
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { expect } from "vitest"
import * as Data from "../codec/packedData.js"
import { type BackendTest, expected, inserted, plain, read, sorted, test, text, together } from "./backendTest.js"
import { awkwardNames } from "./fixtures.js"
import { data, patch, session, times } from "./records.js"

export const tests: ReadonlyArray<BackendTest> = [
  test("S7: an update that would exceed maxBytes returns TooLarge with the size and writes nothing, and the boundary itself fits", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const record = session(now, { data: new Map([["ü", text("x")]]) }) // 2 + 3 bytes
      const id = yield* inserted(backend, record, now)
      const set = new Map([["key", text("ü\ud83d\ude00")]]) // 3 + 8 bytes
      const size = Data.totalBytes(record.data) + Data.totalBytes(set)
      expect(size).toBe(16)
      const refused = yield* backend.update(id, patch({ set, expiry: times(now + 1), maxBytes: size - 1 }), now)
      expect(refused).toMatchObject({ _tag: "TooLarge", size })
      expect(plain(yield* read(backend, id, now))).toEqual(expected(record, 1))
      expect(yield* backend.update(id, patch({ set, maxBytes: size }), now)).toMatchObject({ _tag: "Updated" })
      // what is replaced, removed or cleared does not count
      const replaced = new Map([["key", text("ü\ud83d\ude00")]])
      expect(yield* backend.update(id, patch({ set: replaced, maxBytes: size }), now)).toMatchObject({
        _tag: "Updated"
      })
      const other = new Map([["new", text("12345678")]]) // 3 + 10 bytes: 13, with `ü` 18
      expect(yield* backend.update(id, patch({ set: other, remove: new Set(["key"]), maxBytes: 17 }), now))
        .toMatchObject(
          { _tag: "TooLarge", size: 18 }
        )
      expect(yield* backend.update(id, patch({ set: other, remove: new Set(["key"]), maxBytes: 18 }), now))
        .toMatchObject(
          { _tag: "Updated" }
        )
      expect(yield* backend.update(id, patch({ clear: true, set: other, maxBytes: 13 }), now)).toMatchObject({
        _tag: "Updated"
      })
      expect((yield* read(backend, id, now))?.data).toEqual(other)
    })),

  test(
    "S7: only an update that makes the session larger is TooLarge, so that a session over a lowered limit lives on and may shrink",
    (backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const large = new Map([["big", text("x".repeat(200))], ["small", text("y")]])
        const id = yield* inserted(backend, session(now, { data: large }), now)
        const size = Data.totalBytes(large)
        const maxBytes = 100
        const done = { _tag: "Updated" }
        expect(yield* backend.update(id, patch({ maxBytes }), now)).toMatchObject(done)
        expect(yield* backend.update(id, patch({ expiry: times(now + 1), maxBytes }), now)).toMatchObject(done)
        // one that replaces is judged by its result: of the same size, one byte more, one byte less
        const change = (length: number) => patch({ set: new Map([["small", text("z".repeat(length))]]), maxBytes })
        expect(yield* backend.update(id, change(1), now)).toMatchObject(done)
        const before = plain(yield* read(backend, id, now))
        expect(yield* backend.update(id, change(2), now)).toMatchObject({ _tag: "TooLarge", size: size + 1 })
        expect(plain(yield* read(backend, id, now))).toEqual(before)
        expect(yield* backend.update(id, change(0), now)).toMatchObject(done)
        expect(yield* backend.update(id, patch({ remove: new Set(["small", "absent"]), maxBytes }), now))
          .toMatchObject(done)
        // clearing it for something smaller, still over the limit
        const smaller = new Map([["other", text("x".repeat(150))]])
        const cleared = yield* backend.update(id, patch({ clear: true, set: smaller, maxBytes }), now)
        expect(cleared).toMatchObject(done)
        expect((yield* read(backend, id, now))?.data).toEqual(smaller)
        const larger = patch({ clear: true, set: new Map([["other", text("x".repeat(151))]]), maxBytes })
        expect(yield* backend.update(id, larger, now)).toMatchObject({ _tag: "TooLarge" })
        expect(yield* backend.update(id, patch({ clear: true, maxBytes }), now)).toMatchObject(done)
        expect((yield* read(backend, id, now))?.data.size).toBe(0)
      })
  ),

  test("S7: parallel updates together cannot exceed maxBytes", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: new Map() }), now)
      const maxBytes = 100
      const answers = yield* together(
        Array.from({ length: 20 }, (_, i) =>
          backend.update(id, patch({ set: new Map([[`k${10 + i}`, text("1234567")]]), maxBytes }), now))
      )
      // 3 + 9 bytes each
      expect(answers.filter(({ _tag }) =>
        _tag === "Updated"
      )).toHaveLength(8)
      const record = yield* read(backend, id, now)
      expect(Data.totalBytes(record?.data ?? new Map())).toBe(96)
      expect(record?.version).toBe(9)
    })),

  test("S7: a session of 256 KiB is stored and found, in one value or in many", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const one = new Map([["big", text("é".repeat(131_000))]])
      const many = new Map(Array.from({ length: 2000 }, (_, i) => [`key ${i}`, text("x".repeat(100))] as const))
      for (const large of [one, many]) {
        const id = yield* inserted(backend, session(now, { data: large }), now)
        expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(large))
        const answer = yield* backend.update(id, patch({ clear: true, set: large }), now)
        expect(answer).toMatchObject({ _tag: "Updated", version: 2 })
        expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(large))
      }
    })),

  test("C8: any text is a distinct key, and the values are opaque texts", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const values = [
        "null",
        "0",
        "\"\"",
        "v2 {\"a\":1}",
        "v13 null",
        text("\u0000\u0001\u001f"),
        text("\u2028\ud83d\ude00e\u0301'\"\\"),
        "  {\"spaces\" :  1}  ",
        "1e400",
        "-0",
        "{\"__proto__\":{\"polluted\":true}}"
      ]
      const entries = new Map([
        ...awkwardNames.map((name, i) => [name, values[i % values.length]] as const),
        ...values.map((value, i) => [`value ${i}`, value] as const),
        ["long ".repeat(200), "1"] as const
      ])
      const id = yield* inserted(backend, session(now, { data: entries }), now)
      expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(entries))
      // the same by update, one after the other, and back
      const other = yield* inserted(backend, session(now, { data: new Map() }), now)
      for (const [key, value] of entries) yield* backend.update(other, patch({ set: new Map([[key, value]]) }), now)
      expect(sorted((yield* read(backend, other, now))?.data ?? new Map())).toEqual(sorted(entries))
      for (const [key] of entries) yield* backend.update(other, patch({ remove: new Set([key]) }), now)
      expect((yield* read(backend, other, now))?.data.size).toBe(0)
    })),

  test("C8: random keys and texts come back unchanged, through insert and through update", (backend) =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.dictionary(fc.string({ unit: "binary", maxLength: 12 }), fc.jsonValue(), { maxKeys: 8 }),
          fc.dictionary(fc.string({ unit: "binary", maxLength: 12 }), fc.jsonValue(), { maxKeys: 8 }),
          (first, second) =>
            Effect.runPromise(Effect.gen(function*() {
              const now = Date.now()
              const [a, b] = [data(first), data(second)]
              const id = yield* inserted(backend, session(now, { data: a }), now)
              yield* backend.update(id, patch({ set: b }), now)
              expect(sorted((yield* read(backend, id, now))?.data ?? new Map())).toEqual(sorted(new Map([...a, ...b])))
            }))
        ),
        { numRuns: 25 }
      )
    )),

  test("S3: parallel updates of one record are applied one by one, so that each is kept and has its own version", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: data({ start: true }) }), now)
      const answers = yield* together(
        Array.from({ length: 60 }, (_, i) => backend.update(id, patch({ set: data({ [`key ${i}`]: i }) }), now))
      )
      const versions = answers.map((answer) => answer._tag === "Updated" ? answer.version : -1)
      expect([...versions].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2))
      const record = yield* read(backend, id, now)
      expect(record?.version).toBe(61)
      expect(record?.data.size).toBe(61)
    })),

  test("S3: of parallel updates with the same ifVersion exactly one is applied", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: new Map() }), now)
      for (let version = 1; version <= 5; version++) {
        const answers = yield* together(
          Array.from({ length: 12 }, (_, i) => backend.update(id, patch({ set: data({ by: i }) }), now, version))
        )
        const winners = answers.flatMap(({ _tag }, i) => _tag === "Updated" ? [i] : [])
        expect(winners).toHaveLength(1)
        expect(answers.filter(({ _tag }) => _tag === "Conflict")).toHaveLength(11)
        expect((yield* read(backend, id, now))?.data).toEqual(data({ by: winners[0] }))
      }
    })),

  test("C9: parallel increments by find and update with ifVersion are all counted", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const id = yield* inserted(backend, session(now, { data: data({ n: 0 }) }), now)
      const addOne: Effect.Effect<void, unknown> = Effect.gen(function*() {
        const record = yield* read(backend, id, now)
        const n = Number(record?.data.get("n")) + 1
        const answer = yield* backend.update(id, patch({ set: data({ n }) }), now, record?.version, record)
        if (answer._tag === "Conflict") yield* Effect.zipRight(Effect.yieldNow(), addOne)
        else expect(answer._tag).toBe("Updated")
      })
      yield* Effect.all(Array.from({ length: 40 }, () => addOne), { concurrency: 5 })
      const record = yield* read(backend, id, now)
      expect(record?.data).toEqual(data({ n: 40 }))
      expect(record?.version).toBe(41)
    })),

  test("S2: a record that is removed during parallel updates stays removed", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      for (let i = 0; i < 20; i++) {
        const id = yield* inserted(backend, session(now), now)
        const update = (n: number) => backend.update(id, patch({ set: data({ [`key ${n}`]: n }) }), now)
        const [removed] = yield* Effect.all(
          [backend.remove(id, undefined, now), update(1), update(2), backend.update(id, patch(), now, 1)],
          { concurrency: "unbounded" }
        )
        expect(removed).toBe("removed")
        expect(yield* backend.find(id, now)).toEqual(Option.none())
        expect(yield* update(3)).toMatchObject({ _tag: "Missing" })
      }
    })),

  test("S8: one session never sees another's data", (backend) =>
    Effect.gen(function*() {
      const now = Date.now()
      const records = Array.from({ length: 30 }, (_, i) => session(now, { data: data({ who: i }) }))
      const all = yield* together(records.map((record) => inserted(backend, record, now)))
      yield* together(all.map((id, i) => backend.update(id, patch({ set: data({ seen: i }) }), now)))
      yield* together(all.filter((_, i) => i % 3 === 0).map((id) => backend.remove(id, undefined, now)))
      const found = yield* together(all.map((id) => read(backend, id, now)))
      found.forEach((record, i) => expect(record?.data).toEqual(i % 3 === 0 ? undefined : data({ who: i, seen: i })))
    }))
]
