import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Json from "../../src/internal/codec/json.js"

const textOf = (value: unknown): string | undefined => {
  const json = Json.stringify(value)
  return "text" in json ? json.text : undefined
}

const problemOf = (value: unknown): readonly [problem: string, path: string] | undefined => {
  const json = Json.stringify(value)
  return "problem" in json ? [json.problem, json.path] : undefined
}

describe("JSON text of a value", () => {
  it("C1: a JSON value is written as JSON.stringify writes it, and comes back equal", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (value) => {
        expect(Json.stringify(value)).toEqual({ text: JSON.stringify(value), lossy: false })
        expect(JSON.parse(textOf(value)!)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 500 }
    )
  })

  it("C1: any value either comes back equal or is refused, and nothing throws", () => {
    const leaf = FastCheck.oneof(
      FastCheck.constantFrom<unknown>(
        undefined,
        NaN,
        Infinity,
        1n,
        Symbol.iterator,
        new Date(0),
        new Map(),
        /x/,
        -0,
        null
      ),
      FastCheck.string({ unit: "binary" }),
      FastCheck.double(),
      FastCheck.boolean()
    )
    const { value: anything } = FastCheck.letrec<{ value: unknown }>((tie) => ({
      value: FastCheck.oneof(
        { depthSize: "small" },
        leaf,
        FastCheck.array(tie("value")),
        FastCheck.dictionary(FastCheck.oneof(FastCheck.string(), FastCheck.constant("__proto__")), tie("value"))
      )
    }))
    FastCheck.assert(
      FastCheck.property(anything, (value) => {
        const json = Json.stringify(value)
        if ("problem" in json) return
        const back = JSON.parse(json.text) as unknown
        // apart from properties that are undefined, which is what `lossy` says, and from the sign of zero
        expect(back).toEqual(JSON.parse(JSON.stringify(value)))
        if (!json.lossy) expect(JSON.stringify(back)).toBe(JSON.stringify(value))
        expect(Json.stringify(back)).toMatchObject({ lossy: false })
      }),
      { numRuns: 1000 }
    )
  })

  it("C1: a refusal names the path of the first part that is not JSON", () => {
    class Instance {
      readonly field = 1
    }
    expect(problemOf({ list: [1, { at: NaN }] })).toEqual(["NaN is not JSON", "list.1.at"])
    expect(problemOf([undefined])?.[1]).toBe("0")
    expect(problemOf(new Array(2))?.[1]).toBe("0")
    for (
      const value of [
        undefined,
        1n,
        () => 1,
        Symbol("s"),
        new Date(0),
        new Instance(),
        new Map(),
        new Uint8Array(1),
        Object(1)
      ]
    ) {
      expect(problemOf(value)).toEqual([expect.any(String), ""])
    }
  })

  it("C1: a value with a toJSON method cannot be written as another value", () => {
    class Impostor extends Array<number> {
      toJSON() {
        return "another"
      }
    }
    const withToJson = Object.assign([1], { toJSON: () => "another" })
    for (
      const value of [
        { toJSON: () => "another" },
        new Impostor(1),
        withToJson,
        [new Impostor(1)],
        Object.create({ toJSON: () => "another" }) as unknown,
        new Proxy([1], {
          get: (target, key) => key === "toJSON" ? () => "another" : Reflect.get(target, key) as unknown
        })
      ]
    ) {
      expect(textOf(value)).not.toBe("\"another\"")
      expect(textOf(value)).not.toBe("[\"another\"]")
    }
  })

  it("C1: cycles, endless nesting and getters that throw are refused with a message that does not show the value", () => {
    const cycle: Record<string, unknown> = { secret: "of the value" }
    cycle["self"] = cycle
    let nested: unknown = "of the value"
    for (let i = 0; i < 200_000; i++) nested = [nested]
    const thrower = {
      get field(): never {
        throw new Error("of the value")
      }
    }
    for (const value of [cycle, nested, thrower, [thrower]]) {
      expect(problemOf(value)?.join()).not.toContain("of the value")
    }
  })

  it("C1: undefined properties are left out and reported", () => {
    expect(Json.stringify({ a: undefined, b: { c: undefined }, d: 1 })).toEqual({
      text: "{\"b\":{},\"d\":1}",
      lossy: true
    })
  })

  it("C8: __proto__, constructor and toJSON are ordinary names of data", () => {
    const value = JSON.parse("{\"__proto__\":{\"polluted\":1},\"constructor\":2,\"toJSON\":3}") as unknown
    expect(textOf(value)).toBe("{\"__proto__\":{\"polluted\":1},\"constructor\":2,\"toJSON\":3}")
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })
})
