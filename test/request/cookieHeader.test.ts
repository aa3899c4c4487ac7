import { describe, expect, it, vi } from "@effect/vitest"
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

/** The same as `scan`, written as plainly as possible. */
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
  it("M8: scan finds what splitting the header finds, in any header", () => {
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

  it("M8: scanning throws for no text, whatever it is", () => {
    const header = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.string({ unit: "binary" }).map((text) => `session=${text}`)
    )
    FastCheck.assert(FastCheck.property(header, (header) => {
      const { tokens } = scan(header, "session", 4, isToken)
      for (const token of tokens) expect(isToken(token)).toBe(true)
    }))
  })

  it("M8: a missing header and a header without the name have no values", () => {
    for (
      const header of [undefined, "", "session", "session;", "a=session", "=session", "sessio=ABC", "n=session=ABC"]
    ) {
      expect(scan(header, "session", 4, isToken)).toEqual({ present: false, tokens: [], malformed: false })
    }
  })

  it("M8: each well-formed value counts once and at most the given number is taken; malformed values do not count", () => {
    const header = "session=bad; session=ABC; session=ABC; session=; session=DEF; session=GHI; session=JKL"
    expect(scan(header, "session", 2, isToken)).toEqual({ present: true, tokens: ["ABC", "DEF"], malformed: true })
    expect(scan(header, "session", 9, isToken).tokens).toEqual(["ABC", "DEF", "GHI", "JKL"])
  })

  it("M8: the time to scan a header grows no faster than its length", () => {
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
    // A million characters are 60 times what a server takes. If the time were quadratic, each would take minutes.
    const started = performance.now()
    for (const header of worst(1_000_000)) scan(header, "session", 4, isToken)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  /** What a server takes at most in one header, nearly: 15,500 characters. */
  const filled = (pair: string): string => pair.repeat(Math.floor(15_500 / pair.length))

  const malformed = ["%ff", "%", "%4", "%zz", "%C3%BC", "%E0%A4%A", "\"%ff\"", "ABC%"]

  it("M8: a malformed escape is found without an exception, however many there are", () => {
    const decode = vi.spyOn(globalThis, "decodeURIComponent")
    try {
      for (const value of malformed) {
        const found = scan(`${filled(`session=${value};`)}session=A%42C`, "session", 4, isToken)
        expect(found).toEqual({ present: true, tokens: ["ABC"], malformed: true })
      }
      expect(decode.mock.results.filter(({ type }) => type === "throw").length).toBe(0)
    } finally {
      decode.mockRestore()
    }
  })

  it("M8: malformed escapes cost at most three times what other garbage of the same length costs", () => {
    const millis = (header: string): number => {
      const before = process.cpuUsage()
      for (let i = 0; i < 20; i++) scan(header, "session", 4, isToken)
      const { system, user } = process.cpuUsage(before)
      return user + system
    }
    for (const value of malformed) {
      // The machine may be busy with something else: one quiet attempt is enough. With exceptions it was 60 times as much.
      const isCheap = () => millis(filled(`session=${value};`)) <= 3 * millis(filled("session=x;"))
      expect(Array.from({ length: 30 }).some(isCheap)).toBe(true)
    }
  })
})
