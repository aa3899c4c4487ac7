import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Data from "../../src/internal/codec/packedData.js"

// a lone surrogate is no key: SessionKey.make refuses it
const key = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  FastCheck.constantFrom(
    "",
    "__proto__",
    "constructor",
    "1:1:",
    "\\u0000",
    "\0",
    "a",
    "A",
    "\u00e9",
    "e\u0301",
    "\ud83d\ude00"
  )
).filter((key) => key.isWellFormed())
const text = FastCheck.jsonValue().map((value) => JSON.stringify(value))
const data = FastCheck.array(FastCheck.tuple(key, text), { maxLength: 8 }).map((entries) => new Map(entries))

describe("the data of a session as flat text", () => {
  it("C8: any keys and texts come back in their order", () => {
    FastCheck.assert(
      FastCheck.property(data, FastCheck.string(), (data, before) => {
        expect([...Data.unpack(before + Data.pack(data), before.length) ?? []]).toEqual([...data])
      }),
      { numRuns: 1000 }
    )
  })

  it("C8: two different sessions never have the same flat text", () => {
    FastCheck.assert(FastCheck.property(data, data, (one, other) => {
      const same = JSON.stringify([...one]) === JSON.stringify([...other])
      expect(Data.pack(one) === Data.pack(other)).toBe(same)
    }))
  })

  it("K6: the size of a flat text is the sum of what each entry adds, known before it is written", () => {
    FastCheck.assert(FastCheck.property(data, (data) => {
      let sum = 0
      for (const [key, text] of data) sum += Data.packedBytes(key, text)
      expect(Buffer.byteLength(Data.pack(data))).toBe(sum)
      expect(Data.totalBytes(data)).toBe([...data].reduce((all, entry) => all + Buffer.byteLength(entry.join("")), 0))
    }))
    for (const length of [9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000]) {
      const text = `"${"x".repeat(length - 2)}"`
      expect(Data.packedBytes("k", text)).toBe(Buffer.byteLength(Data.pack(new Map([["k", text]]))))
    }
  })

  it("S6: a text that was not written by this code is recognised, and nothing throws", () => {
    const cut = FastCheck.tuple(data, FastCheck.nat(), FastCheck.nat(), FastCheck.string({ maxLength: 2 })).map(
      ([data, at, length, inserted]) => {
        const flat = Data.pack(data)
        const from = at % (flat.length + 1)
        return flat.slice(0, from) + inserted + flat.slice(from + length % 3)
      }
    )
    const numbers = FastCheck.array(FastCheck.constantFrom(":", "0", "1", "2", "9", "-1", "1e3", "\\", "\"", "x", " "))
      .map(
        (parts) => parts.join("")
      )
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(cut, numbers, FastCheck.string({ unit: "binary" })), (flat) => {
        const data = Data.unpack(flat)
        // what it does read is the text of what it read: no two texts are the same session
        if (data !== undefined && ![...data.keys()].some((key) => /["\\\u0000-\u001f\ud800-\udfff]/.test(key))) {
          expect(Data.pack(data)).toBe(flat)
        }
      }),
      { numRuns: 3000 }
    )
    for (
      const flat of ["1:1:a", "1:1:abc", "01:1:ab", ":1:a", "1::a", "99999999:1:a", "1:1:a11:1:a2", "2:1:\\x1", "1"]
    ) {
      expect([flat, Data.unpack(flat)]).toEqual([flat, undefined])
    }
  })

  it("C1: a patch clears, removes and sets, and does not change the data that it is given", () => {
    const given = new Map([["a", "1"], ["b", "2"]])
    const next = Data.applyPatch(given, { clear: false, remove: new Set(["a"]), set: new Map([["c", "3"]]) })
    expect([...next]).toEqual([["b", "2"], ["c", "3"]])
    expect([...Data.applyPatch(given, { clear: true, remove: new Set(), set: new Map([["b", "3"]]) })]).toEqual([[
      "b",
      "3"
    ]])
    expect([...given]).toEqual([["a", "1"], ["b", "2"]])
  })
})
