import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { scan } from "../../src/internal/request/cookieHeader.js"

/** Tokens of these tests: three letters in capitals. */
const isToken = (value: string): boolean => /^[A-Z]{3}$/.test(value)

const decode = (value: string): string | undefined => {
  const bare = /^"(.*)"$/s.exec(value)?.[1] ?? value
  try {
    return bare.includes("%") ? decodeURIComponent(bare) : bare
  } catch {
    return undefined
  }
}

/** The same, as plainly as can be. */
const reference = (header: string, name: string, max: number) => {
  const tokens: Array<string> = []
  let present = false
  let malformed = false
  for (const pair of header.split(";")) {
    const match = /^[ \t]*([^= \t]*)[ \t]*=(.*)$/s.exec(pair)
    if (match === null || match[1] !== name) continue
    present = true
    if (tokens.length === max) break
    const value = decode(match[2].trim())
    if (value === undefined || !isToken(value)) malformed = true
    else if (!tokens.includes(value)) tokens.push(value)
  }
  return { present, tokens, malformed }
}

const names = ["s", "session", "__Host-session", "a.b", "constructor", "$"]

describe("the session's values in a Cookie header", () => {
  it("M8: the scan finds what splitting the header finds, in any header", () => {
    const piece = FastCheck.constantFrom(
      ...names,
      "session2",
      "xsession",
      "Session",
      "=",
      ";",
      ",",
      " ",
      "\t",
      "; ",
      "ABC",
      "XYZ",
      "\"",
      "%41",
      "%",
      "%zz",
      "\"ABC\"",
      "ü",
      "s=",
      "session=ABC",
      "session = XYZ"
    )
    const header = FastCheck.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""))
    FastCheck.assert(
      FastCheck.property(
        header,
        FastCheck.constantFrom(...names),
        FastCheck.integer({ min: 1, max: 4 }),
        (header, name, max) => {
          expect(scan(header, name, max, isToken)).toEqual(reference(header, name, max))
        }
      ),
      { numRuns: 5000 }
    )
  })

  it("M8: the scan of any text at all does not throw", () => {
    const header = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.string({ unit: "binary" }).map((text) => `session=${text}`)
    )
    FastCheck.assert(FastCheck.property(header, (header) => {
      const { tokens } = scan(header, "session", 4, isToken)
      for (const token of tokens) expect(isToken(token)).toBe(true)
    }))
  })

  it("M8: without a header, or without the cookie's name in it, there is no value", () => {
    for (
      const header of [undefined, "", "session", "session;", "a=session", "=session", "sessio=ABC", "n=session=ABC"]
    ) {
      expect(scan(header, "session", 4, isToken)).toEqual({ present: false, tokens: [], malformed: false })
    }
  })

  it("M8: each well-formed value is found once, at most as many as are tried, and malformed ones take no place", () => {
    const header = "session=bad; session=ABC; session=ABC; session=; session=DEF; session=GHI; session=JKL"
    expect(scan(header, "session", 2, isToken)).toEqual({ present: true, tokens: ["ABC", "DEF"], malformed: true })
    expect(scan(header, "session", 9, isToken).tokens).toEqual(["ABC", "DEF", "GHI", "JKL"])
  })

  it("M8: the time to read a header grows no faster than its size", () => {
    const worst = (length: number): ReadonlyArray<string> => [
      "session".repeat(length / 7),
      " ".repeat(length) + "session",
      `session${" ".repeat(length)}`,
      "session ".repeat(length / 8),
      "session=".repeat(length / 8),
      "session=;".repeat(length / 9),
      ";".repeat(length),
      "session=%".repeat(length / 9),
      `session=${"%41".repeat(length / 3)}`
    ]
    // a million characters: 60 times what a server takes. Quadratic, each would take minutes.
    const started = performance.now()
    for (const header of worst(1_000_000)) scan(header, "session", 4, isToken)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
