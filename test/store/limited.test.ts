import { describe, expect, it } from "@effect/vitest"
import * as Limited from "../../src/internal/store/limited.js"

const minute = 60_000
const now = 1_795_000_000_000

describe("warnings that a client can repeat", () => {
  it("K7: of each kind, so many are logged in a minute, and the next one says how many were left out", () => {
    const limited = Limited.make(2)
    expect(["a", "b", "c", "d"].map((text, at) => limited("one", text, now + at))).toEqual([
      "a",
      "b",
      undefined,
      undefined
    ])
    expect(limited("other", "e", now + 4)).toBe("e")
    expect(limited("one", "f", now + minute - 1)).toBeUndefined()
    expect(limited("one", "g", now + minute)).toBe("g (3 more warnings of this kind have not been logged)")
    expect(limited("one", "h", now + minute + 1)).toBe("h")
    expect(limited("one", "i", now + minute + 2)).toBeUndefined()
    expect(limited("one", "j", now + 3 * minute)).toBe("j (1 more warnings of this kind have not been logged)")
    expect(limited("one", "k", now + 5 * minute)).toBe("k")
  })

  it("K7: a clock that goes back does not silence the warnings", () => {
    const limited = Limited.make(1)
    expect(limited("one", "a", now)).toBe("a")
    expect(limited("one", "b", now - 10 * minute)).toBe("b")
  })
})
