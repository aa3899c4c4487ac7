import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { decodePercent } from "../../src/internal/codec/percent.js"

const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

/** What the platform decodes, or undefined where it throws. */
const platform = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

describe("percent-encoded values", () => {
  it("M8: an ASCII text decodes to what the platform decodes, where that is ASCII, and to nothing otherwise", () => {
    const piece = FastCheck.constantFrom(
      "%",
      "%%",
      "4",
      "1",
      "F",
      "f",
      "g",
      "=",
      "%2B",
      "%2f",
      "%7F",
      "%80",
      "%C3%BC",
      " "
    )
    const text = FastCheck.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""))
    FastCheck.assert(
      FastCheck.property(text, (text) => {
        const decoded = platform(text)
        expect(decodePercent(text)).toBe(decoded !== undefined && isAscii(decoded) ? decoded : undefined)
      }),
      { numRuns: 5000 }
    )
  })

  it("M8: no text makes it throw", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
        decodePercent(text)
        decodePercent(`${text}%`)
      })
    )
  })
})
